import Testing

@testable import Evaluation

struct LatexTextTests {
  @Test(arguments: [
    (#"\left( 3,\, \dfrac{\pi}{2} \right)"#, #"(3,\frac{\pi}{2})"#), (#"\$18.90"#, "18.90"),
    (#"50\,\%"#, "50"), (#"12\text{ cm}"#, "12cm"), (#"\text{a \textbf{b}} c"#, "abc"),
    (#"30^\circ"#, "30"), (#"30^{\circ}."#, "30"), ("12,345,678", "12345678"),
    ("-1,234.5", "-1234.5"),
    ("1,23", "1,23"), ("1234,567", "1234,567"), ("(1,000,2)", "(1,000,2)"), (",123", ",123"),
    (#"\frac12"#, #"\frac{1}{2}"#), (#"\frac1{23}"#, #"\frac{1}{23}"#),
    (#"\frac{1}2"#, #"\frac{1}{2}"#),
    (#"\frac{\frac12}3"#, #"\frac{\frac{1}{2}}{3}"#), (#"2\sqrt3x"#, #"2\sqrt{3}x"#),
    ("007", "007"),
    (#"\leftarrow"#, #"\leftarrow"#), (#"1 \\ 2"#, #"1\\2"#), (#"\text"#, #"\text"#),
    (#"\text{open"#, #"\text{open"#), ("\\", "\\"), ("a~b\\ c", "abc"), ("5..", "5."),
    ("1\u{a0}\u{2009}0", "10"), ("", ""),
  ])
  func normalForm(text: String, form: String) {
    #expect(LatexText.normalized(text) == form)
  }

  @Test func deepNestingEnds() {
    let deep = String(repeating: "\\text{", count: 5000) + String(repeating: "}", count: 5000)
    #expect(LatexText.normalized(deep).hasPrefix("\\text{"))
  }
}
