import Tensors

/// What a quantized matrix looks like: bits, groups, the grid of values, and how scales are stored.
public struct QuantizationScheme: Sendable, Hashable, Codable {
  /// Where the values that codes stand for lie: `scale * (code - zero)`, codes 0 ... 2^bits - 1.
  public enum Grid: String, Sendable, Hashable, Codable, CaseIterable {
    /// `scale = 2 max|w| / (2^bits - 1)`, `zero = 2^(bits-1)`: the whole range of codes, as GPTQ's
    /// authors and compressed-tensors have it. The largest weight falls half a step outside or on
    /// the last code. (GPTQ's code spans half the range where no weight of a group is negative,
    /// which clips; here it never does.)
    case symmetric
    /// `scale = max|w| / (2^(bits-1) - 1)`, `zero = 2^(bits-1)`: the largest weight is met exactly.
    case absmax
    /// `scale = (max - min) / (2^bits - 1)`, `zero = rint(-min / scale)`, with min <= 0 <= max.
    case asymmetric
  }

  /// How a group's scale is found.
  public enum ScaleSearch: String, Sendable, Hashable, Codable, CaseIterable {
    /// From the group's extremes.
    case range
    /// The one of 80 scales, from the extremes down to a fifth of them, with the least sum of `|w -
    /// w'|^2.4` (GPTQ's `--mse`, `quant.py`: grid 100, shrink 0.8).
    case leastError
  }

  /// Bits of one code: 2, 3, 4 or 8.
  public let bits: Int
  /// Consecutive inputs that share a scale, or nil for one scale a row. Where the inputs are not a
  /// multiple of it the last group of every row is short.
  public let groupSize: Int?
  /// The values that codes stand for.
  public let grid: Grid
  /// F32, F16 or BF16: scales are rounded to this type before any code is chosen, so that what is
  /// stored is what was used.
  public let scaleType: DType
  /// How scales are found.
  public let scaleSearch: ScaleSearch

  /// Checks and keeps the values.
  ///
  /// - Throws: `QuantizerError.invalidSetting` for bits that are not 2, 3, 4 or 8, a group size
  ///   below 1, or a scale type that is not F32, F16 or BF16.
  public init(
    bits: Int = 4, groupSize: Int? = 128, grid: Grid = .symmetric, scaleType: DType = .f16,
    scaleSearch: ScaleSearch = .range
  ) throws(QuantizerError) {
    guard QuantizedMatrix.codeBits.contains(bits) else {
      throw .invalidSetting(name: "bits", found: "\(bits)", expected: "2, 3, 4 or 8")
    }
    if let groupSize, groupSize < 1 {
      throw .invalidSetting(name: "group size", found: "\(groupSize)", expected: "at least 1")
    }
    guard scaleType.isPlainFloat else {
      throw .invalidSetting(
        name: "scale type", found: scaleType.rawValue, expected: "F32, F16 or BF16")
    }
    self.bits = bits
    self.groupSize = groupSize
    self.grid = grid
    self.scaleType = scaleType
    self.scaleSearch = scaleSearch
  }

  /// Decodes and checks like `init(bits:groupSize:grid:scaleType:scaleSearch:)`.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      bits: values.decode(Int.self, forKey: .bits),
      groupSize: values.decodeIfPresent(Int.self, forKey: .groupSize),
      grid: values.decode(Grid.self, forKey: .grid),
      scaleType: values.decode(DType.self, forKey: .scaleType),
      scaleSearch: values.decode(ScaleSearch.self, forKey: .scaleSearch))
  }

  /// The largest code: `2^bits - 1`.
  var maxCode: Float { Float((1 << bits) - 1) }
  /// The zero point of the symmetric grids: `2^(bits-1)`.
  var middleCode: Float { Float(1 << (bits - 1)) }

  /// Inputs that share a scale in a matrix with `inFeatures` columns.
  func inputsPerGroup(inFeatures: Int) -> Int { min(groupSize ?? inFeatures, inFeatures) }
}
