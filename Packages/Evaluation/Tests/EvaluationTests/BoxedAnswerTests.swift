import Testing

@testable import Evaluation

struct BoxedAnswerTests {
  @Test(arguments: [
    ("\\boxed{4}", "4"), ("a \\boxed{1} b \\boxed{2} c", "2"), ("\\fbox{x}", "x"),
    ("\\boxed \n {x}", "x"), ("\\boxed{a{b}c}", "a{b}c"), ("\\boxed{\\{1\\}}", "\\{1\\}"),
    ("\\boxed{x = \\boxed{5}}", "x = \\boxed{5}"), ("\\boxed{1 \\boxed{2}", "2"),
    ("\\boxed{1} \\boxed{ }", "1"), ("$\\boxed 17.$", "17"), ("\\boxed7", "7"),
    ("\\boxedx{3}", nil),
    ("\\boxed{3", nil), ("\\boxed", nil), ("boxed{3}", nil), ("\\boxed{3\\}", nil),
    ("}}\\boxed{2}", "2"),
    ("\\boxed{a \\\\}", "a \\\\"), ("\\", nil),
  ])
  func lastCompleteBox(text: String, content: String?) {
    let found = BoxedAnswer.last(in: Array("xx\(text)".utf8)[2...])
    #expect(found.map { String(decoding: $0, as: UTF8.self) } == content)
  }
}
