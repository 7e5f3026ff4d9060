import Foundation
import Kernels
import Tensors
import Testing

@testable import DecoderModels

@Suite struct MixtureOfExpertsTests {
  static let (hidden, width, sharedWidth, experts, chosen) = (48, 40, 24, 6, 2)

  /// Weights of nil: F32; see `TinyDecoder`.
  func layer(
    bits: Int? = nil, isShared: Bool = true, normalizes: Bool = true
  ) throws -> MixtureOfExperts {
    let source = TinyDecoder.RandomTensors(bits: bits)
    func expert(_ name: String, _ width: Int) throws -> GatedFeedForward {
      try GatedFeedForward(name, width: width, hidden: Self.hidden, bias: false, from: source)
    }
    return MixtureOfExperts(
      router: try source.linear("gate", rows: Self.experts, columns: Self.hidden),
      experts: try (0..<Self.experts).map { try expert("experts.\($0).", Self.width) },
      shared: isShared
        ? .init(
          expert: try expert("shared.", Self.sharedWidth),
          gate: try source.linear("shared_gate", rows: 1, columns: Self.hidden)) : nil,
      chosen: Self.chosen, normalizes: normalizes)
  }

  static func input(_ rows: Int) -> [Float] {
    var random = TinyDecoder.Random()
    return random.floats(rows * hidden).map { 3 * $0 }
  }

  func run(
    _ layer: MixtureOfExperts, _ x: [Float], numerics: Numerics = .exact, threads: Int = 1,
    observe: BlockPass.Observer? = nil
  ) throws -> [Float] {
    let pass = BlockPass(
      width: Self.hidden, pool: try ThreadPool(workers: threads), numerics: numerics)
    var output = x
    output.withUnsafeMutableBufferPointer {
      guard let base = $0.baseAddress else { return }
      pass.start(base, count: x.count / Self.hidden, observe: observe)
      pass.take(nil)
      layer.run(in: pass, next: nil)
    }
    return output
  }

  /// `W x` in double precision.
  func product(_ linear: Linear, _ x: [Double]) -> [Double] {
    let weights = linear.weights.dequantized()
    return (0..<linear.weights.outFeatures).map { row in
      x.indices.reduce(0) { $0 + Double(weights[row * x.count + $1]) * x[$1] }
    }
  }

  func output(_ expert: GatedFeedForward, _ x: [Double]) -> [Double] {
    let (gate, up) = (product(expert.gate, x), product(expert.up, x))
    return product(expert.down, zip(gate, up).map { $0 / (1 + exp(-$0)) * $1 })
  }

