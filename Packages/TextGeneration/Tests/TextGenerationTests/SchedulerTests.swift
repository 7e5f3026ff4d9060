import KVCaches
import DecoderModels
import Testing

@testable import TextGeneration

/// When texts start, how prompts are cut, and what both leave alone: the texts.
@Suite struct SchedulerTests {
  /// One layer with one head of 16: a BF16 page of 64 tokens has 4096 bytes.
  private static let page = 4096

  /// What caches keep: a format or tiers, and an eviction if there is one.
  static let configurations: [(String, String?)] = [
    ("bf16", nil), ("f32", nil), ("bf16", "rkv:24,buffer=8,window=4"),
    ("bf16", "h2o:24,buffer=8,recent=4"), ("bf16", "streaming:24,buffer=8"),
    ("bf16:0,int8", nil), ("bf16:64,int4", nil), ("bf16:64,int8/int2", nil),
    ("bf16:64,int4", "rkv:100,buffer=40,window=4,prompt=40"),
    ("bf16:0,int8:64,int4", nil), ("bf16:0,int8:64,int4", "rkv:100,buffer=40,window=4,prompt=40"),
  ]

  static func cache(_ format: String, _ eviction: String?) throws -> KVPolicy {
    try KVPolicy(
      tiers: KVTier.list(parsing: format), eviction: eviction.map { try Eviction(parsing: $0) })
  }

  /// Requests with prompts of 1 to 150 tokens; some share theirs, some think and branch.
  private static func requests(_ count: Int = 18) throws -> [GenerationRequest] {
    try (0..<count).map { index in
      var request = try BatchGeneratorTests.request(index, maxTokens: 60)
      let length = [3, 150, 70, 1, 129, 64][index / 2 % 6]
      request.prompt = (0..<length).map { Int32(($0 * 7 + index / 2) % 40) }
      if index % 3 == 0 {
        request.tags = ThinkingTags(open: 4, close: BudgetedGenerationTests.thinkEnd)
        request.budget = try ThinkingBudget(
          tokens: 40, lowerBound: index % 2 == 0 ? .budget : .none,
          wait: BudgetedGenerationTests.wait, cue: BudgetedGenerationTests.cue, answerLimit: 6)
        request.branches = [5, 17, 18]
      }
      return request
    }
  }

  /// All texts and branches by request and budget, and the most bytes held.
  private func run(
    _ requests: [GenerationRequest], _ pass: ForwardPass, kv: KVPolicy, concurrency: Int,
    kvByteBudget: Int = .max, promptTokens: Int = 64
  ) throws -> (texts: [[Int]: [Int32]], peak: Int) {
    let generator = BatchGenerator(
      pass, kv: kv, kvByteBudget: kvByteBudget, promptTokens: promptTokens,
      text: BudgetedGenerationTests.text)
    var texts: [[Int]: [Int32]] = [:]
    try generator.run(requests, concurrency: concurrency) { event in
      switch event {
      case .token: break
      case .branched(let index, let budget, let result): texts[[index, budget]] = result.tokens
      case .finished(let index, let result): texts[[index]] = result.tokens
      }
      return .goOn
    }
    #expect(generator.meter.bytes == 0)
    return (texts, generator.meter.peakBytes)
  }

  @Test(arguments: configurations, [false, true])
  func noInterleavingChangesAText(
    policy: (format: String, eviction: String?), isHybrid: Bool
  ) throws {
    let kv = try Self.cache(policy.format, policy.eviction)
    let pass = try BatchGeneratorTests.makePass(context: 256, isHybrid: isHybrid)
    let requests = try Self.requests()
    var alone: [[Int]: [Int32]] = [:]
    for (index, request) in requests.enumerated() {
      // Budgets one by one: nothing shared, nothing branched.
      for budget in request.branches {
        var short = request
        short.budget = request.budget?.shortened(to: budget)
        short.branches = []
        alone[[index, budget]] = try run([short], pass, kv: kv, concurrency: 1).texts[[0]]
      }
      var plain = request
      plain.branches = []
      alone[[index]] = try run([plain], pass, kv: kv, concurrency: 1).texts[[0]]
    }
    #expect(alone.count == 18 + 3 * 6)
    let kvByteBudget = try largestCharge(requests, pass, kv) + 2 * Self.page
    for (concurrency, promptTokens, kvByteBudget) in [
      (1, 1, Int.max), (7, 1, .max), (7, 13, .max), (18, 64, .max), (18, 1000, .max),
      (18, 5, kvByteBudget),
    ] {
      let together = try run(
        requests, pass, kv: kv, concurrency: concurrency, kvByteBudget: kvByteBudget,
        promptTokens: promptTokens)
      #expect(together.texts == alone)
      #expect(together.peak <= kvByteBudget)
    }
  }

  private func largestCharge(
    _ requests: [GenerationRequest], _ pass: ForwardPass, _ kv: KVPolicy
  ) throws -> Int {
    let forecast = KVForecast(
      shape: pass.decoder.shape.cacheShape, policy: kv, heads: pass.decoder.shape.heads.queries)
    return requests.map {
      Admission.charge($0, isShared: true, forecast: forecast, context: 256).bytes(ofTexts: 1)
    }.max() ?? 0
  }

  /// What is held never exceeds what was reserved, and a full cache meets it to the byte.
  @Test(arguments: configurations, [false, true])
  func forecastsHold(policy: (format: String, eviction: String?), isHybrid: Bool) throws {
    let (format, eviction) = policy
    let kv = try Self.cache(format, eviction)
    let pass = try BatchGeneratorTests.makePass(context: 256, isHybrid: isHybrid)
    for (index, request) in try Self.requests().enumerated() {
      var request = request
      request.stopTokens = []
      let found = try run([request], pass, kv: kv, concurrency: 1).peak
      let forecast = KVForecast(
        shape: pass.decoder.shape.cacheShape, policy: kv, heads: 2)
      let charge = Admission.charge(request, isShared: false, forecast: forecast, context: 256)
      #expect(found <= charge.own, "request \(index)")
      if !kv.isQuantized, kv.eviction == nil, request.branches.isEmpty {
        #expect(found == charge.own)
      }
    }
  }

