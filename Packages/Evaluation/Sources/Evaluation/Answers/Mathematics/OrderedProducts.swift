/// A sum of products of capital letters, which stand for matrices, points or operators: `AB`,
/// `B^{-1}A^{-1}`, `2AB - BA`. Their order counts.
struct OrderedProducts: Equatable {
  /// A letter and the power it is raised to.
  private struct Factor: Hashable {
    var letter: UInt8
    var power: String
  }

  /// How often each product is taken; none is taken no times.
  private let terms: [[Factor]: Int]

  /// Whether a product of different letters is among them.
  var hasOrder: Bool { terms.keys.contains { Set($0.map(\.letter)).count > 1 } || wasOrdered }
  /// Whether products of different letters were written, even if they cancel.
  private let wasOrdered: Bool

  static func == (left: Self, right: Self) -> Bool { left.terms == right.terms }

  /// Reads a sum in normal form; nil for anything else, such as a fraction or a lower-case name,
  /// whose letters are numbers.
  init?(_ text: ArraySlice<UInt8>) {
    if text.elementsEqual("0".utf8) {
      (terms, wasOrdered) = ([:], false)
      return
    }
    guard !text.isEmpty, text.count <= 200 else { return nil }
    var terms: [[Factor]: Int] = [:]
    var wasOrdered = false
    var rest = text
    while !rest.isEmpty {
      var sign = 1
      if let mark = rest.first, "+-".utf8.contains(mark) {
        sign = mark == UInt8(ascii: "-") ? -1 : 1
        rest = rest.dropFirst()
      } else if rest.startIndex > text.startIndex {
        return nil
      }
      let digits = rest.prefix(while: \.isDigit)
      rest = rest[digits.endIndex...]
      guard let count = digits.isEmpty ? 1 : Int(String(decoding: digits, as: UTF8.self)),
        count < 1_000_000, let product = Self.product(&rest)
      else { return nil }
      wasOrdered = wasOrdered || Set(product.map(\.letter)).count > 1
      terms[product, default: 0] += sign * count
    }
    self.terms = terms.filter { $0.value != 0 }
    self.wasOrdered = wasOrdered
  }

  /// The factors at the start of a text, equal neighbours with whole powers as one.
  private static func product(_ rest: inout ArraySlice<UInt8>) -> [Factor]? {
    var factors: [Factor] = []
    while let letter = rest.first, letter.isLetter, letter.lowercased != letter {
      rest = rest.dropFirst()
      guard let power = Self.power(&rest) else { return nil }
      if let last = factors.last, last.letter == letter, let first = Int(last.power),
        let second = Int(power)
      {
        factors[factors.count - 1].power = String(first + second)
      } else {
        factors.append(Factor(letter: letter, power: power))
      }
    }
    return factors.isEmpty ? nil : factors
  }

  /// The power at the start of a text, a number below 1000 or the mark of a transpose; 1 where there is none.
  private static func power(_ rest: inout ArraySlice<UInt8>) -> String? {
    guard rest.first == UInt8(ascii: "^") else { return "1" }
    rest = rest.dropFirst()
    var power = rest.prefix(1)
    if let close = LatexText.closingBrace(of: rest, openedAt: rest.startIndex) {
      power = rest[(rest.startIndex + 1)..<close]
      rest = rest[(close + 1)...]
    } else if rest.has("\\top", at: rest.startIndex) {
      power = rest.prefix(4)
      rest = rest.dropFirst(4)
    } else {
      rest = rest.dropFirst()
    }
    let text = String(decoding: power, as: UTF8.self)
    if ["T", "\\top", "t"].contains(text) { return "T" }
    return Int(text).flatMap { abs($0) < 1000 ? String($0) : nil }
  }
}
