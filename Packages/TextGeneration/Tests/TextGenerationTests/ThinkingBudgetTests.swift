import Foundation
import Testing

@testable import TextGeneration

@Suite struct ThinkingBudgetTests {
  @Test func refusesNonsense() {
    func budget(
      _ tokens: Int = 5, _ bound: ThinkingBudget.LowerBound = .none, wait: [Int32] = [1],
      cue: [Int32] = [2], answerLimit: Int = 64
    ) throws -> ThinkingBudget {
      try ThinkingBudget(
        tokens: tokens, lowerBound: bound, wait: wait, cue: cue, answerLimit: answerLimit)
    }
    #expect(
      throws: GenerationError.invalidOption(
        name: "think-budget", value: "0", expected: "1 to \(1 << 30)")
    ) { try budget(0) }
    #expect(throws: GenerationError.self) { try budget(.max) }
    #expect(throws: GenerationError.self) { try budget(answerLimit: 0) }
    #expect(throws: GenerationError.self) { try budget(5, .ends(0)) }
    #expect(throws: GenerationError.self) { try budget(5, .budget, wait: []) }
    #expect(throws: GenerationError.self) { try budget(cue: []) }
    #expect(throws: Never.self) { try budget(wait: []) }
  }

  @Test func isReadAsWrittenAndCheckedWhenRead() throws {
    let budget = try ThinkingBudget(
      tokens: 9, lowerBound: .ends(3), interceptsThinkEnd: false, wait: [4], cue: [5, 6],
      answerEnd: .stopToken, answerLimit: 7)
    let data = try JSONEncoder().encode(budget)
    #expect(try JSONDecoder().decode(ThinkingBudget.self, from: data) == budget)
    let bad = String(decoding: data, as: UTF8.self).replacingOccurrences(
      of: "\"tokens\":9", with: "\"tokens\":0")
    #expect(throws: GenerationError.self) {
      try JSONDecoder().decode(ThinkingBudget.self, from: Data(bad.utf8))
    }
  }

  @Test func wordsBecomeTokens() throws {
    let encode: (String) -> [Int32] = { $0.utf8.map { Int32($0) } }
    let paper = try ThinkingBudget(tokens: 10, encode: encode)
    #expect(paper.wait == encode("Wait"))
    #expect(paper.cue == encode("**Final Answer**\n\\boxed{"))
    #expect(paper.answerEnd == .closingBrace && paper.answerLimit == 64)
    #expect(paper.lowerBound == .none && paper.interceptsThinkEnd)
    let closed = try ThinkingBudget(tokens: 10, closesThought: true, encode: encode)
    #expect(closed.cue == encode("\n</think>\n\n") + paper.cue)
    let qwen = try ThinkingBudget(
      tokens: 10, wording: .earlyStop, closesThought: true, answerLimit: 5, encode: encode)
    #expect(qwen.cue == encode(BudgetWording.earlyStop.cue))
    #expect(qwen.answerEnd == .stopToken && qwen.answerLimit == 5)
  }
}
