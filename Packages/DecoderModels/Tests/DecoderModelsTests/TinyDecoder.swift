import DecoderModels
import JSON
import ModelLoader
import Tensors

/// A decoder with random weights, small enough for tests but with every odd size a real one may
/// have.
enum TinyDecoder {
  static let config: OrderedObject<JSONValue> = [
    "hidden_size": .integer(72), "intermediate_size": .integer(100),
    "num_hidden_layers": .integer(2), "num_attention_heads": .integer(6),
    "num_key_value_heads": .integer(2), "head_dim": .integer(24), "vocab_size": .integer(131),
    "max_position_embeddings": .integer(400), "rope_theta": .integer(10_000),
    "attention_bias": .bool(true), "tie_word_embeddings": .bool(true),
  ]

  /// A hybrid of the same kind: two layers of linear attention before each one that attends, and
  /// one behind the last.
  static let hybridConfig: OrderedObject<JSONValue> = [
    "hidden_size": .integer(72), "intermediate_size": .integer(100),
    "num_hidden_layers": .integer(4), "num_attention_heads": .integer(6),
    "num_key_value_heads": .integer(2), "head_dim": .integer(24), "vocab_size": .integer(131),
    "max_position_embeddings": .integer(400), "rope_theta": .integer(10_000),
    "layer_types": .array(
      ["linear", "linear", "full", "linear"].map { .string($0 + "_attention") }),
    "linear_num_key_heads": .integer(2), "linear_num_value_heads": .integer(6),
    "linear_key_head_dim": .integer(20), "linear_value_head_dim": .integer(12),
    "tie_word_embeddings": .bool(true),
  ]

  /// A hybrid, its weights as below.
  static func makeHybrid(bits: Int? = nil) throws -> Decoder {
    try Decoder(
      Qwen35(JSONObject(file: "config.json", members: hybridConfig)),
      from: RandomTensors(bits: bits))
  }

  /// Weights of nil: F32, 16: BF16 with a head of BF16, fewer: codes with an F32 head.
  static func make(bits: Int? = nil) throws -> Decoder {
    try Decoder(
      Qwen3(JSONObject(file: "config.json", members: config)), from: RandomTensors(bits: bits))
  }

  /// What its last layer has that the first has not.
  enum Kind: CaseIterable {
    case dense, experts, window, hybrid
  }

  static func make(_ kind: Kind, bits: Int? = nil) throws -> Decoder {
    var members = config
    func set(_ key: String, _ value: Int) { members[key] = .integer(value) }
    switch kind {
    case .dense: return try make(bits: bits)
    case .hybrid: return try makeHybrid(bits: bits)
    case .experts:
      set("num_experts", 6)
      set("num_experts_per_tok", 2)
      set("moe_intermediate_size", 40)
      members["mlp_only_layers"] = .array([.integer(0)])
      members["norm_topk_prob"] = .bool(true)
      return try Decoder(
        Qwen3MoE(JSONObject(file: "config.json", members: members)), from: RandomTensors(bits: bits)
      )
    case .window:
      set("sliding_window", 37)
      set("max_window_layers", 1)
      members["use_sliding_window"] = .bool(true)
      return try Decoder(
        Qwen3(JSONObject(file: "config.json", members: members)), from: RandomTensors(bits: bits))
    }
  }

  final class RandomTensors: TensorSource {
    private let bits: Int?
    private var random = Random()

    init(bits: Int?) { self.bits = bits }

    func contains(_ name: String) -> Bool { true }

    func vector(_ name: String, count: Int) -> [Float] { random.floats(count) }

    func matrix(
      _ name: String, rows: Int, columns: Int
    ) throws(CheckpointError) -> any LinearWeights {
      let bits = name.contains("embed") && bits != 16 ? nil : bits
      do {
        return try TinyDecoder.matrix(rows, columns, bits, &random)
      } catch {
        throw .tensors("\(error)")
      }
    }
  }

  fileprivate static func matrix(
    _ rows: Int, _ columns: Int, _ bits: Int?, _ random: inout Random
  ) throws -> any LinearWeights {
    guard let bits else {
      return try WeightPacking.pack(
        Tensor(random.floats(rows * columns), shape: [rows, columns]), name: "random")
    }
    if bits == 16 {
      let halves = random.floats(rows * columns).map { UInt16($0.bitPattern >> 16) }
      let bytes = try AlignedBytes(count: halves.count * 2)
      bytes.withMutableBytes { target in halves.withUnsafeBytes { target.copyMemory(from: $0) } }
      return try WeightPacking.pack(
        Tensor(dtype: .bf16, shape: [rows, columns], bytes: bytes), name: "random")
    }
    let groups = (columns + 31) / 32
    return try WeightPacking.pack(
      QuantizedMatrix(
        bits: bits, outFeatures: rows, inFeatures: columns, groupSize: 32,
        codes: (0..<rows * columns).map { _ in UInt8(random.next() % (1 << UInt64(bits))) },
        scales: random.floats(rows * groups).map { $0 / Float(1 << bits) }))
  }

  struct Random {
    var state: UInt64 = 88_172_645_463_325_252
    mutating func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state >> 16
    }
    mutating func floats(_ count: Int) -> [Float] {
      (0..<count).map { _ in Float(Int(next() % 2001) - 1000) / 2500 }
    }
  }
}
