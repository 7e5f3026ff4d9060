/// A regular expression that a rule looks for in the names of layers.
///
/// The library's parser goes down into brackets without a bound, and its matcher tries every way to
/// divide a text among repetitions within repetitions: such expressions are refused, so that no
/// rule can end or hold up the process.
struct LayerPattern {
  /// The most characters of an expression.
  static let longest = 1000
  /// How deep brackets may lie within each other.
  static let deepest = 16

  private let expression: Regex<AnyRegexOutput>

  /// Reads an expression.
  ///
  /// - Throws: a reason in words.
  init(_ text: String) throws(Fault) {
    guard text.count <= Self.longest else {
      throw Fault(reason: "it has more than \(Self.longest) characters")
    }
    try Self.check(text)
    do { expression = try Regex(text) } catch { throw Fault(reason: "\(error)") }
  }

  /// Whether the expression is found in a name.
  func isFound(in name: String) -> Bool { name.contains(expression) }

  /// Why a text is no expression for layers.
  struct Fault: Error {
    let reason: String
  }

  private static func check(_ text: String) throws(Fault) {
    // For each open group, whether something in it is repeated without a bound.
    var groups: [Bool] = [false]
    var brackets = 0
    var (isEscaped, closed) = (false, Bool?.none)
    for character in text {
      defer { if character != ")" || isEscaped || brackets > 0 { closed = nil } }
      if isEscaped {
        isEscaped = false
        continue
      }
      switch character {
      case "\\": isEscaped = true
      case "[": brackets += 1
      case "]": brackets = max(0, brackets - 1)
      case "(" where brackets == 0: groups.append(false)
      case ")" where brackets == 0:
        if groups.count > 1 {
          let inner = groups.removeLast()
          closed = inner
          if inner { groups[groups.count - 1] = true }
        }
      case "*" where brackets == 0, "+" where brackets == 0, "{" where brackets == 0:
        if closed == true {
          throw Fault(
            reason: "a repeated group in it holds another repetition, which can take for ever")
        }
        groups[groups.count - 1] = true
      default: break
      }
      guard groups.count + brackets <= deepest else {
        throw Fault(reason: "brackets lie more than \(deepest) deep in it")
      }
    }
  }
}
