import DecoderModels
import Tensors

/// How the weights of the blocks are stored.
enum WeightFormat: String, CaseIterable {
  case bf16, int8, int4
}

/// A decoder of a published shape with random weights: speed does not depend on what the weights say.
enum RandomModel {
  /// The shapes of the published Qwen3 models that fit a small machine.
  static let shapes: [String: DecoderConfig] = [
    "0.6b": qwen3(hidden: 1024, intermediate: 3072, layers: 28, heads: 16),
    "1.7b": qwen3(hidden: 2048, intermediate: 6144, layers: 28, heads: 16),
  ]

  private static func qwen3(
    hidden: Int, intermediate: Int, layers: Int, heads: Int
  ) -> DecoderConfig {
    DecoderConfig(
      hiddenSize: hidden, intermediateSize: intermediate, layers: layers, heads: heads, kvHeads: 8,
      headDimension: 128, vocabularySize: 151_936, contextLength: 40_960, normEpsilon: 1e-6,
      rotary: RotaryConfig(theta: 1e6, dimension: 128), normalizesQueriesAndKeys: true,
      attentionBias: .none, tiesEmbeddings: true)
  }

  static func make(_ config: DecoderConfig, _ format: WeightFormat, headBits: HeadBits) throws
    -> Decoder
  {
    var random = Xorshift()
    let ones = [Float](repeating: 1, count: config.hiddenSize)
    let headOnes = [Float](repeating: 1, count: config.headDimension)
    let embedding = try matrix(
      config.vocabularySize, config.hiddenSize, headBits == .eight ? .int8 : .bf16, &random)
    let blocks = try (0..<config.layers).map { _ in
      try DecoderBlock(
        attentionNorm: ones, feedForwardNorm: ones, queryNorm: headOnes, keyNorm: headOnes
      ) { role in
        let shape = role.shape(in: config)
        return .init(weights: try matrix(shape.outFeatures, shape.inFeatures, format, &random))
      }
    }
    return Decoder(
      config: config, embedding: embedding, blocks: blocks, finalNorm: ones, untiedHead: nil)
  }

  private static func matrix(
    _ rows: Int, _ columns: Int, _ format: WeightFormat, _ random: inout Xorshift
  ) throws -> any LinearWeights {
    if format == .bf16 {
      let bytes = try AlignedBytes(count: rows * columns * 2)
      bytes.withMutableBytes { target in
        for index in 0..<rows * columns {
          // Sign and mantissa are random; the magnitude is 1/64 to 1/32.
          let bits = UInt16(truncatingIfNeeded: random.next()) & 0x807f | 0x3c80
          target.storeBytes(of: bits, toByteOffset: index * 2, as: UInt16.self)
        }
      }
      return try WeightPacking.pack(
        Tensor(dtype: .bf16, shape: [rows, columns], bytes: bytes), name: "random")
    }
    let bits = format == .int8 ? 8 : 4
    let mask = UInt8((1 << bits) - 1)
    let codes = (0..<rows * columns).map { _ in UInt8(truncatingIfNeeded: random.next()) & mask }
    let scale = Float(1) / Float(32 << bits)
    return try WeightPacking.pack(
      QuantizedMatrix(
        bits: bits, outFeatures: rows, inFeatures: columns, groupSize: 128, codes: codes,
        scales: [Float](repeating: scale, count: rows * (columns / 128))))
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

  /// Numbers from -1 to 1.
  mutating func floats(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float(next() & 0xffff) / 32768 - 1 }
  }
}
