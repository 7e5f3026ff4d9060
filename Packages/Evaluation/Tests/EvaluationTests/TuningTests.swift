import Foundation
import KVLayout
import Testing

@testable import Evaluation

@Suite struct KnapsackTests {
  /// Every choice, by trying all.
  private func all(_ groups: [[Knapsack.Option]]) -> [(cost: Int, loss: Double)] {
    groups.reduce([(0, 0.0)]) { sums, group in
      sums.flatMap { sum in group.map { (sum.0 + $0.cost, sum.1 + $0.loss) } }
    }
  }

  @Test func nothingBeatsTheFrontierAndNothingOfItIsBeaten() {
    let (costs, losses) = ([16, 9, 5, 3], [0.0, 1, 7, 60])
    let groups = (0..<5).map { group -> [Knapsack.Option] in
      let (width, weight) = (group % 2 + 1, Double((group * 7) % 5 + 1))
      return costs.indices.map {
        Knapsack.Option(cost: costs[$0] * width, loss: losses[$0] * weight)
      }
    }
    let frontier = Knapsack.frontier(groups)
    #expect(
      zip(frontier, frontier.dropFirst()).allSatisfy { $0.cost < $1.cost && $0.loss > $1.loss })
    for choice in frontier {
      let options = zip(groups, choice.options).map { $0[$1] }
      #expect(options.reduce(0) { $0 + $1.cost } == choice.cost)
      #expect(options.reduce(0) { $0 + $1.loss } == choice.loss)
    }
    for (cost, loss) in all(groups) {
      #expect(frontier.contains { $0.cost <= cost && $0.loss <= loss })
    }
  }

  @Test func noGroupsHaveNoChoice() { #expect(Knapsack.frontier([]).isEmpty) }
}

@Suite struct PairedTestTests {
  /// Differences of -1, 0 and 1 with given shares, the same at every run.
  private func differences(worse: Double, better: Double, count: Int, seed: UInt64) -> [Double] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<count).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      let draw = Double(state >> 11) / Double(1 << 53)
      return draw < worse ? -1 : draw < worse + better ? 1 : 0
    }
  }

  private func verdict(_ differences: [Double], margin: Double = 0.05) throws -> PairedTest {
    var test = try PairedTest(margin: margin)
    for difference in differences where test.verdict == .undecided { try test.add(difference) }
    return test
  }

  @Test func noDifferenceIsKeptSoon() throws {
    let test = try verdict([Double](repeating: 0, count: 400))
    #expect(test.verdict == .kept)
    #expect(test.differences.count < 100)
    #expect(test.difference?.value == 0)
  }

  @Test func aLargeLossIsFoundSoon() throws {
    let test = try verdict(differences(worse: 0.3, better: 0.02, count: 400, seed: 3))
    #expect(test.verdict == .lost)
    #expect(test.differences.count < 60)
  }

  /// At the margin itself a wrong verdict comes at most as often as the level says.
  @Test func aLossOfTheMarginIsSeldomCalledKept() throws {
    let wrong = try (1...200).count { seed in
      try verdict(
        differences(worse: 0.1, better: 0.05, count: 400, seed: UInt64(seed))
      ).verdict == .kept
    }
    #expect(wrong <= 14, "\(wrong) of 200")
  }

  @Test func whatCannotBeIsRefused() throws {
    #expect(throws: EvaluationError.self) { try PairedTest(margin: 0) }
    #expect(throws: EvaluationError.self) { try PairedTest(margin: 0.1, level: 1) }
    var test = try PairedTest(margin: 0.1)
    #expect(throws: EvaluationError.self) { try test.add(1.5) }
  }
}

@Suite struct KVPolicySearchTests {
  private let shape = KVShape(layers: 4, kvHeads: 2, headDimension: 32, fixedFloats: [0, 0, 8, 0])

  private func search(_ evictions: [String] = []) throws -> KVPolicySearch {
    try KVPolicySearch(
      shape: shape, heads: 4, texts: [(300, 60), (200, 60)], residuals: [64, 0],
      evictions: evictions)
  }

  @Test func probesChangeOneHalfOfOneLayer() throws {
    let probes = try search().probes()
    #expect(probes.count == 3 * 2 * 3)
    #expect(probes.allSatisfy { $0.exceptions.count == 1 && $0.exceptions[2] == nil })
    #expect("\(probes[0])" == "bf16+L0=bf16:0,int8/bf16")
    for probe in probes { try probe.check(shape) }
  }

