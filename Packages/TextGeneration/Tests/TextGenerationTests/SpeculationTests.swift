import DecoderModels
import KVCaches
import Testing

@testable import TextGeneration

/// Tokens that are proposed, by whatever, and what they leave alone: the texts.
@Suite struct SpeculationTests {
  /// A clock that stands still: no step takes any time, so that every proposal pays.
  struct StoppedClock: Clock {
    struct Instant: InstantProtocol {
      func advanced(by duration: Duration) -> Instant { self }
      func duration(to other: Instant) -> Duration { .zero }
      static func < (one: Instant, other: Instant) -> Bool { false }
    }
    var now: Instant { Instant() }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {}
  }

  /// A proposer that knows the text, and one that errs at every third place.
  struct Oracle: Proposer {
    let texts: [[Int32]]
    let errs: Bool
    func propose(for requests: [ProposalRequest], meter: KVMeter) -> [[Int32]] {
      requests.map { request in
        let tokens = request.tokens
        guard let text = texts.first(where: { $0.starts(with: tokens) }) else { return [] }
        return text.dropFirst(tokens.count).prefix(request.most).enumerated().map {
          errs && (tokens.count + $0) % 3 == 0 ? ($1 + 1) % 40 : $1
        }
      }
    }
  }

  /// Texts of which some think, branch and are forced, and two begin alike.
  private static func requests() throws -> [GenerationRequest] {
    var requests = try DecodingBatchTests.requests(6)
    requests.append(requests[1])
    requests[6].random = RandomStream(seed: 4, sample: 9)
    var penalties = Penalties()
    penalties.repetition = 1.2
    penalties.presence = 0.1
    requests[5].sampling = try SamplingOptions(temperature: 0.8, penalties: penalties)
    for index in requests.indices where index % 2 == 0 {
      requests[index].maxTokens = 70
      requests[index].tags = ThinkingTags(open: 4, close: BudgetedGenerationTests.thinkEnd)
      requests[index].budget = try ThinkingBudget(
        tokens: 40, lowerBound: index % 4 == 0 ? .budget : .none,
        wait: BudgetedGenerationTests.wait, cue: BudgetedGenerationTests.cue, answerLimit: 6)
      requests[index].branches = [5, 17, 18]
    }
    return requests
  }

  /// All texts and branches, by request and budget.
  private func texts(
    _ requests: [GenerationRequest], _ pass: ForwardPass, _ kv: KVPolicy,
    _ proposer: (any Proposer)?, concurrency: Int = 2, kvByteBudget: Int = .max
  ) throws -> (texts: [String: [Int32]], timings: GenerationTimings) {
    var batch = DecodingBatch(
      pass, kv: kv,
      limits: .init(concurrency: concurrency, kvByteBudget: kvByteBudget, promptTokens: 50),
      proposer: proposer, clock: StoppedClock(), text: BudgetedGenerationTests.text)
    let ids = try requests.map { try batch.submit($0) }
    var texts: [String: [Int32]] = [:]
    while !batch.isIdle {
      for event in try batch.step() {
        switch event {
        case .token: break
        case .branched(let id, let budget, let result):
          texts["\(ids.firstIndex(of: id) ?? -1) \(budget)"] = result.tokens
        case .finished(let id, let result):
          texts["\(ids.firstIndex(of: id) ?? -1)"] = result.tokens
        }
      }
      #expect(batch.load.heldBytes <= batch.load.reservedBytes)
    }
    #expect(batch.meter.bytes == 0 && batch.load.reservedBytes == 0)
    #expect(batch.meter.peakBytes <= kvByteBudget)
    return (texts, batch.timings)
  }

  /// The bytes in which each request can run alone.
  static func leastBytes(
    _ requests: [GenerationRequest], _ pass: ForwardPass, _ kv: KVPolicy = .full,
    _ proposer: (any Proposer)? = nil
  ) throws -> Int {
    let batch = DecodingBatch(pass, kv: kv, limits: .init(kvByteBudget: 0), proposer: proposer)
    var most = 0
    for request in requests {
      do throws(GenerationError) {
        try batch.check(request)
      } catch {
        guard case .memoryExceeded(let bytes, _, _, _, _) = error else { throw error }
        most = max(most, bytes)
      }
    }
    return most
  }

  @Test(arguments: SchedulerTests.configurations + [("bf16:0,int4", nil)])
  func proposalsChangeNoText(format: String, eviction: String?) throws {
    let kv = try SchedulerTests.cache(format, eviction)
    let pass = try BatchGeneratorTests.makePass(context: 256)
    let requests = try Self.requests()
    let plain = try texts(requests, pass, kv, nil).texts
    let whole = requests.indices.map { requests[$0].prompt + (plain["\($0)"] ?? []) }
    for proposer in [
      PromptLookup(), PromptLookup(lengths: 1...1), Oracle(texts: whole, errs: false),
      Oracle(texts: whole, errs: true),
    ] as [any Proposer] {
      let (found, timings) = try texts(requests, pass, kv, proposer)
      #expect(found == plain)
      if proposer is Oracle { #expect(timings.acceptedTokens > 50) }
      let bytes = try Self.leastBytes(requests, pass, kv, proposer)
      #expect(
        try texts(requests, pass, kv, proposer, concurrency: 3, kvByteBudget: bytes).texts == plain)
    }
  }

