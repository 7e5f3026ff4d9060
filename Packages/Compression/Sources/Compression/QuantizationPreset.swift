import Quantizers

/// Known combinations of formats for weights and activations, by the names that people use for them.
public enum QuantizationPreset: String, Sendable, Hashable, Codable, CaseIterable {
  /// 8-bit integers on both sides: weights by GPTQ, one scale a row, activations one a token.
  case w8a8Integer = "w8a8-int"
  /// FP8 E4M3 on both sides: weights rounded to nearest, one scale a row, activations one a token. Needs no calibration.
  case w8a8Float = "w8a8-fp"
  /// 4-bit weights by GPTQ, groups of 128, scales with the least error; activations as they are.
  case w4a16

  /// What it makes of settings: of these only order, damping and the times of scales stay.
  ///
  /// Source: arXiv:2411.02355, section 3 (the three formats and how their weights are found).
  public func settings(from base: QuantizerSettings) -> QuantizerSettings {
    var settings = base
    settings.isFloat8 = nil
    settings.activations = nil
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
    }
    return settings
  }
}
