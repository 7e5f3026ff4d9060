import MemoryPlanner
import Quantizers

extension WeightScheme {
  /// What it makes of settings: of these only order, damping and the times of scales stay.
  ///
  /// Source: arXiv:2411.02355, section 3 (the three formats and how their weights are found);
  /// arXiv:2310.09259 (QUIK); arXiv:2404.00456 (QuaRot).
  public func settings(from base: QuantizerSettings) -> QuantizerSettings {
    var settings = base
    settings.isFloat8 = nil
    settings.activations = nil
    settings.rotatesInputs = nil
    (settings.method, settings.bits, settings.groupSize) = (.gptq, bits, groupSize)
    switch self {
    case .w8a8Integer:
      (settings.grid, settings.scaleSearch) = (.absmax, .range)
      settings.activations = .int8
    case .w8a8Float:
      settings.method = .rtn
      (settings.grid, settings.scaleSearch) = (.absmax, .range)
      (settings.isFloat8, settings.activations) = (true, .float8)
    case .w4a16:
      (settings.grid, settings.scaleSearch) = (.symmetric, .leastError)
    case .quikW4A4, .w4a4Rotated:
      (settings.grid, settings.scaleSearch) = (.absmax, .leastError)
      settings.activations = .between4
      settings.rotatesInputs = self == .w4a4Rotated ? true : nil
    }
    let hasOutliers = self == .quikW4A4
    settings.outliers = hasOutliers ? base.outliers : nil
    settings.outlierThreshold = hasOutliers ? base.outlierThreshold : nil
    return settings
  }

  /// Those of the layers behind the product of a feed-forward layer, where they differ.
  func wideSettings(from base: QuantizerSettings) -> QuantizerSettings? {
    guard self == .quikW4A4 else { return nil }
    var settings = settings(from: base)
    (settings.bits, settings.activations) = (wideBits, .between8)
    settings.scaleSearch = .range
    settings.outlierThreshold = base.outlierThreshold.map { 2 * $0 }
    return settings
  }
}
