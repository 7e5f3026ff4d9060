/// Finds expressions that a backtracking matcher may need exponential time for.
///
/// Such are repetitions without bound of something that repeats itself, or that can be read in
/// several ways: `(a+)+`, `(a|b)*`. No published tokenizer has one; a file that does is refused.
/// Atomic groups and possessive repetitions (`(?>...)`, `++`) are never taken back and cost
/// nothing.
enum RegexCost {
  /// A repetition of more than this counts as one without bound.
  private static let mostRepeats = 8

  /// An open group, or the expression itself.
  private struct Group {
    let start: Int
    var isAtomic = false
    /// Whether something in it repeats without bound.
    var repeats = false
    var hasAlternatives = false
  }

  /// The first part of the pattern that may take exponential time; nil where there is none.
  static func explosivePart(of pattern: String) -> String? {
    let scalars = Array(pattern.unicodeScalars)
    var groups = [Group(start: 0)]
    var position = 0
    while position < scalars.count {
      switch scalars[position] {
      case "\\": position += 2
      case "[": position = endOfSet(scalars, from: position)
      case "(":
        let isAtomic = scalars[position...].starts(with: "(?>".unicodeScalars)
        groups.append(Group(start: position, isAtomic: isAtomic))
        position += 1
        continue
      case "|":
        groups[groups.count - 1].hasAlternatives = true
        position += 1
        continue
      case ")":
        position += 1
        guard groups.count > 1, let group = groups.popLast() else { continue }
        let quantifier = quantifier(scalars, at: position)
        let isTakenBack = !group.isAtomic && !quantifier.isPossessive
        if quantifier.isUnbounded, isTakenBack, group.repeats || group.hasAlternatives {
          return String(String.UnicodeScalarView(scalars[group.start..<quantifier.end]))
        }
        if isTakenBack, group.repeats || quantifier.isUnbounded {
          groups[groups.count - 1].repeats = true
        }
        position = quantifier.end
        continue
      default: position += 1
      }
      let quantifier = quantifier(scalars, at: min(position, scalars.count))
      if quantifier.isUnbounded, !quantifier.isPossessive {
        groups[groups.count - 1].repeats = true
      }
      position = quantifier.end
    }
    return nil
  }

  /// The position behind a set, which may hold others.
  private static func endOfSet(_ scalars: [Unicode.Scalar], from start: Int) -> Int {
    var depth = 0
    var position = start
    while position < scalars.count {
      switch scalars[position] {
      case "\\": position += 1
      case "[": depth += 1
      case "]":
        depth -= 1
        if depth == 0 { return position + 1 }
      default: break
      }
      position += 1
    }
    return scalars.count
  }

  /// The quantifier at a position, where there is one, and where it ends.
  private static func quantifier(
    _ scalars: [Unicode.Scalar], at start: Int
  ) -> (isUnbounded: Bool, isPossessive: Bool, end: Int) {
    guard start < scalars.count else { return (false, false, start) }
    var end = start + 1
    var isUnbounded = false
    switch scalars[start] {
    case "*", "+": isUnbounded = true
    case "?": break
    case "{":
      guard let close = scalars[start...].firstIndex(of: "}") else { return (false, false, start) }
      let bounds = String(String.UnicodeScalarView(scalars[(start + 1)..<close]))
        .split(separator: ",", omittingEmptySubsequences: false)
      guard let last = bounds.last, bounds.count <= 2 else { return (false, false, start) }
      isUnbounded = last.isEmpty || (Int(last) ?? .max) > mostRepeats
      end = close + 1
    default: return (false, false, start)
    }
    let isPossessive = end < scalars.count && scalars[end] == "+"
    if end < scalars.count, "+?".unicodeScalars.contains(scalars[end]) { end += 1 }
    return (isUnbounded, isPossessive, end)
  }
}
