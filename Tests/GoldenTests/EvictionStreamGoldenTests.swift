import Foundation
import Tensors
import Testing

@testable import KVCaches

/// A cache that is compressed again and again as tokens come, against R-KV's published code in F64.
@Suite(.enabled(if: Goldens.directory != nil, "no reference data beside the checkout"))
struct EvictionStreamGoldenTests {
  struct Manifest: Decodable {
    let prefill: Int
    let steps: Int
    let every: Int
    let budget: Int
    let window: Int
    let kernel: Int
    let mixLambda: Float
    let compressedAfterTokens: [String: [Int]]
    let tolerances: Tolerances

    struct Tolerances: Decodable {
      let relativeL2: Double

      enum CodingKeys: String, CodingKey { case relativeL2 = "attn_out_rel_l2" }
    }

    enum CodingKeys: String, CodingKey {
      case prefill, steps, every, budget, window, kernel, tolerances
      case mixLambda = "mix_lambda"
      case compressedAfterTokens = "compressed_after_tokens"
    }
  }

  /// `[heads, tokens, dimension]` of a file, one token at a time.
  struct Tokens {
    let heads: Int
    let dimension: Int
    private let count: Int
    private let floats: [Float]

    init(_ file: NPYFile) {
      (heads, count, dimension) = (file.shape[0], file.shape[1], file.shape[2])
      floats = file.floats
    }

    /// `[tokens, heads, dimension]` of a range.
    func rows(_ range: Range<Int>) -> [Float] {
      var rows: [Float] = []
      for token in range {
        for head in 0..<heads {
          let start = (head * count + token) * dimension
          rows += floats[start..<start + dimension]
        }
      }
      return rows
    }
  }

  static let streams = Goldens.cases("eviction", kind: "rkv-stream").flatMap { name in
    [("position", name), ("score", name)]
  }

  @Test(arguments: streams)
  func keptTokensAndAttention(order: String, name: String) throws {
    let folder = Goldens.folder("eviction", name)
    let manifest = try Goldens.manifest(of: folder, as: Manifest.self)
    let file = { try NPYFile(folder.appendingPathComponent($0 + ".npy")) }
    let (queries, keys, values) = (
      Tokens(try file("Q")), Tokens(try file("K")), Tokens(try file("V"))
    )
    let eviction = try Eviction(
      RKV(lambda: manifest.mixLambda, window: manifest.window, kernel: manifest.kernel),
      budget: manifest.budget, buffer: manifest.every,
      order: try #require(Eviction.Order(rawValue: order)), schedule: .multiples)
    let pool = try ThreadPool(workers: 2)
    var cache = try KVCache(
      shape: KVShape(layers: 1, kvHeads: keys.heads, headDimension: keys.dimension),
      policy: KVPolicy(format: .f32, eviction: eviction), meter: KVMeter())
    cache.endPrompt(at: manifest.prefill)
    let history = PositionHistory(kvHeads: keys.heads)
    cache.onCompression = { _, slots in history.keep(slots) }

    var (difference, norm) = (0.0, 0.0)
    let expected = try file("attn_out_\(order)").floats
    let width = queries.heads * queries.dimension
    for step in -1..<manifest.steps {
      let range =
        step < 0 ? 0..<manifest.prefill : manifest.prefill + step..<manifest.prefill + step + 1
      history.append(range)
      try cache.append(
        keys: keys.rows(range), values: values.rows(range), tokens: range.count, layer: 0)
      let q = queries.rows(range)
      if step >= 0 {
        let group = queries.heads / keys.heads
        var output = [Float](repeating: 0, count: width)
        for head in 0..<keys.heads {
          let at = head * group * queries.dimension
          output.withUnsafeMutableBufferPointer { output in
            q.withUnsafeBufferPointer { q in
              guard let q = q.baseAddress, let output = output.baseAddress else { return }
              cache.attend(
                queries: q + at, heads: group, kvHead: head, layer: 0, visible: cache.count,
                scale: 1 / Float(queries.dimension).squareRoot(), output: output + at)
            }
          }
        }
        for (a, b) in zip(output, expected[step * width..<(step + 1) * width]) {
          difference += (Double(a) - Double(b)) * (Double(a) - Double(b))
          norm += Double(b) * Double(b)
        }
      }
      try cache.compactIfDue(
        queries: q, tokens: range.count, heads: queries.heads, layer: 0, on: pool)
    }
    #expect((difference / norm).squareRoot() <= manifest.tolerances.relativeL2)
    #expect(history.events.map(\.seen) == manifest.compressedAfterTokens[order])
    for (index, event) in history.events.enumerated() {
      let kept = try file("kept_\(order)_\(index)").ints.map(Int.init)
      for head in 0..<keys.heads {
        let part = kept[head * manifest.budget..<(head + 1) * manifest.budget]
        #expect(Set(event.kept[head]) == Set(part), "compression \(index), head \(head)")
      }
    }
  }
}

/// Which original tokens a layer holds, head by head, as it is compressed.
final class PositionHistory {
  struct Event {
    let seen: Int
    let kept: [[Int]]
  }

  private(set) var events: [Event] = []
  private var held: [[Int]]
  private var seen = 0

  init(kvHeads: Int) { held = Array(repeating: [], count: kvHeads) }

  func append(_ tokens: Range<Int>) {
    for head in held.indices { held[head] += tokens }
    seen = tokens.upperBound
  }

  func keep(_ slots: [[Int]]) {
    held = zip(held, slots).map { held, slots in slots.map { held[$0] } }
    events.append(Event(seen: seen, kept: held))
  }
}
