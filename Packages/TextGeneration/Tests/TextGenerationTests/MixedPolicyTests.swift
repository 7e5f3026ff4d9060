import DecoderModels
import KVCaches
import Testing

@testable import TextGeneration

/// Texts whose caches are kept in ways of their own, beside one another in one batch.
@Suite struct MixedPolicyTests {
  /// All ways of the other tests, and one that tells thoughts apart.
  private static func policies() throws -> [KVPolicy] {
    try SchedulerTests.configurations.map { try SchedulerTests.cache($0.0, $0.1) }
      + [KVPolicy(parsing: "bf16:64,int8+thoughts=int8:64,int4:64")]
  }

  /// Prompts that begin alike or are equal, each under three policies or that of the batch; some
  /// texts think and branch.
  private static func requests() throws -> [GenerationRequest] {
    let policies = try policies()
    return try DecodingBatchTests.requests().enumerated().flatMap { index, request in
      (0..<3).map { step in
        var request = request
        let policy = (index * 3 + step * 5) % (policies.count + 1)
        request.kv = policy < policies.count ? policies[policy] : nil
        return request
      }
    }
  }

  private static func thinking(_ requests: [GenerationRequest]) throws -> [GenerationRequest] {
    try requests.enumerated().map { index, request in
      var request = request
      guard index % 4 == 0 else { return request }
      request.maxTokens = 60
      request.tags = ThinkingTags(open: 4, close: BudgetedGenerationTests.thinkEnd)
      request.budget = try ThinkingBudget(
        tokens: 40, lowerBound: .budget, wait: BudgetedGenerationTests.wait,
        cue: BudgetedGenerationTests.cue, answerLimit: 6)
      request.branches = [5, 18]
      return request
    }
  }

  /// All texts and branches, by request and budget, and the batch when it has run.
  private static func run(
    _ requests: [GenerationRequest], in batch: DecodingBatch
  ) throws -> (texts: [[Int]: [Int32]], batch: DecodingBatch) {
    var batch = batch
    var indices: [RequestID: Int] = [:]
    for (index, request) in requests.enumerated() { indices[try batch.submit(request)] = index }
    var texts: [[Int]: [Int32]] = [:]
    while !batch.isIdle {
      for event in try batch.step() {
        switch event {
        case .token: break
        case .branched(let id, let budget, let result):
          texts[[indices[id] ?? -1, budget]] = result.tokens
        case .finished(let id, let result): texts[[indices[id] ?? -1]] = result.tokens
        }
      }
      #expect(batch.load.heldBytes <= batch.load.reservedBytes)
    }
    return (texts, batch)
  }

  /// The texts of requests alone, each in a batch that keeps all of its caches so.
  private static func alone(
    _ requests: [GenerationRequest], _ pass: ForwardPass
  ) throws -> [[Int]: [Int32]] {
    var texts: [[Int]: [Int32]] = [:]
    for (index, request) in requests.enumerated() {
      var plain = request
      plain.kv = nil
      let batch = DecodingBatch(pass, kv: request.kv ?? .full, text: BudgetedGenerationTests.text)
      for (key, text) in try run([plain], in: batch).texts {
        texts[[index] + key.dropFirst()] = text
      }
    }
    return texts
  }

