import Foundation
import Testing

@testable import TextGeneration

@Suite struct BudgetStateTests {
  static let stop: Int32 = 0
  static let thinkEnd: Int32 = 1
  static let wait: [Int32] = [50, 51]
  static let cue: [Int32] = [60, 61, 62]
  /// Tokens 10 to 29 are letters.
  static let open: Int32 = 30
  static let close: Int32 = 31

  static func text(_ id: Int32) -> String {
    switch id {
    case open: "{"
    case close: "}."
    case 32: "\\"
    default: "x"
    }
  }

  static func budget(
    _ tokens: Int, _ bound: ThinkingBudget.LowerBound = .none, intercepts: Bool = true,
    end: ThinkingBudget.AnswerEnd = .closingBrace, answerLimit: Int = 64
  ) throws -> ThinkingBudget {
    try ThinkingBudget(
      tokens: tokens, lowerBound: bound, interceptsThinkEnd: intercepts, wait: wait, cue: cue,
      answerEnd: end, answerLimit: answerLimit)
  }

  /// A text with what became of every token.
  struct Outcome: Equatable {
    var thought: [Int32] = []
    var cue: [Int32] = []
    var answer: [Int32] = []
    var waits = 0
    var finish: FinishReason?
  }

  /// Feeds tokens until the text ends.
  static func feed(_ tokens: some Sequence<Int32>, _ budget: ThinkingBudget) -> Outcome {
    var state = BudgetState(budget, thinkEnd: thinkEnd, stopTokens: [stop])
    var outcome = Outcome()
    var isAnswer = false
    for token in tokens {
      for action in state.take(token, text: text) {
        switch action {
        case .emit(let id):
          #expect(id == token)
          if isAnswer { outcome.answer.append(id) } else { outcome.thought.append(id) }
          if id == thinkEnd, state.answerTokens == 0, !state.isConcluding,
            state.budget.lowerBound != .budget
          {
            isAnswer = true
          }
        case .wait(let ids):
          outcome.thought += ids
          outcome.waits += ids.count
        case .cue(let ids):
          #expect(!isAnswer)
          outcome.cue += ids
          isAnswer = true
        case .finish(let reason): outcome.finish = reason
        }
      }
      if outcome.finish != nil { break }
    }
    #expect(state.thoughtTokens == outcome.thought.count)
    #expect(state.waitTokens == outcome.waits)
    #expect(state.cueTokens == outcome.cue.count)
    #expect(state.answerTokens == outcome.answer.count)
    return outcome
  }

  static func randomTokens(
    _ generator: inout RandomStreamGenerator, count: Int
  ) -> [Int32] {
    (0..<count).map { _ in Int32.random(in: 0...33, using: &generator) }
  }

  @Test func aThousandRandomTextsKeepTheBudgetToTheToken() throws {
    var generator = RandomStreamGenerator(seed: 1)
    var finishes: Set<FinishReason> = []
    for _ in 0..<1000 {
      let length = Int.random(in: 1...90, using: &generator)
      let tokens = Self.randomTokens(&generator, count: length + 80)
      let forced = Self.feed(tokens, try Self.budget(length, .budget))
      #expect(forced.thought.count == length)
      #expect(!forced.thought.contains(Self.stop) && !forced.thought.contains(Self.thinkEnd))
      #expect(forced.cue == Self.cue)
      #expect(forced.finish == .budget || forced.finish == .length)
      #expect(forced.answer.count <= 64)

      let free = Self.feed(tokens, try Self.budget(length))
      #expect(free.thought.count <= length)
      #expect(free.waits == 0)
      #expect(free.cue.isEmpty || (free.cue == Self.cue && free.thought.count == length))
      finishes.insert(free.finish ?? .cancelled)

      let literal = Self.feed(tokens, try Self.budget(length, .budget, intercepts: false))
      #expect(literal.thought.count == length && !literal.thought.contains(Self.stop))
      #expect(literal.cue == Self.cue)
    }
    #expect(finishes.isSuperset(of: [.stop, .budget]))
  }