  /// Where one layer's keys alone are sensitive, they keep their bits the longest.
  @Test func mixturesSpendBitsWhereTheyAreMissed() throws {
    let search = try search()
    var losses: [String: Double] = [:]
    for probe in try search.probes() {
      let bits = Double(probe.fewestBits)
      let tier = try #require(probe.exceptions.values.first?.last)
      let isSensitive = probe.exceptions[1] != nil && tier.keys.isQuantized
      losses["\(probe)"] = (isSensitive ? 100 : 1) * pow(2, -bits)
    }
    let candidates = try search.candidates(losses)
    #expect(Set(candidates).count == candidates.count)
    for policy in candidates { try policy.check(shape) }
    let mixtures = candidates.filter { $0.rotation == nil && !$0.exceptions.isEmpty }
    #expect(!mixtures.isEmpty)
    for policy in mixtures {
      let bits = [0, 1, 3].map { policy.layer($0).keys.bits }
      #expect(bits[1] >= bits[0] && bits[1] >= bits[2], "\(policy)")
      #expect(search.bytesPerToken(policy) < search.bytesPerToken(.full))
    }
  }

  /// Evictions hold parts of the longest text, in all formats, and what they remember counts.
  @Test func evictionsAreOnOffer() throws {
    let search = try search(["rkv", "streaming"])
    let evicting = try search.candidates([:]).filter { $0.eviction != nil }
    #expect(evicting.count == 2 * 5 * 6)
    let budgets = evicting.compactMap { $0.eviction.map { $0.budget + $0.buffer } }
    #expect(Set(budgets) == [262, 225, 187, 150, 112])
    let half = try KVPolicy(parsing: "rkv:132,buffer=18")
    let coded = try KVPolicy(parsing: "\(half)+bf16:0,int4+keys=per-token")
    #expect(evicting.contains(half) && evicting.contains(coded))
    #expect(search.bytesPerToken(half) < search.bytesPerToken(.full))
    #expect(throws: EvaluationError.self) { try self.search(["lru"]) }
  }

  @Test func oddResidualsAreRefused() {
    #expect(throws: EvaluationError.self) {
      try KVPolicySearch(shape: shape, heads: 4, texts: [(9, 1)], residuals: [0, 32])
    }
  }

  private func point(_ policy: String, _ bytes: Double, _ loss: Double) throws
    -> KVPolicySearch.Point
  {
    let text = """
      {"tokens":9,"windows":1,"referencePerplexity":{"value":1,"items":1},
      "candidatePerplexity":{"value":1,"items":1},"logRatio":{"value":0,"items":1},
      "divergence":{"value":\(loss),"items":1},"highDivergence":{"value":0},
      "agreement":{"value":1,"items":1}}
      """
    return KVPolicySearch.Point(
      policy: try KVPolicy(parsing: policy), bytesPerToken: bytes,
      comparison: try JSONDecoder().decode(ModelComparison.self, from: Data(text.utf8)))
  }

  @Test func theCheapestOfSomeCeilingsIsWorthConfirming() throws {
    let points = [
      try point("int8", 50, 0.0001), try point("int8/int4", 40, 0.0008),
      try point("int4", 30, 0.002), try point("int4/int2", 28, 0.02), try point("int2", 20, 0.5),
      try point("int2/int4", 29, 0.03),
    ]
    func worth(_ most: Int) -> [String] {
      KVPolicySearch.worthConfirming(points, most: most).map { "\($0.policy)" }
    }
    #expect(worth(9) == ["int8", "int8/int4", "int4", "int4/int2"])
    #expect(worth(3) == ["int8", "int8/int4", "int4/int2"])
    #expect(worth(1) == ["int8"])
  }

  /// Nothing behind a policy that was not shown to keep the accuracy is chosen.
  @Test func theChoiceIsTheLastBeforeAFailure() throws {
    func confirmed(_ policy: String, _ difference: Double) throws -> TuningReport.Confirmed {
      var test = try PairedTest(margin: 0.1)
      for _ in 0..<80 { try test.add(difference) }
      return TuningReport.Confirmed(point: try point(policy, 40, 0.001), test: test)
    }
    func report(_ confirmed: [TuningReport.Confirmed]) -> TuningReport {
      TuningReport(
        title: "x", fullBytesPerToken: 100, points: confirmed.map(\.point), confirmed: confirmed)
    }
    let (kept, lost) = (try confirmed("int8", 0), try confirmed("int4", -1))
    let all = report([kept, lost, try confirmed("int2", 0)])
    #expect("\(try #require(all.chosen).point.policy)" == "int8")
    #expect(report([lost, kept]).chosen == nil)
    #expect(all.table.contains("int8") && all.table.contains("40.0 %"))
    let folder = try TemporaryFolder()
    try all.write(into: folder.url)
    let picture = try String(contentsOf: folder.url.appending(path: "tune.svg"), encoding: .utf8)
    #expect(picture.contains("bytes a token") && picture.contains("chosen"))
  }
}