  @Test(arguments: [(false, Int?.none), (true, nil), (false, 50)])
  func eachTextIsThatOfItsPolicyAlone(isHybrid: Bool, window: Int?) throws {
    let pass = try BatchGeneratorTests.makePass(context: 320, isHybrid: isHybrid, window: window)
    let requests = try Self.thinking(Self.requests())
    let alone = try Self.alone(requests, pass)
    for (concurrency, promptTokens, kept) in [(1, 64, 1 << 20), (5, 9, 0), (42, 64, 0)] {
      let (texts, batch) = try Self.run(
        requests,
        in: DecodingBatch(
          pass,
          limits: .init(
            concurrency: concurrency, promptTokens: promptTokens, keptPromptBytes: kept),
          text: BudgetedGenerationTests.text))
      #expect(texts == alone)
      if kept == 0 { #expect(batch.meter.bytes == 0 && batch.load.reservedBytes == 0) }
    }
  }

  /// Proposals are taken back as each cache allows.
  @Test(arguments: [false, true]) func proposalsChangeNoText(isHybrid: Bool) throws {
    let pass = try BatchGeneratorTests.makePass(context: 320, isHybrid: isHybrid)
    let requests = try Self.thinking(Self.requests())
    let alone = try Self.alone(requests, pass)
    let (texts, batch) = try Self.run(
      requests,
      in: DecodingBatch(
        pass, limits: .init(concurrency: 3, promptTokens: 50),
        proposer: PromptLookup(lengths: 1...1),
        clock: SpeculationTests.StoppedClock(), text: BudgetedGenerationTests.text))
    #expect(texts == alone)
    #expect(batch.timings.proposedTokens > 0)
    #expect(batch.meter.bytes == 0 && batch.load.reservedBytes == 0)
  }

  @Test(arguments: [0, 1 << 20]) func allShareTheBytes(kept: Int) throws {
    let pass = try BatchGeneratorTests.makePass(context: 320)
    let requests = try Self.thinking(Self.requests())
    let alone = try Self.alone(requests, pass)
    let least = try SpeculationTests.leastBytes(requests, pass)
    for bytes in [least, least + (4 << 20)] {
      let (texts, batch) = try Self.run(
        requests,
        in: DecodingBatch(
          pass,
          limits: .init(
            concurrency: 12, kvByteBudget: bytes, promptTokens: 30, keptPromptBytes: kept),
          text: BudgetedGenerationTests.text))
      #expect(texts == alone)
      #expect(batch.meter.peakBytes <= bytes)
    }
  }

  /// Pages of sizes that the batch's own caches do not have lie in memory of their own, which counts.
  @Test func pagesOfOtherSizesTakeSlabs() throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    var request = try BatchGeneratorTests.request(1, maxTokens: 5)
    let bytes = 1 << 20
    var batch = DecodingBatch(pass, limits: .init(kvByteBudget: bytes))
    try batch.check(request)
    request.kv = try KVPolicy(parsing: "int4")
    let error = #expect(throws: GenerationError.self) { try batch.check(request) }
    guard case .memoryExceeded(let needed, bytes, _, _, 0)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(needed > 2 << 20)
    batch = DecodingBatch(
      pass, kv: try KVPolicy(parsing: "int4"), limits: .init(kvByteBudget: bytes))
    try batch.check(request)
  }

  @Test func promptsAreSharedUnderOnePolicyAlone() throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    for (others, shared) in [("bf16", 150), ("f32", 0), ("int4", 0), ("streaming:100", 0)] {
      for isWaiting in [true, false] {
        var batch = DecodingBatch(pass, limits: .init(concurrency: 2, keptPromptBytes: 1 << 20))
        var request = try BatchGeneratorTests.request(1, maxTokens: 5)
        request.prompt = (0..<151).map { Int32($0 % 40) }
        _ = try batch.submit(request)
        if !isWaiting { _ = try DecodingBatchTests.finish(&batch) }
        request.kv = try KVPolicy(parsing: others)
        let id = try batch.submit(request)
        let found = try #require(try DecodingBatchTests.finish(&batch)[id]).sharedPromptTokens
        // Two that wait share all of the prompt and its logits.
        #expect(found == (isWaiting && shared > 0 ? 151 : shared), "\(others) \(isWaiting)")
      }
    }
  }

  /// What a request asks for and the model cannot have is refused before anything is run.
  @Test func whatTheModelCannotHaveIsRefused() throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    var batch = DecodingBatch(pass)
    var request = try BatchGeneratorTests.request(1, maxTokens: 5)
    let id = try batch.submit(request)
    request.kv = try KVPolicy(parsing: "L3=int8")
    let error = #expect(throws: GenerationError.self) { try batch.submit(request) }
    guard case .cache(.invalidFormat(text: "bf16+L3=int8", _))? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(try DecodingBatchTests.finish(&batch)[id] != nil)
  }
}
