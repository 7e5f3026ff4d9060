import DecoderModels
import Synchronization
import Testing

@testable import KVCaches
@testable import Tensors
@testable import TextGeneration

/// A batch whose requests come and go, and whose prompts begin alike.
@Suite struct DecodingBatchTests {
  /// A clock that moves on by a second each time it is asked.
  struct CountingClock: Clock {
    struct Instant: InstantProtocol {
      let offset: Duration
      func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
      func duration(to other: Instant) -> Duration { other.offset - offset }
      static func < (one: Instant, other: Instant) -> Bool { one.offset < other.offset }
    }
    final class Ticks: Sendable { let count = Atomic<Int>(0) }
    let ticks = Ticks()
    var now: Instant {
      Instant(offset: .seconds(ticks.count.add(1, ordering: .relaxed).newValue))
    }
    var minimumResolution: Duration { .seconds(1) }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {}
  }

  /// Prompts of which many begin alike, for 1, 2 or 3 pages, and some are equal.
  static func requests(_ count: Int = 14) throws -> [GenerationRequest] {
    try (0..<count).map { index in
      var request = try BatchGeneratorTests.request(index, maxTokens: 40)
      let common = [0, 70, 128, 200, 130, 200, 64][index % 7]
      request.prompt = (0..<common).map { Int32(($0 * 7) % 40) }
      if index % 4 != 3 { request.prompt += (0...index).map { Int32(($0 * 3 + index) % 40) } }
      return request.prompt.isEmpty ? try BatchGeneratorTests.request(index) : request
    }
  }

  static func alone(
    _ requests: [GenerationRequest], _ pass: ForwardPass, _ kv: KVPolicy
  ) throws -> [[Int32]] {
    try requests.map { request in
      var batch = DecodingBatch(pass, kv: kv)
      let id = try batch.submit(request)
      return try #require(finish(&batch)[id]).tokens
    }
  }

  /// Runs to the end; what is held never exceeds what is reserved.
  static func finish(_ batch: inout DecodingBatch) throws -> [RequestID: GenerationResult] {
    var results: [RequestID: GenerationResult] = [:]
    while !batch.isIdle {
      for case .finished(let id, let result) in try batch.step() { results[id] = result }
      #expect(batch.load.heldBytes <= batch.load.reservedBytes)
    }
    return results
  }