  /// Samples of one prompt under an eviction: what is forecast for all of them is enough for all at
  /// once and never less than they hold. It is little more where replies are too short to be
  /// compressed; where they are not, compressions of all of them at a time are reckoned with.
  @Test(arguments: [
    ("rkv:64,buffer=32,window=4", 25, 1.5), ("rkv:64,buffer=32,window=4", 90, 2.5),
    ("streaming:128,buffer=16", 15, 1.5), ("streaming:128,buffer=16", 90, 2.5),
    ("h2o:64,buffer=32", 30, 1.5), ("raas:192,buffer=16", 90, 2.5),
    ("rkv:64,buffer=32,window=4,schedule=multiples", 10, 1.5),
  ])
  func samplesUnderAnEvictionHoldWhatIsForecast(
    eviction: String, reply: Int, most: Double
  ) throws {
    let kv = try Self.cache("bf16", eviction)
    let pass = try BatchGeneratorTests.makePass(context: 256)
    let requests = try (0..<8).map { sample in
      var request = try BatchGeneratorTests.request(sample, maxTokens: reply)
      request.stopTokens = []
      request.prompt = (0..<150).map { Int32($0 * 7 % 40) }
      return request
    }
    let alone = try requests.map { try run([$0], pass, kv: kv, concurrency: 1).texts[[0]] }
    let shape = pass.decoder.shape
    let forecast = KVForecast(shape: shape.cacheShape, policy: kv, heads: shape.heads.queries)
    let bytes = forecast.charge(prompt: 150, reply: reply, isShared: true).bytes(ofTexts: 8)
    let together = try run(requests, pass, kv: kv, concurrency: 8, kvByteBudget: bytes)
    #expect(requests.indices.map { together.texts[[$0]] } == alone)
    #expect(together.peak <= bytes)
    #expect(Double(bytes) <= most * Double(together.peak), "\(bytes) for \(together.peak)")
    #expect(try BatchGenerator(pass, kv: kv, kvByteBudget: bytes).fitting(requests) == 8)
  }

  @Test func nothingStartsThatCannotFinish() throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    // Prompt 130, reply 30: three pages each, two of them shared.
    let requests = try (0..<6).map { sample in
      var request = try BatchGeneratorTests.request(sample, maxTokens: 30)
      request.stopTokens = []
      request.prompt = (0..<130).map { Int32($0 % 40) }
      return request
    }
    func fitting(_ pages: Int) throws -> Int {
      try BatchGenerator(pass, kvByteBudget: pages * Self.page).fitting(requests)
    }
    // The shared pages, one more that is kept for those who wait, and one for each text.
    #expect(try fitting(4) == 1)
    #expect(try fitting(6) == 3)
    #expect(try fitting(9) == 6)
    let (texts, peak) = try run(
      requests, pass, kv: KVPolicy(), concurrency: 6, kvByteBudget: 6 * Self.page)
    #expect(texts.count == 6 && peak <= 6 * Self.page)
    #expect(
      throws: GenerationError.memoryExceeded(
        bytes: 3 * Self.page, kvByteBudget: 3 * Self.page - 1, prompt: 130, reply: 30, fits: 0)
    ) {
      try BatchGenerator(pass, kvByteBudget: 3 * Self.page - 1).fitting(requests)
    }
    // Where nobody can share the prompt, one runs after the other.
    #expect(try fitting(3) == 1)
    #expect(throws: GenerationError.self) {
      try run(requests, pass, kv: KVPolicy(), concurrency: 1, kvByteBudget: 0)
    }
  }

  @Test func aLongPromptDoesNotHoldUpOthers() throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    var requests = try (0..<3).map { try BatchGeneratorTests.request($0, maxTokens: 40) }
    for index in requests.indices { requests[index].stopTokens = [] }
    requests[0].maxTokens = 2
    requests[2].prompt = (0..<200).map { Int32($0 % 40) }
    var order: [Int] = []
    // The third starts when the first ends, and takes 20 steps for its prompt.
    try BatchGenerator(pass, promptTokens: 10).run(requests, concurrency: 2) { event in
      if case .token(let request, _) = event { order.append(request) }
      return .goOn
    }
    #expect(order.firstIndex(of: 2) == 4 + 20)
    #expect(order.count == 2 + 40 + 40)
  }

  @Test(arguments: configurations)
  func anEndInTheMiddleLeavesNoPages(format: String, eviction: String?) throws {
    let kv = try Self.cache(format, eviction)
    struct Stop: Error {}
    let pass = try BatchGeneratorTests.makePass(context: 256)
    let requests = try Self.requests()
    for moment in [1, 7, 100, 300] {
      for ending in 0..<3 {
        let generator = BatchGenerator(
          pass, kv: kv, promptTokens: 9, text: BudgetedGenerationTests.text)
        var seen = 0
        if ending == 0 {
          #expect(throws: Stop.self) {
            var run = try generator.start(requests, concurrency: 7)
            while try run.next() != nil {
              seen += 1
              if seen >= moment { throw Stop() }
            }
          }
        } else {
          try generator.run(requests, concurrency: 7) { _ in
            seen += 1
            if seen < moment { return .goOn }
            return ending == 1 ? .endAll : .endText
          }
        }
        #expect(generator.meter.bytes == 0)
      }
    }
  }
}
