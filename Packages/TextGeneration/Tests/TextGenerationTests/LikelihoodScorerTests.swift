import DecoderModels
import Foundation
import Testing

@testable import KVCaches
@testable import Tensors
@testable import TextGeneration

/// Texts that begin alike, scored together.
@Suite struct LikelihoodScorerTests {
  /// Groups whose texts share beginnings of several lengths, with ends of one token and of many.
  static func groups() -> [[ScoredText]] {
    (0..<9).map { group in
      let common = (0..<[0, 5, 64, 70, 128, 131, 64, 1, 90][group]).map { Int32(($0 * 7) % 40) }
      let own = (0..<group % 3).map { Int32(($0 * 5 + group) % 40) }
      return (0..<4).map { text in
        // The fourth text of a group leaves the others before their scored ends.
        let context = common + own + (text == 3 ? [Int32(group)] : []) + [3]
        let end = (0..<[1, 2, 40, 3][text]).map { Int32(($0 * 11 + text) % 40) }
        return ScoredText(tokens: context + end, start: context.count)
      }
    }
  }

  @Test(arguments: ["bf16", "f32", "bf16:0,int8", "bf16:64,int4"], [false, true])
  func batchesChangeNoBit(format: String, isHybrid: Bool) throws {
    let kv = try SchedulerTests.cache(format, nil)
    let pass = try BatchGeneratorTests.makePass(context: 256, isHybrid: isHybrid)
    let groups = Self.groups()
    let alone = try groups.map { group in
      try group.map { text in
        var scorer = try LikelihoodScorer(pass, kv: kv)
        return try #require(scorer.score([[text]]).first?.first)
      }
    }
    for size in [1, 2, 9] {
      var scorer = try LikelihoodScorer(pass, kv: kv)
      var found: [[TextLikelihood]] = []
      for start in stride(from: 0, to: groups.count, by: size) {
        found += try scorer.score(Array(groups[start..<min(start + size, groups.count)]))
      }
      #expect(found == alone, "\(size) groups together")
    }
  }

