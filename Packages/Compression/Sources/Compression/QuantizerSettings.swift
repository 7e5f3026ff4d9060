import Quantizers
import Tensors

/// A quantization method and its settings, as people state them: by flags, in a rule, in
/// `bitbudget.json`.
///
/// The defaults are the paper's (arXiv:2510.10964): GPTQ, 4 bits, groups of 128, symmetric.
public struct QuantizerSettings: Sendable, Hashable, Codable {
  /// The methods.
  public enum Method: String, Sendable, Hashable, Codable, CaseIterable {
    /// arXiv:2210.17323.
    case gptq
    /// Half-quadratic quantization; needs no calibration.
    case hqq
    /// Rounding to nearest.
    case rtn
  }

  /// The method.
  public var method = Method.gptq
  /// Bits of a weight: 8, 4, 3 or 2.
  public var bits = 4
  /// Consecutive inputs that share a scale; nil for one scale a row.
  public var groupSize: Int? = 128
  /// The values that codes stand for.
  public var grid = QuantizationScheme.Grid.symmetric
  /// How scales are found (GPTQ and RTN).
  public var scaleSearch = QuantizationScheme.ScaleSearch.range
  /// True where weights become 8-bit floats (E4M3) by rounding to nearest, one scale a row,
  /// whatever the method.
  public var isFloat8: Bool?
  /// What becomes of the activations when the model runs.
  public var activations: TokenRounding?
  /// Inputs that stay floats, of a layer as wide as the residual stream; of wider ones as many
  /// times more. Where activations are rounded between their least and largest.
  public var outliers: Int?
  /// A layer whose largest activation is at most this has no outliers.
  public var outlierThreshold: Float?
  /// True where the inputs of the layer behind the feed-forward's product are rotated when the
  /// model runs.
  public var rotatesInputs: Bool?
  /// GPTQ: what is added to the Hessian's diagonal, as a part of its mean.
  public var damping: Float = 0.01
  /// GPTQ: the order in which columns are rounded.
  public var columnOrder = GPTQ.ColumnOrder.activation
  /// GPTQ: when the scales of groups are found.
  public var groupGrids = GPTQ.GroupGrids.fixed

  /// The defaults.
  public init() {}

  /// The method, made to store its scales as `scaleType`.
  ///
  /// - Throws: `QuantizerError.invalidSetting`.
  public func quantizer(scaleType: DType) throws(QuantizerError) -> any WeightQuantizer {
    let scheme = try QuantizationScheme(
      bits: bits, groupSize: groupSize, grid: grid, scaleType: scaleType, scaleSearch: scaleSearch)
    switch method {
    case .gptq:
      return try GPTQ(
        scheme: scheme, damping: damping, columnOrder: columnOrder, groupGrids: groupGrids)
    case .hqq: return try HQQ(scheme: scheme)
    case .rtn: return RoundToNearest(scheme: scheme)
    }
  }
}
