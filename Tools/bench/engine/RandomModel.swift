import DecoderModels
import Foundation
import JSON
import ModelLoader
import Tensors

/// How the weights of the blocks are stored.
enum WeightFormat: String, CaseIterable {
  case bf16, int8, int4
  /// 8-bit integers on both sides, one scale a row and one a token.
  case w8a8
  /// 8-bit floats on both sides.
  case w8a8Float = "w8a8-fp"
  /// 4 bits on both sides, a sixteenth of the inputs as floats.
  case w4a4

  /// Bits of a weight.
  var bits: Int {
    switch self {
    case .bf16: 16
    case .int8, .w8a8, .w8a8Float: 8
    case .int4, .w4a4: 4
    }
  }

  /// Whether the weights say what becomes of activations.
  var roundsActivations: Bool {
    switch self {
    case .bf16, .int8, .int4: false
    case .w8a8, .w8a8Float, .w4a4: true
    }
  }
}

/// A decoder of a published shape with random weights: speed does not depend on what the weights
/// say.
enum RandomModel {
  /// The published Qwen3 models, and hybrids of Qwen3.5.
  private static let shapes: [String: JSONObject] = [
    "0.6b": qwen3(hidden: 1024, intermediate: 3072, layers: 28, heads: 16),
    "1.7b": qwen3(hidden: 2048, intermediate: 6144, layers: 28, heads: 16),
    "30b-a3b": mixture(hidden: 2048, intermediate: 6144, expert: 768, layers: 48, heads: 32),
    "qwen3.5-0.8b": Qwen35.publishedSizes[0].configuration(),
    "qwen3.5-4b": Qwen35.publishedSizes[2].configuration(),
    "qwen3.5-9b": Qwen35.publishedSizes[3].configuration(),
    "qwen3.5-35b-a3b": Qwen35.publishedSizes[5].configuration(),
  ]
  /// Their names.
  static var names: [String] { shapes.keys.sorted() }

  private static func qwen3(
    hidden: Int, intermediate: Int, layers: Int, heads: Int
  ) -> JSONObject {
    JSONObject(
      file: "config.json",
      members: [
        "model_type": .string("qwen3"),
        "hidden_size": .integer(hidden), "intermediate_size": .integer(intermediate),
        "num_hidden_layers": .integer(layers), "num_attention_heads": .integer(heads),
        "num_key_value_heads": .integer(8), "head_dim": .integer(128),
        "vocab_size": .integer(151_936), "max_position_embeddings": .integer(40_960),
        "rope_theta": .integer(1_000_000), "tie_word_embeddings": .bool(true),
      ])
  }

  private static func mixture(
    hidden: Int, intermediate: Int, expert: Int, layers: Int, heads: Int
  ) -> JSONObject {
    var members = qwen3(
      hidden: hidden, intermediate: intermediate, layers: layers, heads: heads
    ).members
    members["model_type"] = .string("qwen3_moe")
    members["num_key_value_heads"] = .integer(4)
    members["num_experts"] = .integer(128)
    members["num_experts_per_tok"] = .integer(8)
    members["moe_intermediate_size"] = .integer(expert)
    members["norm_topk_prob"] = .bool(true)
    members["tie_word_embeddings"] = .bool(false)
    return JSONObject(file: "config.json", members: members)
  }

  /// A model of a published shape, cut to so many layers; nil for a name that is none.
  static func make(
    _ shape: String, layers: Int?, _ format: WeightFormat, headBits: HeadBits
  ) throws -> Decoder? {
    guard let config = shapes[shape] else { return nil }
    var members = config.members
    if let layers { members["num_hidden_layers"] = .integer(layers) }
    let family = try ModelFamilies.standard.family(
      for: JSONObject(file: config.file, members: members))
    return try Decoder(
      family, from: Tensors(format: format, headBits: headBits), headBits: headBits)
  }

  private final class Tensors: TensorSource {
    private let format: WeightFormat
    private let headBits: HeadBits
    private var random = Xorshift()

    init(format: WeightFormat, headBits: HeadBits) {
      self.format = format
      self.headBits = headBits
    }

    func contains(_ name: String) -> Bool { true }

    func vector(_ name: String, count: Int) -> [Float] { [Float](repeating: 1, count: count) }

    func matrix(
      _ name: String, rows: Int, columns: Int
    ) throws(CheckpointError) -> any LinearWeights {
      let isHead = name.contains("embed_tokens") || name.contains("lm_head")
      // What no quantizer makes smaller.
      let small = ["in_proj_a", "in_proj_b", "mlp.gate"]
      let isSmall = small.contains { name.hasSuffix($0) }
      let kept = isHead ? headBits == .eight ? WeightFormat.int8 : .bf16 : isSmall ? .bf16 : format
      do {
        return try RandomModel.matrix(rows, columns, kept, &random)
      } catch {
        throw .tensors("\(error)")
      }
    }
  }

