import Foundation
import ModelLoader
import DecoderModels
import Tensors
import Testing

@testable import KVCaches

/// Greedy text of whole models with eviction, against the published rules on transformers.
@Suite(.enabled(if: Goldens.directory != nil, "no reference data beside the checkout"))
struct EvictionModelGoldenTests {
  static let cases = Goldens.cases("eviction_models", kind: "eviction-greedy")

  struct Manifest: Decodable {
    struct Event: Decodable {
      let tokensSeen: Int
      let layer: Int

      enum CodingKeys: String, CodingKey {
        case tokensSeen = "tokens_seen"
        case layer
      }
    }
    struct Tolerances: Decodable {
      let maxAbs: Double

      enum CodingKeys: String, CodingKey { case maxAbs = "logits_max_abs" }
    }
    let model: String
    let method: String
    let budget: Int
    let every: Int
    let window: Int
    let kernel: Int
    let mixLambda: Float
    let first: Int
    let order: String
    let events: [Event]
    let tolerances: Tolerances

    enum CodingKeys: String, CodingKey {
      case method, budget, every, window, kernel, first, events, tolerances
      case model = "half_model"
      case mixLambda = "mix_lambda"
      case order = "order_in_cache"
    }

    func eviction() throws -> Eviction {
      let scoring = RKV(lambda: mixLambda, window: window, kernel: kernel)
      return try Eviction(
        method == "streaming" ? StreamingLLM(sinks: first) : scoring, budget: budget,
        buffer: every, order: try #require(Eviction.Order(rawValue: order)), schedule: .multiples)
    }
  }

  @Test(arguments: cases, [1, 2])
  func greedyTextWithEviction(name: String, threads: Int) throws {
    let folder = Goldens.folder("eviction_models", name)
    let manifest = try Goldens.manifest(of: folder, as: Manifest.self)
    let file = { try NPYFile(folder.appendingPathComponent($0 + ".npy")) }
    let decoder = try Decoder(
      Checkpoint(directory: #require(Goldens.directory).appendingPathComponent(manifest.model)))
    let pass = ForwardPass(decoder, pool: try ThreadPool(workers: threads))
    var caches = [
      try pass.makeCache(
        KVPolicy(format: .f32, eviction: try manifest.eviction()), meter: KVMeter())
    ]
    let histories = (0..<decoder.shape.layers).map { _ in
      PositionHistory(kvHeads: decoder.shape.heads.keyValues)
    }
    var order: [Int] = []
    caches[0].onCompression = { layer, slots in
      histories[layer].keep(slots)
      order.append(layer)
    }
    let (greedy, logits) = (try file("greedy").ints, try file("logits").floats)
    var next = try file("prompt").ints
    var found: [Int32] = []
    var worst: Float = 0
    while found.count < greedy.count {
      let seen = caches[0].position
      for history in histories { history.append(seen..<seen + next.count) }
      try pass.run([TokenRun(cache: 0, tokens: next)], caches: &caches, rows: .last) {
        _, _, row in
        let expected = logits[found.count * row.count..<(found.count + 1) * row.count]
        worst = max(worst, zip(row, expected).map { abs($0 - $1) }.max() ?? 0)
        found.append(Int32(row.indices.max { row[$0] < row[$1] } ?? 0))
      }
      next = [found[found.count - 1]]
    }
    #expect(found == greedy)
    #expect(Double(worst) <= manifest.tolerances.maxAbs)
    #expect(order == manifest.events.map(\.layer))

    let kept = try file("kept").ints.map(Int.init)
    let heads = decoder.shape.heads.keyValues
    var index = [Int](repeating: 0, count: histories.count)
    for (number, expected) in manifest.events.enumerated() {
      let event = histories[expected.layer].events[index[expected.layer]]
      index[expected.layer] += 1
      #expect(event.seen == expected.tokensSeen)
      for head in 0..<heads {
        let start = (number * heads + head) * manifest.budget
        #expect(Set(event.kept[head]) == Set(kept[start..<start + manifest.budget]))
      }
    }
  }
}
