import KVLayout

/// Known combinations of formats for weights and activations, by the names that people use for
/// them: what their bytes follow from. How the weights are found is `Compression`'s part.
public enum WeightScheme: String, Sendable, Hashable, Codable, CaseIterable {
  /// 8-bit integers on both sides: weights by GPTQ, one scale a row, activations one a token.
  case w8a8Integer = "w8a8-int"
  /// FP8 E4M3 on both sides: weights rounded to nearest, one scale a row, activations one a token.
  /// Needs no calibration.
  case w8a8Float = "w8a8-fp"
  /// 4-bit weights by GPTQ, groups of 128, scales with the least error; activations as they are.
  case w4a16
  /// 4 bits on both sides with outliers that stay floats: weights by GPTQ, one scale a row found by
  /// its least error, activations between the least and largest of a token; 8 bits for the layer
  /// behind the feed-forward's product (Llama, Qwen, Falcon).
  case quikW4A4 = "quik-w4a4"
  /// 4 bits on both sides without outliers, of a model whose residual stream, heads and inner
  /// products are rotated.
  case w4a4Rotated = "w4a4-rotated"

  /// Bits of most weights.
  public var bits: Int {
    switch self {
    case .w8a8Integer, .w8a8Float: 8
    case .w4a16, .quikW4A4, .w4a4Rotated: 4
    }
  }

  /// Inputs that share a scale; nil for one scale a row.
  public var groupSize: Int? { self == .w4a16 ? 128 : nil }

  /// Whether a head that was the embedding is written apart from it.
  public var untiesHead: Bool { self == .w4a4Rotated }

  /// Bits of the layers that are behind the feed-forward's product.
  public var wideBits: Int { self == .quikW4A4 ? 8 : bits }

  /// How the names of those layers end: of Llama and Qwen, and of Falcon.
  public static let wideLayers = ["down_proj", "dense_4h_to_h"]

  /// Outliers of a layer as wide as the residual stream where nobody says how many: 256 of 4096, as
  /// QUIK has them.
  public static func usualOutliers(width: Int) -> Int { min(256, max(1, width / 16)) }

  /// Inputs of a layer that stay floats where nobody says how many.
  ///
  /// - Parameters:
  ///   - inputs: of the layer.
  ///   - width: of the residual stream.
  /// - Returns: 0 but for QUIK.
  func outliers(inputs: Int, width: Int) -> Int {
    guard self == .quikW4A4 else { return 0 }
    return Self.outliers(inputs: inputs, width: width, usual: Self.usualOutliers(width: width))
  }

  /// Outliers of a layer by those of one as wide as the residual stream: as many times more as it
  /// is wider, at most half of its inputs (QUIK's code, `fp_relative`).
  public static func outliers(inputs: Int, width: Int, usual: Int) -> Int {
    min(Saturating.product(usual, max(1, inputs / max(width, 1))), inputs / 2)
  }
}
