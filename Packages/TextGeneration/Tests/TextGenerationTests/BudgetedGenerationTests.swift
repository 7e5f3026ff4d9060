import KVCaches
import DecoderModels
import Testing

@testable import TextGeneration

/// Thinking budgets, shared prompts and branches on a small random model.
@Suite struct BudgetedGenerationTests {
  static let wait: [Int32] = [8, 9]
  static let cue: [Int32] = [33, 34]
  static let thinkEnd: Int32 = 5
  /// Token 6 closes a brace.
  static func text(_ id: Int32) -> String { id == 6 ? "}" : "x" }

  static func request(
    _ sample: Int, budget tokens: Int, _ bound: ThinkingBudget.LowerBound, branches: [Int] = []
  ) throws -> GenerationRequest {
    var request = try BatchGeneratorTests.request(sample, maxTokens: .max)
    request.tags = ThinkingTags(open: 4, close: thinkEnd)
    request.budget = try ThinkingBudget(
      tokens: tokens, lowerBound: bound, wait: wait, cue: cue, answerLimit: 6)
    request.branches = branches
    return request
  }

  struct Outcome {
    var results: [Int: GenerationResult] = [:]
    var branches: [Int: [Int: GenerationResult]] = [:]
    var origins: [Int: [GeneratedToken.Origin]] = [:]
    let generator: BatchGenerator
  }