  @Test(arguments: [true, false], [true, false])
  func isTheWeightedSumOfTheLikeliestExperts(isShared: Bool, normalizes: Bool) throws {
    let layer = try layer(isShared: isShared, normalizes: normalizes)
    let x = Self.input(9)
    let found = try run(layer, x)
    var reached: Set<Int> = []
    for start in stride(from: 0, to: x.count, by: Self.hidden) {
      let row = x[start..<start + Self.hidden].map(Double.init)
      let scores = product(layer.router, row).map { exp($0) }
      let best = scores.indices.sorted { scores[$0] > scores[$1] }.prefix(Self.chosen)
      let whole = (normalizes ? best.map { scores[$0] } : scores).reduce(0, +)
      var expected = row
      for expert in best {
        reached.insert(expert)
        let output = output(layer.experts[expert], row)
        for at in expected.indices { expected[at] += scores[expert] / whole * output[at] }
      }
      if let shared = layer.shared {
        let factor = 1 / (1 + exp(-product(shared.gate, row)[0]))
        let output = output(shared.expert, row)
        for at in expected.indices { expected[at] += factor * output[at] }
      }
      for at in expected.indices { #expect(abs(Double(found[start + at]) - expected[at]) < 1e-4) }
    }
    #expect(reached.count > Self.chosen)
  }

  @Test(arguments: [
    (nil, Numerics.exact), (16, .exact), (4, .exact), (8, .int8), (4, .int8), (16, .bf16),
  ])
  func aRowDoesNotDependOnItsBatchOrTheThreads(bits: Int?, numerics: Numerics) throws {
    let layer = try layer(bits: bits)
    // More rows than are at work together.
    let x = Self.input(ForwardPass.chunk)
    let alone = try stride(from: 0, to: x.count, by: Self.hidden).flatMap {
      try run(layer, Array(x[$0..<$0 + Self.hidden]), numerics: numerics)
    }
    #expect(alone.allSatisfy { $0.isFinite })
    for threads in [1, 2, 3] {
      #expect(try run(layer, x, numerics: numerics, threads: threads) == alone)
    }
  }

  @Test func observersSeeWhatEveryExpertMultiplies() throws {
    let layer = try layer()
    let x = Self.input(ForwardPass.chunk)
    var seen: [Int: Int] = [:]
    let output = try run(layer, x) { site, _, count in
      seen[site, default: 0] += count
      return true
    }
    #expect(output == (try run(layer, x)))
    let sites = Self.experts + 1
    for site in 0..<sites { #expect(seen[site] == seen[sites + site]) }
    #expect(seen[Self.experts] == ForwardPass.chunk)
    #expect(
      (0..<Self.experts).reduce(0) { $0 + (seen[$1] ?? 0) } == ForwardPass.chunk * Self.chosen)

    var stopped: [Int] = []
    _ = try run(layer, x) { site, _, _ in
      stopped.append(site)
      return false
    }
    #expect(stopped.count == 1)
  }

  /// A matrix that notes that it was asked for a product.
  private struct WatchedWeights: LinearWeights {
    final class Notes: @unchecked Sendable { var asked: Set<String> = [] }
    let weights: any LinearWeights
    let name: String
    let notes: Notes

    var outFeatures: Int { weights.outFeatures }
    var inFeatures: Int { weights.inFeatures }
    var byteCount: Int { weights.byteCount }
    var formatName: String { weights.formatName }
    var bits: Int { weights.bits }
    func activations(for numerics: Numerics) -> ActivationScheme {
      weights.activations(for: numerics)
    }
    func product(
      of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
    ) -> LinearProduct {
      notes.asked.insert(name)
      return weights.product(of: input, into: y, on: pool)
    }
    func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void) { weights.withPackedRows(body) }
    func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
      weights.copyRow(index, into: target)
    }
  }

  @Test func expertsThatNoRowIsSentToAreNotRead() throws {
    var layer = try layer()
    let notes = WatchedWeights.Notes()
    var sites = layer.sites
    for site in sites.indices {
      for index in sites[site].linears.indices {
        let linear = sites[site].linears[index]
        sites[site].linears[index].weights = WatchedWeights(
          weights: linear.weights, name: linear.name, notes: notes)
      }
    }
    layer.sites = sites
    _ = try run(layer, Self.input(1))
    #expect(notes.asked.count == 3 * (Self.chosen + 1))
    #expect(notes.asked.count { $0.hasPrefix("shared") } == 3)
  }

  @Test(arguments: [1, 5, 7, 8, 100, Int.max])
  func roundsHaveEveryExpertOnceAndFewRows(most: Int) {
    // 7, 0, 2, 3, 8 and 1 rows.
    let choices = [7, 0, 2, 3, 8, 1].enumerated().flatMap { expert, rows in
      [ExpertRoutes.Choice](repeating: .init(expert: expert, weight: 1), count: rows)
    }
    let routes = ExpertRoutes(choices, each: 1, experts: 6)
    let rounds = routes.rounds(ofRows: most)
    #expect(rounds.flatMap { Array($0.used) } == Array(0..<5))
    #expect(rounds.flatMap { Array($0.slots) } == Array(0..<21))
    for round in rounds {
      #expect(round.slots.count <= most || round.used.count == 1)
      #expect(round.slots.lowerBound == routes.used[round.used.lowerBound].slots.lowerBound)
    }
    if most == 8 { #expect(rounds.map(\.slots.count) == [7, 5, 8, 1]) }
  }

  @Test func choosesTheFirstOfEqualsAndDifferentExpertsOfNaN() {
    func choose(_ scores: [Float]) -> [ExpertRoutes.Choice] {
      var scores = scores
      var found = [ExpertRoutes.Choice](repeating: .init(expert: -1, weight: 0), count: 3)
      ExpertRoutes.choose(
        among: &scores, experts: scores.count, count: 3, normalizes: true,
        bb_kernels().pointee, into: &found)
      return found
    }
    #expect(choose([1, 1, 1, 1, 1]).map(\.expert) == [0, 1, 2])
    #expect(choose([0, 5, 1, 1, 9]).map(\.expert) == [1, 2, 4])
    #expect(choose([.nan, .nan, .nan, .nan]).map(\.expert) == [0, 1, 2])
    #expect(
      choose([1, .nan, 2, 1]).map(\.expert).sorted() == choose([1, .nan, 2, 1]).map(\.expert))
  }
}
