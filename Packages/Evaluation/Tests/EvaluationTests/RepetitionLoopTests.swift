import Testing

@testable import Evaluation

/// Texts that go round in circles, and those that only look like it.
@Suite struct RepetitionLoopTests {
  @Test func loopsAreFoundWithTheirShortestUnit() throws {
    let apples = try #require(
      RepetitionLoop(endOf: "So " + String(repeating: "apple ", count: 30) + "app"))
    #expect(apples.unit.count == 6 && apples.times >= 30)
    let sentence = "Wait, let me check the second step again.\n"
    let check = try #require(RepetitionLoop(endOf: String(repeating: sentence, count: 8)))
    #expect(check.unit.count == sentence.count && check.times == 8)
  }

  @Test(arguments: [
    "", "short", String(repeating: "apple ", count: 10), String(repeating: "-", count: 400),
    String(repeating: "apple ", count: 40) + "and then the answer is 7.",
    (0..<60).map { "step \($0): \($0 * 7)" }.joined(separator: "\n"),
    String(repeating: "| | |\n", count: 60),
  ]) func otherTextsAreNone(text: String) {
    #expect(RepetitionLoop(endOf: text) == nil)
  }
}