  /// The model itself as its draft is always right where its caches are alike; another one errs.
  @Test(arguments: [("bf16", nil), ("bf16:0,int8", nil), ("bf16", "rkv:24,buffer=8,window=4")])
  func draftsChangeNoText(format: String, eviction: String?) throws {
    let kv = try SchedulerTests.cache(format, eviction)
    let pass = try BatchGeneratorTests.makePass(context: 256)
    let requests = try Self.requests()
    let plain = try texts(requests, pass, kv, nil).texts
    for other in [
      pass, try BatchGeneratorTests.makePass(context: 256, window: 50),
      try BatchGeneratorTests.makePass(context: 100),
    ] {
      let draft = try DraftModel(other, for: pass.decoder)
      for concurrency in [1, 3] {
        let (found, timings) = try texts(requests, pass, kv, draft, concurrency: concurrency)
        #expect(found == plain)
        #expect(timings.proposedTokens > 0)
      }
    }
  }

  /// Pages are told apart where they would be for each text and branch alone, whatever runs beside
  /// it, is proposed, and however little memory there is.
  @Test func thoughtsThatAreToldApartChangeNoText() throws {
    let kv = try KVPolicy(parsing: "bf16:0,int8+thoughts=int8:64,int2:64")
    let pass = try BatchGeneratorTests.makePass(context: 300)
    var requests = try DecodingBatchTests.requests(2)
    requests.append(requests[0])
    requests[2].random = RandomStream(seed: 4, sample: 9)
    for index in requests.indices {
      requests[index].stopTokens = []
      requests[index].maxTokens = 200
    }
    requests[1].tags = ThinkingTags(open: 4, close: BudgetedGenerationTests.thinkEnd)
    requests[1].budget = try ThinkingBudget(
      tokens: 170, lowerBound: .budget, wait: BudgetedGenerationTests.wait,
      cue: BudgetedGenerationTests.cue, answerLimit: 6)
    requests[1].branches = [40, 140, 150]
    let plain = try texts(requests, pass, kv, nil, concurrency: 1).texts
    #expect(try texts(requests, pass, KVPolicy(parsing: "bf16:0,int8"), nil).texts != plain)
    let whole = requests.indices.map { requests[$0].prompt + (plain["\($0)"] ?? []) }
    for proposer in [nil, Oracle(texts: whole, errs: true)] {
      let found = try texts(requests, pass, kv, proposer, concurrency: 2)
      #expect(found.texts == plain)
      if proposer != nil { #expect(found.timings.acceptedTokens > 50) }
      let bytes = try Self.leastBytes(requests, pass, kv, proposer ?? PromptLookup())
      #expect(
        try texts(requests, pass, kv, proposer, concurrency: 3, kvByteBudget: bytes).texts == plain)
    }
  }

