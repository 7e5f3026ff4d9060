import Testing

@testable import Evaluation

struct AnswerExtractorTests {
  func extract(
    _ text: String, _ steps: [ExtractionStep], _ grading: GradingRule
  ) -> ExtractedAnswer? {
    AnswerExtractor(steps: steps, grading: grading).extract(from: text)
  }

  @Test func stepsAreTriedInOrderAndTheFirstFindDecides() {
    let steps: [ExtractionStep] = [.box, .answerPhrase]
    let rule = GradingRule.integer(from: 0, to: 999)
    #expect(extract("The answer is 5.", steps, rule)?.step == .answerPhrase)
    let refused = extract("The answer is 5: \\boxed{x}", steps, rule)
    #expect(refused?.step == .box)
    #expect(refused?.answer == nil)
    #expect(extract("nothing", steps, rule) == nil)
  }

  @Test func thoughtsHoldNoAnswers() {
    #expect(extract("<think>\\boxed{1}</think>", [.box], .text) == nil)
    #expect(extract("<think>\\boxed{1}", [.box], .text) == nil)
    #expect(extract("\\boxed{1}</think> \\boxed{2}", [.box], .text)?.answer == "2")
  }

  @Test func openBoxesGiveTheRestOfTheirLine() {
    let steps: [ExtractionStep] = [.box, .openBox]
    #expect(extract("\\boxed{ lapis", steps, .text)?.answer == "lapis")
    #expect(extract("\\boxed{397\nWait", steps, .integer(from: nil, to: nil))?.answer == "397")
    #expect(extract("\\boxed{1} \\boxed{2", steps, .text)?.answer == "1")
    #expect(extract("\\boxed{", steps, .text) == nil)
  }

  @Test func hashMarksAndLastNumbers() {
    #expect(extract("so\n#### 1,200\n", [.hashMark], .mathematics)?.answer == "1200")
    #expect(extract("####", [.hashMark], .mathematics) == nil)
    let number: [ExtractionStep] = [.lastNumber]
    #expect(extract("It costs $1,234.50.", number, .mathematics)?.answer == "1234.50")
    #expect(extract("from 3 to -7 degrees", number, .mathematics)?.answer == "-7")
    #expect(extract("1, 2, 3.", number, .mathematics)?.answer == "3")
    #expect(extract("none", number, .mathematics) == nil)
  }

  @Test func hugeTextsTakeLinearTime() {
    let boxes = String(repeating: "\\boxed{", count: 20_000)
    #expect(extract(boxes, [.box], .latex) == nil)
    let words = String(repeating: "answer ", count: 20_000)
    #expect(extract(words, [.answerPhrase, .lastLine], .letter(count: 4)) == nil)
    #expect(extract(words, [.answerPhrase], .integer(from: 0, to: 9)) == nil)
    #expect(
      extract(words + "answer is 3", [.answerPhrase], .integer(from: 0, to: 9))?.answer == "3")
  }
}
