import Foundation
import Testing

@testable import KVCaches

/// Quantized caches against reference arithmetic: what they hold after some tokens, and what
/// attention makes of it.
@Suite(.enabled(if: Goldens.directory != nil, "no reference data beside the checkout"))
struct KVQuantGoldenTests {
  struct Manifest: Decodable {
    let rule: String
    let bits: Int
    let group: Int
    let valueGroup: Int
    let residual: Int
    let mode: String
    let times: [Time]
    let tolerances: Tolerances

    enum CodingKeys: String, CodingKey {
      case rule, bits, group, residual, mode, times, tolerances
      case valueGroup = "value_group"
    }

    struct Time: Decodable {
      let tokens: Int
      let quantizedKeys: Int
      let quantizedValues: Int

      enum CodingKeys: String, CodingKey {
        case tokens = "T"
        case quantizedKeys = "quantized_keys"
        case quantizedValues = "quantized_values"
      }
    }

    struct Tolerances: Decodable {
      let largest: Float
      let mismatches: Double
      let attention: Double

      enum CodingKeys: String, CodingKey {
        case largest = "hat_max_abs"
        case mismatches = "hat_mismatch_fraction"
        case attention = "attn_out_rel_l2"
      }
    }
  }

  @Test(arguments: Goldens.cases("kv_quant", kind: "kv-quant")) func contentsAndAttention(
    name: String
  ) throws {
    let folder = Goldens.folder("kv_quant", name)
    let manifest = try Goldens.manifest(of: folder, as: Manifest.self)
    let inputs = folder.deletingLastPathComponent().appendingPathComponent("inputs")
    let input = { EvictionStreamGoldenTests.Tokens(try NPYFile(inputs.appendingPathComponent($0))) }
    let (queries, keys, values) = (try input("Q.npy"), try input("K.npy"), try input("V.npy"))
    let format = try #require(KVFormat(rawValue: "int\(manifest.bits)"))
    let rule = try #require(KVRule(rawValue: manifest.rule), "an unknown rule, \(manifest.rule)")
    let scheme = try #require(KVScheme(rawValue: manifest.mode), "an unknown \(manifest.mode)")
    try #require(manifest.valueGroup == min(manifest.group, values.dimension))
    let configuration = try KVPolicy(
      keys: format, values: format, recent: .f32, residual: manifest.residual,
      group: manifest.group, scheme: scheme, rule: rule)
    let shape = KVShape(layers: 1, kvHeads: keys.heads, headDimension: keys.dimension)
    var cache = try KVCache(shape: shape, policy: configuration, meter: KVMeter())

    var (difference, norm) = (0.0, 0.0)
    let expected = try NPYFile(folder.appendingPathComponent("attn_out.npy")).floats
    let width = queries.heads * queries.dimension
    for (index, time) in manifest.times.enumerated() {
      let range = cache.count..<time.tokens
      try cache.append(
        keys: keys.rows(range), values: values.rows(range), tokens: range.count, layer: 0)
      let found = attention(of: cache, queries.rows(time.tokens - 1..<time.tokens), queries.heads)
      for (a, b) in zip(found, expected[index * width..<(index + 1) * width]) {
        difference += (Double(a) - Double(b)) * (Double(a) - Double(b))
        norm += Double(b) * Double(b)
      }
      let coded = cache.layers[0].pages.map { page in
        page.layout.keys.format.isQuantized
          ? CodedTokens(keys: PageLayout.tokens, values: PageLayout.tokens) : page.coded
      }
      #expect(coded.reduce(0) { $0 + $1.keys } == time.quantizedKeys, "\(time.tokens) tokens")
      #expect(coded.reduce(0) { $0 + $1.values } == time.quantizedValues, "\(time.tokens) tokens")
      try compare(cache, "K_hat_\(time.tokens)", folder, manifest.tolerances) {
        $0.readKey(head: $1, slot: $2, into: $3)
      }
      try compare(cache, "V_hat_\(time.tokens)", folder, manifest.tolerances) {
        $0.readValue(head: $1, slot: $2, into: $3)
      }
    }
    #expect((difference / norm).squareRoot() <= manifest.tolerances.attention)
  }

  private func attention(of cache: KVCache, _ queries: [Float], _ heads: Int) -> [Float] {
    let (dimension, kvHeads) = (cache.shape.headDimension, cache.shape.kvHeads)
    let group = heads / kvHeads
    return (0..<kvHeads).flatMap { head in
      var output = [Float](repeating: 0, count: group * dimension)
      let part = Array(queries[head * group * dimension..<(head + 1) * group * dimension])
      cache.attend(
        queries: part, heads: group, kvHead: head, layer: 0, visible: cache.count,
        scale: 1 / Float(dimension).squareRoot(), output: &output)
      return output
    }
  }

  /// Compares all entries with a file `[heads, tokens, dimension]`, where there is one.
  private func compare(
    _ cache: KVCache, _ file: String, _ folder: URL, _ tolerances: Manifest.Tolerances,
    read: (KVPage, _ head: Int, _ slot: Int, UnsafeMutablePointer<Float>) -> Void
  ) throws {
    let url = folder.appendingPathComponent(file + ".npy")
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    let wanted = try NPYFile(url).floats
    var found: [Float] = []
    var row = [Float](repeating: 0, count: cache.shape.headDimension)
    for head in 0..<cache.shape.kvHeads {
      for token in 0..<cache.count {
        let page = cache.layers[0].pages[token / PageLayout.tokens]
        row.withUnsafeMutableBufferPointer { row in
          if let row = row.baseAddress { read(page, head, token % PageLayout.tokens, row) }
        }
        found += row
      }
    }
    try #require(found.count == wanted.count)
    let misses = zip(found, wanted).count { abs($0 - $1) > tolerances.largest }
    #expect(Double(misses) <= tolerances.mismatches * Double(wanted.count), "\(file)")
  }
}