@Suite struct KVPolicyFileTests {
  private let folder: TemporaryFolder
  private let shape = KVShape(layers: 4, kvHeads: 2, headDimension: 32)
  private var file: URL { folder.url.appending(path: "kv-policy.json") }

  init() throws { folder = try TemporaryFolder() }

  private func model(_ shape: KVShape, _ config: String = "{}") -> KVPolicyFile.Model {
    KVPolicyFile.Model(name: "one", shape: shape, config: Array(config.utf8))
  }

  private func expectProblem(_ text: String, _ body: () throws -> Void) {
    do {
      try body()
      Issue.record("nothing was refused; expected \(text)")
    } catch {
      #expect("\(error)".contains(text) && "\(error)".contains("kv-policy.json"))
    }
  }

  @Test func aFileIsReadAsItWasWritten() throws {
    let policy = try KVPolicy(parsing: "rkv:64+int4+L0-1=int8/int4")
    let stored = KVPolicyFile(policy: policy, model: model(shape), measured: nil)
    try stored.write(to: file)
    let found = try KVPolicyFile(contentsOf: file)
    #expect(found == stored)
    try found.check(model(shape), shape, file: file)
  }

  @Test func anotherModelIsRefused() throws {
    let stored = KVPolicyFile(policy: .full, model: model(shape), measured: nil)
    for (other, problem) in [
      (KVShape(layers: 5, kvHeads: 2, headDimension: 32), "4 layers"),
      (KVShape(layers: 4, kvHeads: 1, headDimension: 32), "2 KV heads"),
      (KVShape(layers: 4, kvHeads: 2, headDimension: 64), "32 values a head"),
    ] {
      expectProblem(problem) { try stored.check(model(other), other, file: file) }
    }
    expectProblem("config.json") { try stored.check(model(shape, "[]"), shape, file: file) }
  }

  @Test(arguments: [
    (#"{"version": 2}"#, "'version' is 2"), ("[]", "no JSON object"),
    (#"{"layers": 1}"#, "'layers'"),
    (#"{"version": 1, "policy": "int4+L3=int3", "model": {}}"#, "L3"),
    (#"{"version": 1, "policy": "int4+L2=int8,int4", "model": {}}"#, "layer 2"),
    (#"{"version": 1, "policy": "int4", "model": {}}"#, "model.name"),
    (#"{"version": 1, "policy": 4}"#, "'policy'"),
  ])
  func damagedFilesAreRefused(text: String, problem: String) throws {
    try Data(text.utf8).write(to: file)
    expectProblem(problem) { _ = try KVPolicyFile(contentsOf: file) }
  }

  @Test func layersBeyondTheModelAreNamed() throws {
    let policy = try KVPolicy(parsing: "int4+L7=int8")
    let stored = KVPolicyFile(policy: policy, model: model(shape), measured: nil)
    expectProblem("layer 7") { try stored.check(model(shape), shape, file: file) }
  }
}

@Suite struct DivergenceJournalTests {
  private func comparison() throws -> ModelComparison {
    var comparison = LogitComparison()
    let (one, other): ([Float], [Float]) = ([1, 2, 3], [1, 2, 2.5])
    try one.withUnsafeBufferPointer { one in
      try other.withUnsafeBufferPointer { other in
        for _ in 0..<3 {
          comparison.beginWindow()
          try comparison.add(reference: one, candidate: other, next: 1)
        }
      }
    }
    return try comparison.result()
  }

  @Test func whatWasMeasuredIsFoundAgain() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "divergences.jsonl")
    let measured = try comparison()
    do {
      let journal = try DivergenceJournal(file, key: "a")
      try journal.add("int8", measured)
      try journal.add("int4", measured)
    }
    // A line that a crash has torn is measured again; the rest stays.
    let whole = try Data(contentsOf: file)
    try whole.dropLast(20).write(to: file)
    do {
      let journal = try DivergenceJournal(file, key: "a")
      #expect(journal.found == ["int8": measured])
      try journal.add("int4", measured)
    }
    #expect(try Data(contentsOf: file) == whole)
    #expect(throws: EvaluationError.self) { try DivergenceJournal(file, key: "b") }
    try (Data("{}\n".utf8) + whole).write(to: file)
    #expect(throws: EvaluationError.self) { try DivergenceJournal(file, key: "a") }
  }
}
