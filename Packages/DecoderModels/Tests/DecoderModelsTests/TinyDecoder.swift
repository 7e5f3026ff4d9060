import DecoderModels
import Tensors

/// A decoder with random weights, small enough for tests but with every odd size a real one may have.
enum TinyDecoder {
  static let config = DecoderConfig(
    hiddenSize: 72, intermediateSize: 100, layers: 2, heads: 6, kvHeads: 2, headDimension: 24,
    vocabularySize: 131, contextLength: 400, normEpsilon: 1e-6,
    rotary: RotaryConfig(theta: 1e4, dimension: 24), normalizesQueriesAndKeys: true,
    attentionBias: .queryKeyValue, tiesEmbeddings: true)

  /// Weights of nil: F32, 16: BF16 with a head of BF16, fewer: codes with an F32 head.
  static func make(bits: Int? = nil) throws -> Decoder {
    var random = Random()
    let blocks = try (0..<config.layers).map { _ in
      try DecoderBlock(
        attentionNorm: random.floats(72), feedForwardNorm: random.floats(72),
        queryNorm: random.floats(24), keyNorm: random.floats(24)
      ) { role in
        let shape = role.shape(in: config)
        return .init(
          weights: try matrix(shape.outFeatures, shape.inFeatures, bits, &random),
          bias: [.query, .key, .value].contains(role) ? random.floats(shape.outFeatures) : nil)
      }
    }
    return Decoder(
      config: config, embedding: try matrix(131, 72, bits == 16 ? 16 : nil, &random),
      blocks: blocks,
      finalNorm: random.floats(72), untiedHead: nil)
  }

  private static func matrix(
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

  private struct Random {
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
