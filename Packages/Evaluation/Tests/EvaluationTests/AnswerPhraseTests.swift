import Testing

@testable import Evaluation

struct AnswerPhraseTests {
  @Test(arguments: [
    ("The answer is 12.", "12"), ("**Answer:** 055", "055"), ("Answer = $-3$", "-3"),
    ("ANSWER is: \\(1,234\\)", "1234"), ("answer is 5. No, the answer is 6", "6"),
    ("answer is 5, maybe 6", "5"), ("the answer is 3/4", nil), ("the answer is 3.5", nil),
    ("the answer is 3^2", nil), ("the answer is 3\\sqrt{2}", nil), ("the answers are 3", nil),
    ("answer 5", nil), ("answer is", nil), ("the answer is 7. the answer is 3/4", "7"), ("12", nil),
    ("answer is 1,2345", "1"), ("answer is 12345,678", "12345"),
  ])
  func wholeNumbers(text: String, number: String?) {
    let found = AnswerPhrase.last(
      in: Array(text.utf8)[...], grading: .integer(from: nil, to: nil))
    #expect(found == number)
  }

  @Test(arguments: [
    ("The answer is B", "B"), ("answer: (c)", "C"), ("**Answer: D**", "D"), ("Answer C.", "C"),
    ("The answer is option (A), not B", "A"), ("Answer: $\\text{D}$", "D"),
    ("the answer is: the correct choice B", "B"), ("the answer is b", nil),
    ("the answer is a matter of taste", nil), ("the answer is Benzene", nil),
    ("the answer is A's", nil), ("the answer is A\u{2019}s", nil), ("the answer is E", nil),
    ("the answer is (B", nil), ("Answer: A. Later: answer: unknown", "A"),
  ])
  func letters(text: String, letter: String?) {
    #expect(AnswerPhrase.last(in: Array(text.utf8)[...], grading: .letter(count: 4)) == letter)
  }

  @Test(arguments: [
    ("So:\n\nD.\n\n", "D"), ("x\r\n**(c)**", "C"), ("B", "B"), ("x\nb", nil), ("A or B", nil),
    ("", nil),
    ("x\n__A)__", "A"),
  ])
  func lastLines(text: String, letter: String?) {
    #expect(AnswerPhrase.lastLine(in: Array(text.utf8)[...], grading: .letter(count: 4)) == letter)
  }
}