  @Test(arguments: SchedulerTests.configurations, [false, true])
  func sharedBeginningsChangeNoText(policy: (String, String?), isHybrid: Bool) throws {
    let (format, eviction) = policy
    let kv = try SchedulerTests.cache(format, eviction)
    let pass = try BatchGeneratorTests.makePass(context: 256, isHybrid: isHybrid)
    let requests = try Self.requests()
    let alone = try Self.alone(requests, pass, kv)
    let all = requests.reduce(0) { $0 + $1.prompt.count }
    for (concurrency, promptTokens, kept) in [(1, 64, 0), (1, 64, 1 << 20), (5, 9, 0), (14, 64, 0)]
    {
      var batch = DecodingBatch(
        pass, kv: kv,
        limits: .init(
          concurrency: concurrency, promptTokens: promptTokens, keptPromptBytes: kept))
      let ids = try requests.map { try batch.submit($0) }
      let results = try Self.finish(&batch)
      #expect(ids.map { results[$0]?.tokens } == alone)
      let run = batch.timings.promptTokens
      if eviction == nil, !isHybrid, format == "bf16" || format == "f32" {
        #expect(run < all * 3 / 4, "\(run) of \(all)")
      } else {
        #expect(run <= all)
      }
      if kept == 0 { #expect(batch.meter.bytes == 0 && batch.load.reservedBytes == 0) }
    }
  }

  /// A layer with a window lets go of pages that others still share.
  @Test(arguments: SchedulerTests.configurations)
  func windowsChangeNoText(format: String, eviction: String?) throws {
    let kv = try SchedulerTests.cache(format, eviction)
    let pass = try BatchGeneratorTests.makePass(context: 256, window: 50)
    let requests = try Self.requests()
    let alone = try Self.alone(requests, pass, kv)
    for (concurrency, promptTokens, kept) in [(1, 64, 1 << 20), (5, 9, 0), (14, 64, 0)] {
      var batch = DecodingBatch(
        pass, kv: kv,
        limits: .init(
          concurrency: concurrency, promptTokens: promptTokens, keptPromptBytes: kept))
      let ids = try requests.map { try batch.submit($0) }
      let results = try Self.finish(&batch)
      #expect(ids.map { results[$0]?.tokens } == alone)
      if kept == 0 { #expect(batch.meter.bytes == 0 && batch.load.reservedBytes == 0) }
    }
  }

  /// Requests come between steps, some are ended, and a bound on the bytes is kept.
  @Test(arguments: SchedulerTests.configurations, [false, true])
  func requestsComeAndGo(policy: (format: String, eviction: String?), isHybrid: Bool) throws {
    let kv = try SchedulerTests.cache(policy.format, policy.eviction)
    let pass = try BatchGeneratorTests.makePass(context: 256, isHybrid: isHybrid)
    let requests = try Self.requests()
    let alone = try Self.alone(requests, pass, kv)
    let forecast = KVForecast(
      shape: pass.decoder.shape.cacheShape, policy: kv, heads: pass.decoder.shape.heads.queries)
    let most =
      requests.map {
        Admission.charge($0, isShared: true, forecast: forecast, context: 256).bytes(ofTexts: 1)
      }.max() ?? 0
    let runs: [(ended: Set<Int>, bytes: Int, gap: Int)] = [
      ([], .max, 3), ([], most, 5), ([0, 3, 5], most * 2, 1), ([0, 3, 5], .max, 3),
      ([1, 2, 4, 9, 11], most * 3, 0), ([1, 2, 4, 9, 11], most, 5),
    ]
    for (ended, bytes, gap) in runs {
      var batch = DecodingBatch(
        pass, kv: kv, limits: .init(concurrency: 6, kvByteBudget: bytes, promptTokens: 11))
      var ids: [RequestID] = []
      var results: [RequestID: GenerationResult] = [:]
      for (index, request) in requests.enumerated() {
        ids.append(try batch.submit(request))
        for _ in 0..<gap {
          for case .finished(let id, let result) in try batch.step() { results[id] = result }
        }
        // In the middle of its prompt, of its text, or of its waiting.
        for other in ended where other + 1 == index {
          #expect(batch.cancel(ids[other])?.finishReason ?? .cancelled == .cancelled)
        }
      }
      results.merge(try Self.finish(&batch)) { $1 }
      for index in requests.indices where !ended.contains(index) {
        #expect(results[ids[index]]?.tokens == alone[index], "request \(index)")
      }
      #expect(batch.meter.bytes == 0 && batch.load.reservedBytes == 0)
      #expect(batch.meter.peakBytes <= bytes)
    }
  }

  @Test func aPromptThatIsKeptServesALaterRequest() throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    var batch = DecodingBatch(pass, limits: .init(keptPromptBytes: 1 << 16))
    var request = try BatchGeneratorTests.request(1, maxTokens: 5)
    request.prompt = (0..<150).map { Int32($0 % 40) }
    _ = try batch.submit(request)
    _ = try Self.finish(&batch)
    #expect(batch.load.reservedBytes == batch.load.heldBytes && batch.meter.bytes == 3 * 4096)
    request.prompt = (0..<140).map { Int32($0 % 40) } + [3, 3]
    let alone = try Self.alone([request], pass, .full)
    let before = batch.timings.promptTokens
    let id = try batch.submit(request)
    #expect(try Self.finish(&batch)[id]?.tokens == alone[0])
    // All that both begin with is shared, not its full pages alone.
    #expect(batch.timings.promptTokens - before == 142 - 140)
  }

  /// Texts of one prompt that run together go different ways; each of them is kept for who goes on with it.
  @Test(arguments: ["bf16", "bf16:0,int8"], [1, 3])
  func everyTextOfAPromptIsKept(format: String, concurrency: Int) throws {
    let kv = try SchedulerTests.cache(format, nil)
    let pass = try BatchGeneratorTests.makePass(context: 512)
    var batch = DecodingBatch(
      pass, kv: kv, limits: .init(concurrency: concurrency, keptPromptBytes: 1 << 20))
    var request = try BatchGeneratorTests.request(1, maxTokens: 130)
    request.stopTokens = []
    request.prompt = (0..<150).map { Int32(($0 * 7) % 40) }
    let ids = try (UInt64(0)..<3).map { sample in
      request.random = RandomStream(seed: 3, sample: sample)
      return try batch.submit(request)
    }
    let results = try Self.finish(&batch)
    let replies = try ids.map { try #require(results[$0]).tokens }
    #expect(Set(replies).count == 3)
    let prompt = request.prompt
    request.maxTokens = 5
    for reply in replies {
      request.prompt = prompt + reply + [3, 5]
      let alone = try Self.alone([request], pass, kv)
      let id = try batch.submit(request)
      let result = try #require(try Self.finish(&batch)[id])
      #expect(result.tokens == alone[0])
      // All but the last token of the reply is held; of codes what fills pages.
      #expect(result.sharedPromptTokens == (kv.isQuantized ? 256 : 279))
    }
  }

  /// Of many texts of one prompt one is kept; its pages move together, and serve as before.
  @Test func whatIsKeptOfManyTextsTakesLittleMemory() throws {
    let pass = try BatchGeneratorTests.makePass(context: 1024)
    var batch = DecodingBatch(pass, limits: .init(concurrency: 64, keptPromptBytes: 1 << 20))
    var request = try BatchGeneratorTests.request(1, maxTokens: 600)
    request.stopTokens = []
    let ids = try (0..<64).map { _ in try batch.submit(request) }
    let results = try Self.finish(&batch)
    #expect(batch.meter.bytes == 10 * 4096 && batch.meter.memory.slabsWithRoom == 2)
    batch.rest()
    #expect(batch.meter.memory.slabsWithRoom == 2)
    batch.rest(worth: 2 << 20)
    #expect(batch.meter.bytes == 10 * 4096 && batch.meter.memory.slabsWithRoom == 1)
    request.prompt += try #require(results[ids[0]]).tokens.prefix(500)
    request.maxTokens = 5
    let alone = try Self.alone([request], pass, .full)
    let before = batch.timings.promptTokens
    let id = try batch.submit(request)
    #expect(try Self.finish(&batch)[id]?.tokens == alone[0])
    #expect(batch.timings.promptTokens - before < 3)
  }

  @Test func theClockIsTheCallers() throws {
    let pass = try BatchGeneratorTests.makePass()
    var batch = DecodingBatch(pass, clock: CountingClock())
    var request = try BatchGeneratorTests.request(1, maxTokens: 4)
    request.stopTokens = []
    let id = try batch.submit(request)
    let result = try #require(try Self.finish(&batch)[id])
    // Each step asks for the time when it starts and when it has run; a start and an end ask once
    // more.
    #expect(result.seconds == 9)
    #expect(batch.timings.promptSeconds == 1 && batch.timings.generationSeconds == 3)
  }
}
