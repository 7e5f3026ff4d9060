import KVCaches
import Tensors
import Testing

@testable import DecoderModels

@Suite struct ForwardPassTests {
  static let prompts: [[Int32]] = [
    (0..<90).map { Int32($0 * 7 % 131) }, [5], (0..<33).map { Int32($0 * 11 % 131) },
    (0..<150).map { Int32($0 * 13 % 131) },
  ]

  /// Logits of all positions of the given prompts, run together in pieces of `piece` tokens.
  func logits(
    _ prompts: [[Int32]], bits: Int?, numerics: Numerics = .exact, piece: Int, threads: Int,
    format: KVFormat = .bf16, kind: TinyDecoder.Kind = .dense
  ) throws -> [[Float]] {
    let pass = ForwardPass(
      try TinyDecoder.make(kind, bits: bits), pool: try ThreadPool(workers: threads),
      numerics: numerics)
    let meter = KVMeter()
    var caches = try prompts.map { _ in
      try pass.makeCache(KVPolicy(format: format), meter: meter)
    }
    var result = [[Float]](repeating: [], count: prompts.count)
    let longest = prompts.map(\.count).max() ?? 0
    for start in stride(from: 0, to: longest, by: piece) {
      let runs = prompts.enumerated().compactMap { index, prompt -> TokenRun? in
        guard start < prompt.count else { return nil }
        return TokenRun(
          cache: index, tokens: Array(prompt[start..<min(start + piece, prompt.count)]))
      }
      try pass.run(runs, caches: &caches, rows: .all) { run, _, logits in
        result[runs[run].cache].append(contentsOf: logits)
      }
    }
    return result
  }

  @Test(
    arguments: [
      (nil, Numerics.exact), (16, .exact), (8, .exact), (4, .exact), (8, .int8), (4, .int8),
      (16, .bf16), (8, .int16), (4, .int16),
    ], TinyDecoder.Kind.allCases)
  func aSequenceDoesNotDependOnItsBatchItsPiecesOrTheThreads(
    how: (bits: Int?, numerics: Numerics), kind: TinyDecoder.Kind
  ) throws {
    let alone = try Self.prompts.map {
      try logits(
        [$0], bits: how.bits, numerics: how.numerics, piece: $0.count, threads: 1,
        kind: kind)[0]
    }
    #expect(alone.allSatisfy { $0.allSatisfy(\.isFinite) })
    for (piece, threads) in [(1, 2), (17, 1), (64, 3), (512, 2)] {
      let together = try logits(
        Self.prompts, bits: how.bits, numerics: how.numerics, piece: piece, threads: threads,
        kind: kind)
      #expect(together == alone)
    }
  }

  /// Of the last tokens only, the last block computes less; what it appends must be the same.
  @Test(arguments: [KVFormat.bf16, .int4], [(nil, false), (64, false), (nil, true), (64, true)])
  func lastRowsAreTheLastOfAll(format: KVFormat, how: (budget: Int?, isHybrid: Bool)) throws {
    let (budget, isHybrid) = how
    let pass = ForwardPass(
      try isHybrid ? TinyDecoder.makeHybrid(bits: 8) : TinyDecoder.make(bits: 8),
      pool: try ThreadPool(workers: 2), numerics: .int8)
    let configuration = KVPolicy(
      format: format, eviction: try budget.map { try Eviction(H2O(recent: 16), budget: $0) })
    let meter = KVMeter()
    func lastLogits(_ rows: LogitRows) throws -> [[Float]] {
      var caches = try Self.prompts.map { _ in try pass.makeCache(configuration, meter: meter) }
      var found: [[Float]] = []
      // The prompts, which are longer together than what goes through at once; then a token more.
      for tokens in [Self.prompts, Self.prompts.map { _ in [7] }] {
        var last = [[Float]](repeating: [], count: tokens.count)
        let runs = tokens.enumerated().map { TokenRun(cache: $0, tokens: $1) }
        try pass.run(runs, caches: &caches, rows: rows) { run, token, logits in
          if rows == .last { #expect(token == tokens[run].count - 1) }
          last[run] = Array(logits)
        }
        found += last
      }
      return found
    }
    let all = try lastLogits(.all)
    #expect(all.allSatisfy { $0.count == 131 && $0.allSatisfy(\.isFinite) })
    #expect(try lastLogits(.last) == all)
  }

  @Test(arguments: [false, true])
  func aBranchGoesOnAsItsTrunkWould(isHybrid: Bool) throws {
    let decoder = try isHybrid ? TinyDecoder.makeHybrid(bits: 4) : TinyDecoder.make(bits: 4)
    let pass = ForwardPass(decoder, pool: try ThreadPool(workers: 1))
    var caches = [try pass.makeCache(meter: KVMeter())]
    try pass.run([TokenRun(cache: 0, tokens: Self.prompts[0])], caches: &caches, rows: .none) {
      _, _, _ in
    }
    caches.append(caches[0])
    func next(_ cache: Int, _ id: Int32) throws -> [Float] {
      var found: [Float] = []
      try pass.run([TokenRun(cache: cache, tokens: [id])], caches: &caches, rows: .last) {
        _, _, logits in found = Array(logits)
      }
      return found
    }
    let branch = try next(1, 9)
    #expect(try next(0, 9) == branch)
    #expect(try next(1, 3) != next(0, 4))
  }

  /// Branches read what they share together; a stranger is among them.
  @Test(arguments: [KVFormat.bf16, .int8, .int2], [Numerics.exact, .int8])
  func branchesGoOnTogetherAsAlone(format: KVFormat, numerics: Numerics) throws {
    let configuration = KVPolicy(format: format)
    func logits(threads: Int, together: Bool) throws -> [[Float]] {
      let pass = ForwardPass(
        try TinyDecoder.make(bits: 8), pool: try ThreadPool(workers: threads), numerics: numerics)
      let meter = KVMeter()
      var caches = try (0..<2).map { _ in try pass.makeCache(configuration, meter: meter) }
      for (index, prompt) in [Self.prompts[3], Self.prompts[0]].enumerated() {
        try pass.run([TokenRun(cache: index, tokens: prompt)], caches: &caches, rows: .none) {
          _, _, _ in
        }
      }
      caches.insert(contentsOf: [KVCache](repeating: caches[0], count: 4), at: 1)
      var found = [[Float]](repeating: [], count: caches.count)
      for step in 0..<80 {
        let runs = caches.indices.map { cache in
          TokenRun(cache: cache, tokens: [Int32((cache + 1) * (step + 5) % 131)])
        }
        for some in together ? [runs] : runs.map({ [$0] }) {
          try pass.run(some, caches: &caches, rows: .last) { run, _, logits in
            found[some[run].cache] += logits
          }
        }
      }
      return found
    }
    let alone = try logits(threads: 1, together: false)
    #expect(try logits(threads: 1, together: true) == alone)
    #expect(try logits(threads: 3, together: true) == alone)
  }

  @Test func refusesForeignTokensAndTooLongSequences() throws {
    #expect(throws: ModelError.tokenOutOfRange(id: 131, vocabulary: 131)) {
      try logits([[1, 131]], bits: nil, piece: 9, threads: 1)
    }
    #expect(throws: ModelError.tokenOutOfRange(id: -1, vocabulary: 131)) {
      try logits([[-1]], bits: nil, piece: 9, threads: 1)
    }
    #expect(throws: ModelError.contextExceeded(tokens: 401, limit: 400)) {
      try logits([[Int32](repeating: 1, count: 401)], bits: nil, piece: 999, threads: 1)
    }
  }
}