  @Test func sumsAreThoseOfTheLogprobs() throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    var scorer = try LikelihoodScorer(pass)
    let groups = Self.groups()
    for (group, scores) in zip(groups, try scorer.score(groups)) {
      for (text, score) in zip(group, scores) {
        let end = Array(text.tokens[text.start...])
        let logprobs = try pass.logprobs(of: end, after: Array(text.tokens[..<text.start]), top: 1)
        let sum = logprobs.reduce(0) { $0 + $1.chosen.logprob }
        #expect(score.logprob == sum)
        #expect(score.tokens == end.count)
        #expect(score.isGreedy == logprobs.allSatisfy { $0.chosen.logprob == $0.top[0].logprob })
      }
    }
  }

  @Test func statesAreWhatTheHeadMultiplies() throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    let tokens = (0..<150).map { Int32(($0 * 7) % 40) }
    let (states, width) = (try pass.states(of: tokens), pass.decoder.shape.hiddenSize)
    #expect(states.count == tokens.count * width && states.allSatisfy(\.isFinite))
    // A text's beginning has the same states, and equal states give equal logits.
    #expect(try pass.states(of: Array(tokens.prefix(70))) == Array(states.prefix(70 * width)))
    var text = try TextLogits(pass, of: tokens)
    try text.skip(149)
    let logits = try text.next()
    let (head, pool) = (pass.decoder.head, try ThreadPool(workers: 1))
    var found = [Float](repeating: 0, count: head.outFeatures)
    states.suffix(width).withUnsafeBufferPointer { row in
      found.withUnsafeMutableBufferPointer { output in
        guard let row = row.baseAddress, let output = output.baseAddress else { return }
        head.multiply(row, tokens: 1, into: output, on: pool)
      }
    }
    #expect(zip(found, logits).allSatisfy { abs($0 - $1) < 1e-4 })
    #expect(throws: GenerationError.self) {
      try pass.states(of: Array(repeating: 1, count: 257))
    }
  }

  @Test func whatIsSharedIsRunOnce() throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    let context = (0..<100).map { Int32($0 % 40) }
    let texts = (0..<4).map { ScoredText(tokens: context + [Int32($0), 1, 2], start: 100) }
    var scorer = try LikelihoodScorer(pass)
    _ = try scorer.score([texts])
    #expect(scorer.timings.tokens == 100 + 4 * 2)
    // The next group begins alike: all but the row that its first tokens need is there.
    _ = try scorer.score([texts])
    #expect(scorer.timings.tokens == 2 * (100 + 4 * 2) - 99)
  }

  /// Ends have caches only while they are run, in memory that others leave.
  @Test func manyEndsTakeTheMemoryOfFew() throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    let context = (0..<100).map { Int32($0 % 40) }
    let texts = (0..<100).map { text in
      ScoredText(
        tokens: context + (0..<30).map { Int32(($0 * text) % 40) } + [1], start: 100)
    }
    var scorer = try LikelihoodScorer(pass)
    let scores = try scorer.score([texts])
    #expect(scores[0].allSatisfy { $0.tokens == 31 })
    // Three pages that are shared or were, and two for each end of a chunk.
    let page = 4096
    #expect(scorer.meter.peakBytes <= (3 + 2 * (256 / 30)) * page)
    let memory = scorer.meter.memory.slabsWithRoom
    _ = try scorer.score([texts])
    #expect(scorer.meter.memory.slabsWithRoom == memory)
  }

  @Test(arguments: [(nil, [9]), (0, Array(0...9)), (6, [6, 7, 8, 9]), (20, [9])])
  func onlyRowsThatAreAskedForGetLogits(from: Int?, expected: [Int]) throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    var caches = [try pass.makeCache(meter: KVMeter())]
    let run = TokenRun(cache: 0, tokens: Array(0..<10), endsPrompt: false, rowsFrom: from)
    var rows: [Int] = []
    try pass.run([run], caches: &caches, rows: .last) { _, token, _ in rows.append(token) }
    #expect(rows == expected)
  }

  @Test func whatCannotBeScoredIsRefused() throws {
    let pass = try BatchGeneratorTests.makePass(context: 64)
    let scorer = try LikelihoodScorer(pass)
    func error(_ count: Int, _ start: Int) -> GenerationError? {
      #expect(throws: GenerationError.self) {
        try scorer.fitting(
          [[ScoredText(tokens: (0..<count).map { Int32($0 % 40) }, start: start)]], wanted: 1)
      }
    }
    #expect(error(4, 0) == .emptyPrompt)
    #expect(error(66, 3) == .promptTooLong(tokens: 66, context: 64))
    #expect(error(4, 4) != nil)
    #expect(
      try scorer.fitting(
        [[ScoredText(tokens: [Int32](repeating: 1, count: 65), start: 60)]], wanted: 1)
        == 1)
    let small = try LikelihoodScorer(pass, kvByteBudget: 1)
    #expect(throws: GenerationError.self) {
      try small.fitting([[ScoredText(tokens: [1, 2], start: 1)]], wanted: 1)
    }
    let evicting = try SchedulerTests.cache("bf16", "h2o:24,buffer=8,recent=4")
    let apart = try KVPolicy(parsing: "int8+thoughts=int8:64,int4:64")
    for kv in [evicting, apart] {
      #expect(throws: GenerationError.self) { try LikelihoodScorer(pass, kv: kv) }
    }
  }

  @Test(arguments: [1, 15, 16, 17, 40, 1000])
  func sumsOfExponentialsAreExactToTheirLastBits(count: Int) {
    let logits = (0..<count).map { Float(sin(Double($0) * 12.9898) * 30) }
    let expected = log(logits.reduce(0) { $0 + exp(Double($1)) })
    logits.withUnsafeBufferPointer { logits in
      let largest = LogSumExp.largest(of: logits)
      #expect(largest == logits.max())
      #expect(abs(LogSumExp.of(logits, largest: largest) - expected) < 1e-6)
    }
    // What is impossible, or as good as, adds nothing.
    let ruledOut = logits + [-.infinity, -3e38, (logits.max() ?? 0) - 100]
    ruledOut.withUnsafeBufferPointer { logits in
      #expect(abs(LogSumExp.of(logits, largest: LogSumExp.largest(of: logits)) - expected) < 1e-6)
    }
    for broken in [Float.nan, .infinity] {
      let logits = logits.dropLast() + [broken]
      Array(logits).withUnsafeBufferPointer { logits in
        #expect(!LogSumExp.of(logits, largest: LogSumExp.largest(of: logits)).isFinite)
      }
    }
  }
}