  /// Of a text that nothing ends or changes the model itself, as its own draft, guesses every token.
  @Test func theModelAgreesWithItself() throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    var requests = try DecodingBatchTests.requests(6)
    for index in requests.indices { requests[index].stopTokens = [] }
    for concurrency in [1, 3] {
      let draft = try DraftModel(pass, for: pass.decoder)
      let timings = try texts(requests, pass, .full, draft, concurrency: concurrency).timings
      #expect(timings.proposedTokens > 100)
      #expect(timings.acceptedTokens == timings.proposedTokens)
    }
  }

  /// What the draft holds counts in what starts.
  @Test func draftsStayWithinTheBytes() throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    let requests = try Self.requests()
    let plain = try texts(requests, pass, .full, nil).texts
    let draft = try DraftModel(pass, for: pass.decoder)
    let bytes = try Self.leastBytes(requests, pass, .full, draft)
    #expect(
      try texts(requests, pass, .full, draft, concurrency: 3, kvByteBudget: bytes).texts == plain)
    #expect(try bytes > Self.leastBytes(requests, pass, .full, PromptLookup()))
  }

  @Test func otherTokensAndStatesAreNoDraft() throws {
    let pass = try BatchGeneratorTests.makePass()
    let hybrid = try BatchGeneratorTests.makePass(isHybrid: true)
    #expect(throws: GenerationError.self) { try DraftModel(hybrid, for: pass.decoder) }
    let small = try BatchGeneratorTests.makePass(vocabulary: 39)
    #expect(throws: GenerationError.self) { try DraftModel(small, for: pass.decoder) }
    _ = try DraftModel(small, for: pass.decoder, tokenLimit: 39)
  }

  /// What cannot be cut back is kept as it was, and run again as far as it was right.
  @Test(arguments: [nil, "rkv:24,buffer=8,window=4"])
  func statesThatCannotBeCutBackAreKept(eviction: String?) throws {
    let kv = try SchedulerTests.cache("bf16", eviction)
    let pass = try BatchGeneratorTests.makePass(context: 256, isHybrid: true)
    let draft = try DraftModel(
      BatchGeneratorTests.makePass(context: 256), for: pass.decoder)
    let requests = try Self.requests()
    let plain = try texts(requests, pass, kv, nil).texts
    let whole = requests.indices.map { requests[$0].prompt + (plain["\($0)"] ?? []) }
    // In as many bytes as the largest takes alone.
    let bytes = try Self.leastBytes(requests, pass, kv, Oracle(texts: whole, errs: true))
    let tight = try texts(
      requests, pass, kv, Oracle(texts: whole, errs: true), concurrency: 3, kvByteBudget: bytes)
    #expect(tight.texts == plain)
    for (proposer, concurrency) in [
      (PromptLookup(lengths: 1...1), 1), (Oracle(texts: whole, errs: false), 1),
      (Oracle(texts: whole, errs: true), 3), (draft, 2),
    ] as [(any Proposer, Int)] {
      let (found, timings) = try texts(requests, pass, kv, proposer, concurrency: concurrency)
      #expect(found == plain)
      if proposer is Oracle { #expect(timings.acceptedTokens > 50) }
    }
  }

  @Test func theLatestPlaceIsProposed() {
    let lookup = PromptLookup(lengths: 2...3)
    #expect(lookup.propose(after: [1, 2, 3, 9, 1, 2, 3, 7, 2, 3], most: 2) == [7, 2])
    #expect(
      lookup.propose(after: [1, 2, 3, 9, 4, 2, 3, 7, 1, 2, 3], most: 8) == [9, 4, 2, 3, 7, 1, 2, 3])
    #expect(
      lookup.propose(after: [1, 2, 3], most: 4) == [] && lookup.propose(after: [], most: 4) == [])
    #expect(lookup.propose(after: [1, 2, 1, 2], most: 0) == [])
  }

  /// A text of so many steps in which each proposal takes `cost` of a step, drafting and verifying, and
  /// is accepted with probability `rate`; returns its speed beside one without proposals. A reading
  /// of a step's time may be off by the share `swing`, either way.
  private func speed(
    rate: Double, cost: Double, texts: Int = 1, steps: Int = 4000, swing: Double = 0
  ) -> Double {
    var ledger = SpeculationLedger()
    var accepts = AcceptRate()
    let random = RandomStream(seed: 1, sample: 0)
    let readings = RandomStream(seed: 2, sample: 0)
    var (time, tokens, draw) = (0.0, 0, 0)
    for step in 0..<steps {
      let length = ledger.length(accepts, texts: texts)
      var taken = 0
      for _ in 0..<texts {
        var accepted = 0
        while accepted < length, random.uniform(at: draw) < rate {
          accepted += 1
          draw += 1
        }
        draw += 1
        if length > 0 { accepts.take(accepted: accepted, of: length) }
        taken += 1 + accepted
      }
      let seconds = 1 + Double(length * texts) * cost
      let reading = 1 + swing * (2 * Double(readings.uniform(at: step)) - 1)
      ledger.take(
        texts: texts, tokens: taken, proposed: length * texts,
        drafting: Double(length * texts) * cost / 2, seconds: seconds * reading)
      time += seconds
      tokens += taken
    }
    return Double(tokens) / Double(texts) / time
  }

  @Test(arguments: [0.02, 0.1, 0.3, 0.9], [1, 3])
  func whatHelpsNobodyCostsLittle(cost: Double, texts: Int) {
    for rate in [0, 0.05, 0.2] {
      for swing in [0, 0.1, 0.3] {
        #expect(speed(rate: rate, cost: cost / Double(texts), texts: texts, swing: swing) > 0.97)
      }
    }
    // A short text does not pay for finding out either.
    #expect(speed(rate: 0, cost: cost / Double(texts), texts: texts, steps: 100) > 0.97)
  }

  /// Steps that seem to take the same with proposals and without, of which none is accepted.
  @Test func proposalsThatSeemFreeEnd() {
    var ledger = SpeculationLedger()
    var accepts = AcceptRate()
    var proposed = 0
    for _ in 0..<64 {
      let length = ledger.length(accepts, texts: 1)
      if length > 0 { accepts.take(accepted: 0, of: length) }
      ledger.take(texts: 1, tokens: 1, proposed: length, drafting: 0, seconds: 1)
      proposed += length
    }
    #expect(proposed > 0 && proposed < 50)
  }

  @Test func whatIsAcceptedComesFaster() {
    #expect(speed(rate: 0.7, cost: 0.1) > 1.8)
    #expect(speed(rate: 0.95, cost: 0.05) > 5)
    #expect(speed(rate: 0.7, cost: 0.25) > 1.25)
    #expect(speed(rate: 0.7, cost: 0.1, swing: 0.2) > 1.8)
  }

  @Test func theLengthFollowsTheRate() {
    var rate = AcceptRate()
    for _ in 0..<30 { rate.take(accepted: 7, of: 7) }
    #expect(rate.bestLength(cost: 0.05) > 10 && rate.bestLength(cost: 0) == AcceptRate.longest)
    for _ in 0..<30 { rate.take(accepted: 0, of: 4) }
    #expect(rate.bestLength(cost: 0.1) == 0)
  }
}
