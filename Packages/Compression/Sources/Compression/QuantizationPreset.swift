import Quantizers

/// Known combinations of formats for weights and activations, by the names that people use for
/// them.
public enum QuantizationPreset: String, Sendable, Hashable, Codable, CaseIterable {
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

  /// What it makes of settings: of these only order, damping and the times of scales stay.
  ///
  /// Source: arXiv:2411.02355, section 3 (the three formats and how their weights are found);
  /// arXiv:2310.09259 (QUIK); arXiv:2404.00456 (QuaRot).
  public func settings(from base: QuantizerSettings) -> QuantizerSettings {
    var settings = base
    settings.isFloat8 = nil
    settings.activations = nil
    settings.rotatesInputs = nil
    switch self {
    case .w8a8Integer:
      (settings.method, settings.bits, settings.groupSize) = (.gptq, 8, nil)
      (settings.grid, settings.scaleSearch) = (.absmax, .range)
      settings.activations = .int8
    case .w8a8Float:
      (settings.method, settings.bits, settings.groupSize) = (.rtn, 8, nil)
      (settings.grid, settings.scaleSearch) = (.absmax, .range)
      (settings.isFloat8, settings.activations) = (true, .float8)
    case .w4a16:
      (settings.method, settings.bits, settings.groupSize) = (.gptq, 4, 128)
      (settings.grid, settings.scaleSearch) = (.symmetric, .leastError)
    case .quikW4A4, .w4a4Rotated:
      (settings.method, settings.bits, settings.groupSize) = (.gptq, 4, nil)
      (settings.grid, settings.scaleSearch) = (.absmax, .leastError)
      settings.activations = .between4
      settings.rotatesInputs = self == .w4a4Rotated ? true : nil
    }
    let hasOutliers = self == .quikW4A4
    settings.outliers = hasOutliers ? base.outliers : nil
    settings.outlierThreshold = hasOutliers ? base.outlierThreshold : nil
    return settings
  }

  /// Outliers of a layer as wide as the residual stream where nobody says how many: 256 of 4096, as
  /// QUIK has them.
  public static func usualOutliers(width: Int) -> Int { min(256, max(1, width / 16)) }

  /// Those of the layers behind the product of a feed-forward layer, where they differ.
  func wideSettings(from base: QuantizerSettings) -> QuantizerSettings? {
    guard self == .quikW4A4 else { return nil }
    var settings = settings(from: base)
    (settings.bits, settings.activations) = (8, .between8)
    settings.scaleSearch = .range
    settings.outlierThreshold = base.outlierThreshold.map { 2 * $0 }
    return settings
  }
}
