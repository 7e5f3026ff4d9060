import Testing

@testable import Evaluation

struct GradingRuleTests {
  @Test func integers() {
    let any = GradingRule.integer(from: nil, to: nil)
    for (text, number) in [
      ("-5", "-5"), ("+007", "7"), ("1,234", "1234"), ("x = 12.", "12"), ("70.00", "70"),
      ("-0", "0"), ("$-1{,}000$", "-1000"), ("9223372036854775807", "9223372036854775807"),
      ("9223372036854775808", nil), ("1 2", nil), ("", nil), ("-", nil), ("1/2", nil),
    ] {
      #expect(any.canonical(text) == number, "\(text)")
    }
    #expect(GradingRule.integer(from: -3, to: nil).canonical("-4") == nil)
    #expect(!any.areEqual(nil, "0"))
  }

  /// What a model that goes round in circles may write: neither depth nor length of it costs much.
  @Test(
    .timeLimit(.minutes(1)),
    arguments: [
      "{%", "%", "\\frac{", "\\frac{1}{", "sqrt(", "(", "{", "\\text{", "\\text{ and }", "=", ",",
      "\\sqrt", "1,", "1 ", "\\over ",
      "5\\% of ", "x^",
    ])
  func textsWithoutEnd(of piece: String) {
    let rules: [GradingRule] = [
      .integer(from: nil, to: nil), .letter(count: 4), .latex, .mathematics, .text,
    ]
    for count in [300, 3000, 100_000] {
      let text = "2" + String(repeating: piece, count: count)
      for rule in rules {
        let form = rule.canonical(text)
        #expect(rule == .text || text.utf8.count <= GradingRule.longest || form == nil)
        _ = rule.areEqual(form, "2")
      }
    }
  }

  @Test func letters() {
    let five = GradingRule.letter(count: 5)
    for (text, letter) in [
      ("e", "E"), ("(E)", "E"), ("\\text{B}", "B"), ("C) because", "C"), ("A: text", "A"),
      ("F", nil),
      ("AB", nil), ("(A", nil), ("", nil),
    ] {
      #expect(five.canonical(text) == letter, "\(text)")
    }
  }

  @Test func texts() {
    #expect(GradingRule.text.canonical("  lapis \n") == "lapis")
    #expect(GradingRule.text.canonical(" \t ") == nil)
    #expect(!GradingRule.text.areEqual("Lapis", "lapis"))
  }

  @Test func rationalsOfAnyLengthAreExact() {
    let long = String(repeating: "9", count: 300)
    #expect(GradingRule.latex.areEqual("\(long).50", "\\frac{\(long)5}{10}"))
    #expect(!GradingRule.latex.areEqual(long, long.dropLast() + "8"))
    #expect(GradingRule.latex.areEqual("-\\frac{-1}{2}", ".5"))
    for text in ["", "-", ".", "1/0", "1/2/3", "\\frac{1}{2}3", "1.2.3", "--1", "0x1"] {
      #expect(Rational(latex: text) == nil, "\(text)")
    }
    #expect(Rational(latex: String(repeating: "1", count: 2000)) == nil)
  }
}