  fileprivate static func matrix(
    _ rows: Int, _ columns: Int, _ format: WeightFormat, _ random: inout Xorshift
  ) throws -> any LinearWeights {
    if format == .bf16 {
      let bytes = try AlignedBytes(count: rows * columns * 2)
      bytes.withMutableBytes { random.fillBF16($0.bindMemory(to: UInt16.self)) }
      return try WeightPacking.pack(
        Tensor(dtype: .bf16, shape: [rows, columns], bytes: bytes), name: "random")
    }
    if format == .w8a8Float {
      return try WeightPacking.pack(
        Float8Matrix(
          codes: random.codes(rows * columns, mask: 0xb7),
          scales: [Float](repeating: 1 / 64, count: rows), tokenRounding: .float8))
    }
    if format == .w4a4 { return try outliers(rows, columns, &random) }
    let bits = format.bits
    let mask = UInt8((1 << bits) - 1)
    let codes = random.codes(rows * columns, mask: mask)
    let scale = Float(1) / Float(32 << bits)
    if format == .w8a8 {
      return try WeightPacking.pack(
        QuantizedMatrix(
          grid: CodeGrid(
            bits: bits, outFeatures: rows, inFeatures: columns, groupSize: columns,
            scales: [Float](repeating: scale, count: rows), tokenRounding: .int8), codes: codes))
    }
    return try WeightPacking.pack(
      QuantizedMatrix(
        bits: bits, outFeatures: rows, inFeatures: columns, groupSize: 128, codes: codes,
        scales: [Float](repeating: scale, count: rows * (columns / 128))))
  }
}

extension RandomModel {
  /// Codes of 4 bits beside every sixteenth input as BF16, at most 256.
  private static func outliers(
    _ rows: Int, _ columns: Int, _ random: inout Xorshift
  ) throws -> any LinearWeights {
    let count = min(256, columns / 16)
    let others = columns - count
    let codes = random.codes(rows * others, mask: 15)
    let grid = try CodeGrid(
      bits: 4, outFeatures: rows, inFeatures: others, groupSize: others,
      scales: [Float](repeating: 1 / 512, count: rows), tokenRounding: .between4)
    let kept = try AlignedBytes(count: rows * count * 2)
    kept.withMutableBytes { random.fillBF16($0.bindMemory(to: UInt16.self)) }
    return try WeightPacking.pack(
      OutlierMatrix(
        rest: QuantizedMatrix(grid: grid, codes: codes),
        columns: (0..<Int32(count)).map { $0 * Int32(columns / count) },
        outliers: Tensor(dtype: .bf16, shape: [rows, count], bytes: kept)))
  }
}

extension Decoder {
  /// Bytes of the weights that a token of each of `batch` sequences is expected to read: of experts
  /// those that some are sent to, of the head what finding the likeliest tokens takes.
  func bytesRead(batch: Int) -> Int {
    let idle = blocks.flatMap(\.sites).reduce(0.0) { sum, site in
      let bytes = site.linears.reduce(0) { $0 + $1.byteCount }
      return sum + Double(bytes) * pow(1 - site.share, Double(batch))
    }
    // Of an embedding that is not the head as well a row is read.
    let rows = shape.tiesEmbeddings ? 0 : embedding.byteCount
    let unread = (head as? any GreatestFirstWeights).map { $0.byteCount - $0.leastBytesRead } ?? 0
    return weightBytes - Int(idle) - rows - unread
  }
}

/// Fast pseudo-random bits of no great quality.
struct Xorshift {
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state >> 24
  }

  /// Numbers that are drawn once; a prime number of them, more than a router has.
  private static let drawn: [UInt16] = {
    var random = Xorshift()
    return (0..<1_299_709).map { _ in UInt16(truncatingIfNeeded: random.next()) }
  }()

  /// `use(target, drawn)` for as many elements as there are, from a place in what is drawn on and
  /// again from its beginning: a model of some gigabytes takes seconds.
  private mutating func eachDrawn(_ count: Int, _ use: (Int, UInt16) -> Void) {
    Self.drawn.withUnsafeBufferPointer { drawn in
      var (at, done) = (Int(next() % UInt64(drawn.count)), 0)
      while done < count {
        let some = min(count - done, drawn.count - at)
        for index in 0..<some { use(done + index, drawn[at + index]) }
        (at, done) = (0, done + some)
      }
    }
  }

  /// Codes whose bits are those of `mask`.
  mutating func codes(_ count: Int, mask: UInt8) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { codes, filled in
      eachDrawn(count) { codes.initializeElement(at: $0, to: UInt8(truncatingIfNeeded: $1) & mask) }
      filled = count
    }
  }

  /// BF16 numbers whose sign and mantissa are random; the magnitude is 1/64 to 1/32.
  mutating func fillBF16(_ target: UnsafeMutableBufferPointer<UInt16>) {
    eachDrawn(target.count) { target[$0] = $1 & 0x807f | 0x3c80 }
  }

  /// Numbers from -1 to 1.
  mutating func floats(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float(next() & 0xffff) / 32768 - 1 }
  }
}