  @Test func smallerBudgetsSayTheSameUntilTheyAreUsedUp() throws {
    var generator = RandomStreamGenerator(seed: 2)
    for bound: ThinkingBudget.LowerBound in [.none, .budget, .ends(2)] {
      for _ in 0..<200 {
        let tokens = Self.randomTokens(&generator, count: 200)
        let long = try Self.budget(60, bound)
        let short = Int.random(in: 1..<60, using: &generator)
        var state = BudgetState(long, thinkEnd: Self.thinkEnd, stopTokens: [Self.stop])
        var separate = state.shortened(to: short)
        for token in tokens {
          var probe = state.shortened(to: short)
          let actions = probe.take(token, text: Self.text)
          #expect(actions == separate.take(token, text: Self.text))
          if probe.isConcluding {
            #expect(probe.thoughtTokens == short && probe.waitTokens == separate.waitTokens)
            break
          }
          #expect(actions == state.take(token, text: Self.text))
          if case .finish? = actions.last { break }
        }
      }
    }
  }

  @Test func endsAreReplacedAsOftenAsAsked() throws {
    let tokens: [Int32] = [10, 1, 11, 0, 12, 1, 13, 0]
    let twice = Self.feed(tokens, try Self.budget(40, .ends(2)))
    #expect(twice.thought == [10] + Self.wait + [11] + Self.wait + [12, 1])
    #expect(twice.answer == [13] && twice.finish == .stop && twice.waits == 4)
    let never = Self.feed(tokens, try Self.budget(40))
    #expect(never.thought == [10, 1] && never.answer == [11] && never.finish == .stop)
    // Words are cut where the budget ends.
    let cut = Self.feed([10, 0, 10, 31], try Self.budget(2, .budget))
    #expect(cut.thought == [10, 50] && cut.waits == 1 && cut.answer == [10, 31])
  }

  @Test func theAnswerEndsAtTheMatchingBraceAStopOrItsLimit() throws {
    func answer(
      _ tokens: [Int32], end: ThinkingBudget.AnswerEnd = .closingBrace, limit: Int = 64
    ) throws -> Outcome {
      Self.feed([10] + tokens, try Self.budget(1, end: end, answerLimit: limit))
    }
    #expect(try answer([10, 31, 11]).answer == [10, 31])
    #expect(try answer([30, 10, 31, 11, 31, 12]).answer == [30, 10, 31, 11, 31])
    #expect(try answer([32, 31, 31, 12]).answer == [32, 31, 31])
    #expect(try answer([32, 32, 31, 12]).answer == [32, 32, 31])
    #expect(try answer([10, 31]).finish == .budget)
    #expect(try answer([10, 0]).answer == [10] && answer([10, 0]).finish == .budget)
    #expect(try answer([0]).answer.isEmpty && answer([0]).finish == .budget)
    #expect(try answer([10, 11, 12, 13], limit: 3).answer == [10, 11, 12])
    #expect(try answer([10, 11, 12, 13], limit: 3).finish == .length)
    #expect(try answer([10, 31, 11, 0, 12], end: .stopToken).answer == [10, 31, 11])
  }

  @Test func endsInsideTheCueAreWordsLikeOthers() throws {
    let budget = try ThinkingBudget(
      tokens: 2, lowerBound: .budget, wait: Self.wait, cue: [60, Self.stop, Self.thinkEnd, 61])
    let outcome = Self.feed([10, 11, 12, 31], budget)
    #expect(outcome.cue == budget.cue && outcome.answer == [12, 31] && outcome.finish == .budget)
  }

  @Test func modelsWithoutTagsEndTheirThoughtByAStop() throws {
    var state = BudgetState(
      try Self.budget(3, .budget), thinkEnd: nil, stopTokens: [Self.stop])
    #expect(state.take(Self.thinkEnd, text: Self.text) == [.emit(Self.thinkEnd)])
    #expect(state.take(Self.stop, text: Self.text) == [.wait(Self.wait), .cue(Self.cue)])
  }
}

/// Random numbers for tests that are the same in every run.
struct RandomStreamGenerator: RandomNumberGenerator {
  private let stream: RandomStream
  private var position = 0

  init(seed: UInt64) { stream = RandomStream(seed: seed, sample: 0) }

  mutating func next() -> UInt64 {
    position += 1
    let high = UInt64(stream.uniform(at: 2 * position) * 0x1p32)
    return high << 32 | UInt64(stream.uniform(at: 2 * position + 1) * 0x1p32)
  }
}