  func run(
    _ requests: [GenerationRequest], concurrency: Int, kv: KVPolicy = KVPolicy(),
    context: Int = 64, isHybrid: Bool = false
  ) throws -> Outcome {
    let generator = BatchGenerator(
      try BatchGeneratorTests.makePass(context: context, isHybrid: isHybrid), kv: kv,
      text: Self.text)
    var outcome = Outcome(generator: generator)
    try generator.run(requests, concurrency: concurrency) { event in
      switch event {
      case .token(let index, let token):
        outcome.origins[index, default: []].append(token.origin)
      case .branched(let index, let budget, let result):
        #expect(
          outcome.branches[index, default: [:]].updateValue(result, forKey: budget) == nil)
      case .finished(let index, let result):
        #expect(outcome.results.updateValue(result, forKey: index) == nil)
      }
      return .goOn
    }
    #expect(generator.meter.bytes == 0)
    return outcome
  }

  @Test func budgetsHoldToTheToken() throws {
    var generator = RandomStreamGenerator(seed: 5)
    // Every budget four times, in any order.
    let budgets = (0..<4).flatMap { _ in 1...48 }.shuffled(using: &generator)
    for bound: ThinkingBudget.LowerBound in [.budget, .none] {
      let requests = try budgets.enumerated().map {
        try Self.request($0.offset, budget: $0.element, bound)
      }
      let outcome = try run(requests, concurrency: 16)
      for (index, budget) in budgets.enumerated() {
        let result = try #require(outcome.results[index])
        let counts = result.counts
        let origins = outcome.origins[index] ?? []
        #expect(counts.prompt == requests[index].prompt.count)
        #expect(counts.thought + counts.cue + counts.answer == result.tokens.count)
        #expect(origins.count == result.tokens.count)
        #expect(origins.filter { $0 != .drawn }.count == counts.injected)
        if bound == .budget || counts.cue > 0 {
          #expect(counts.thought == budget)
          #expect(Array(result.tokens[budget..<budget + 2]) == Self.cue)
          #expect(result.finishReason == (result.finishReason == .length ? .length : .budget))
          #expect(result.finishReason != .length || counts.answer == 6)
        } else {
          #expect(counts.thought <= budget && counts.injected == 0)
          #expect(result.finishReason == .stop || result.finishReason == .length)
        }
      }
    }
  }

  @Test(arguments: [ThinkingBudget.LowerBound.budget, .none, .ends(1)])
  func branchesEqualSeparateRuns(bound: ThinkingBudget.LowerBound) throws {
    let budgets = [1, 7, 8, 9, 20, 31]
    let requests = try (0..<24).map {
      try Self.request($0, budget: 40, bound, branches: budgets.reversed())
    }
    let together = try run(requests, concurrency: 5)
    var drawnAfterCue = 0
    for budget in budgets {
      let separate = try run(
        requests.indices.map { try Self.request($0, budget: budget, bound) }, concurrency: 1
      ).results
      for index in requests.indices {
        let branch = together.branches[index]?[budget]
        #expect(branch?.tokens == separate[index]?.tokens)
        #expect(branch?.counts == separate[index]?.counts)
        #expect(branch?.finishReason == separate[index]?.finishReason)
        #expect(branch?.kvBytes == separate[index]?.kvBytes)
        drawnAfterCue += branch?.counts.cue ?? 0 > 0 ? branch?.counts.answer ?? 0 : 0
      }
    }
    let plain = try run(
      requests.indices.map { try Self.request($0, budget: 40, bound) }, concurrency: 1
    ).results
    for index in requests.indices {
      #expect(together.results[index]?.tokens == plain[index]?.tokens)
    }
    #expect(drawnAfterCue > 40)
  }

  /// Thoughts of several pages, with branches before, at and after the places where tokens are
  /// rounded or evicted.
  @Test(arguments: SchedulerTests.configurations, [false, true])
  func longBranchesEqualSeparateRuns(
    policy: (format: String, eviction: String?), isHybrid: Bool
  ) throws {
    let kv = try SchedulerTests.cache(policy.format, policy.eviction)
    let budgets = [3, 23, 62, 63, 64, 65, 127, 129, 150]
    let samples = 0..<4
    let together = try run(
      samples.map { try Self.request($0, budget: 200, .budget, branches: budgets) },
      concurrency: 3, kv: kv, context: 256, isHybrid: isHybrid)
    for budget in budgets + [200] {
      let separate = try run(
        samples.map { try Self.request($0, budget: budget, .budget) }, concurrency: 1, kv: kv,
        context: 256, isHybrid: isHybrid
      ).results
      for sample in samples {
        let found =
          budget == 200 ? together.results[sample] : together.branches[sample]?[budget]
        let expected = try #require(separate[sample])
        #expect(found?.tokens == expected.tokens, "sample \(sample), budget \(budget)")
        #expect(found?.counts == expected.counts)
        #expect(found?.kvBytes == expected.kvBytes)
        #expect(expected.counts.thought == budget)
      }
    }
  }

  @Test func samplesOfOnePromptShareIt() throws {
    // A page holds 64 tokens, the context: every sequence has one page, its own once it writes to
    // it.
    var requests = try (0..<12).map { try BatchGeneratorTests.request($0) }
    for index in requests.indices {
      requests[index].prompt = (0..<20).map { Int32(index < 8 ? $0 : 2 * $0) }
    }
    let together = try run(requests, concurrency: 5)
    for index in requests.indices {
      let alone = try run([requests[index]], concurrency: 1).results[0]
      #expect(together.results[index]?.tokens == alone?.tokens)
    }
    #expect(together.generator.timings.promptTokens == 40)
  }

  @Test func aSharedPromptIsStoredOnce() throws {
    // With a context of 256 a prompt of 130 tokens fills two pages and begins a third.
    let pass = try BatchGeneratorTests.makePass(context: 256)
    var request = try BatchGeneratorTests.request(0, maxTokens: 10)
    request.stopTokens = []
    request.prompt = (0..<130).map { Int32($0 % 40) }
    func peak(_ samples: Int) throws -> Int {
      let generator = BatchGenerator(pass)
      let requests = (0..<samples).map { sample in
        var copy = request
        copy.random = RandomStream(seed: 3, sample: UInt64(sample))
        return copy
      }
      try generator.run(requests, concurrency: samples) { _ in .goOn }
      #expect(generator.meter.bytes == 0)
      return generator.meter.peakBytes
    }
    let single = try peak(1)
    let page = single / 3
    #expect(try peak(16) == (2 + 16) * page)
  }

  @Test func cancellingATextEndsItsBranches() throws {
    var request = try Self.request(1, budget: 40, .budget, branches: [10])
    request.stopTokens = []
    let generator = BatchGenerator(
      try BatchGeneratorTests.makePass(), text: { _ in "x" })
    var seen = 0
    var finished: GenerationResult?
    try generator.run([request]) { event in
      switch event {
      case .token: seen += 1
      case .branched: Issue.record("a branch outlived its text")
      case .finished(_, let result): finished = result
      }
      return seen < 12 ? .goOn : .endText
    }
    #expect(finished?.finishReason == .cancelled)
    #expect(generator.meter.bytes == 0)
  }

  @Test func anErrorInTheMiddleLeavesNoPages() throws {
    struct Stop: Error {}
    let generator = BatchGenerator(try BatchGeneratorTests.makePass())
    let requests = try (0..<6).map { try Self.request($0, budget: 30, .budget, branches: [3, 4]) }
    var seen = 0
    #expect(throws: Stop.self) {
      var run = try generator.start(requests, concurrency: 3)
      while try run.next() != nil {
        seen += 1
        if seen == 25 { throw Stop() }
      }
    }
    #expect(generator.meter.bytes == 0)
  }

  @Test func refusesBudgetsWithoutRoomNamingTheSum() throws {
    func refusal(_ change: (inout GenerationRequest) throws -> Void) throws -> GenerationError? {
      var request = try Self.request(0, budget: 40, .budget)
      try change(&request)
      do {
        _ = try run([request], concurrency: 1)
        return nil
      } catch let error as GenerationError { return error }
    }
    #expect(try refusal { _ in } == nil)
    let error = try refusal {
      $0.prompt = [Int32](repeating: 1, count: 17)
    }
    #expect(
      error?.description
        == "prompt 17 + thought 40 + cue 2 + answer 6 = 65 tokens; the context holds 64")
    #expect(try refusal { $0.prompt = [Int32](repeating: 1, count: 16) } == nil)
    #expect(
      try refusal { $0.maxTokens = 47 }?.description
        == "thought 40 + cue 2 + answer 6 = 48 tokens; the token limit holds 47")
    #expect(try refusal { $0.maxTokens = 48 } == nil)
    for branch in [0, 40] { #expect(try refusal { $0.branches = [branch] } != nil) }
    #expect(
      try refusal {
        $0.budget = nil
        $0.branches = [3]
      } != nil)
  }
}
