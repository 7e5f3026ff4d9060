import Kernels

/// How weights meet activations, where the weights do not say it themselves: see `TokenRounding`.
public enum Numerics: String, Sendable, Hashable, Codable, CaseIterable {
  /// Weights are converted to F32 and multiplied with the activations as they are.
  case exact
  /// Activations are quantized to 16 bits, one scale for each row and group of at most 128 inputs,
  /// wherever the weights are integer codes; sums inside a group are then integers. All else as
  /// `exact` has it.
  case int16
  /// Activations are quantized to 8 bits, one scale for each row and group of at most 128 inputs,
  /// wherever the weights are integer codes; sums inside a group are then integers. Queries and
  /// weights of attention likewise wherever a cache holds codes. All else as `bf16` has it.
  case int8
  /// Activations are rounded to BF16 wherever the weights are BF16; their products are exact and
  /// summed in F32. Likewise the queries and weights of attention, wherever a cache holds BF16. All
  /// else as `exact` has it.
  case bf16
  /// As `int8`, with the products of BF16, those of attention too, as `bf16Tiles` has them.
  case int8Tiles = "int8-tiles"
  /// As `bf16`, summed in the order of the tile instruction `tdpbf16ps`: of 32 inputs the even and
  /// the odd products apart. The fastest where there are tiles.
  case bf16Tiles = "bf16-tiles"

  /// The fastest on this processor for weights of which most are stored in so many bits.
  public static func fastest(forWeightsOf bits: Int) -> Numerics {
    let isa = bb_kernels().pointee.isa
    if bits <= 8 { return isa == BB_ISA_AMX ? .int8Tiles : .int8 }
    return isa == BB_ISA_AMX ? .bf16Tiles : isa == BB_ISA_AVX512BF16 ? .bf16 : .exact
  }

  /// What activations become for a matrix of integer codes.
  ///
  /// - Parameter group: inputs that share a scale of activations.
  /// - Returns: the form in which kernels take the activations.
  public func activations(forCodesInGroupsOf group: Int) -> ActivationScheme {
    switch self {
    case .int8 where group <= ActivationScheme.longestInt8Group,
      .int8Tiles where group <= ActivationScheme.longestInt8Group:
      .int8(group: group)
    case .int16 where group <= ActivationScheme.longestInt16Group: .int16(group: group)
    default: .float
    }
  }

  /// What activations become for a matrix of integer codes that share scales in groups.
  ///
  /// - Parameters:
  ///   - size: inputs that share a scale.
  ///   - inputs: inputs of the matrix.
  /// - Returns: the form in which kernels take the activations.
  public func activations(forCodesSharingScalesBy size: Int, of inputs: Int) -> ActivationScheme {
    activations(forCodesInGroupsOf: bb_activation_group(size, inputs))
  }

  /// What activations become for a matrix of BF16.
  public var activationsForBF16: ActivationScheme {
    switch self {
    case .exact, .int16: .float
    case .bf16, .int8: .bf16
    case .bf16Tiles, .int8Tiles: .bf16Tiles
    }
  }
}

/// What rows of activations are made into before weights multiply them.
public enum ActivationScheme: Sendable, Hashable {
  /// Nothing: F32 as they are.
  case float
  /// BF16, rounded to nearest even.
  case bf16
  /// The same, summed in the order of the tile instruction: see `Numerics.bf16Tiles`.
  case bf16Tiles
  /// Integers of 8 bits with a scale for each row and `group` inputs: scale = max magnitude / 127.
  case int8(group: Int)
  /// The same with 16 bits: scale = max magnitude / 32767.
  case int16(group: Int)
  /// Floats of 8 bits (E4M3) with a scale for each row, held as BF16: scale = max magnitude / 448.
  case float8
  /// Codes of 8 or 4 bits between the least and the largest of a row, with a scale and an offset
  /// for each row.
  case between(bits: Int)

  /// Products of that many 8-bit codes and 8-bit activations fit 32 bits.
  static let longestInt8Group = 65_536
  /// Products of that many 8-bit codes and 16-bit activations fit 32 bits.
  static let longestInt16Group = 256

  /// The form in which kernels take them.
  var format: bb_activation_format {
    switch self {
    case .float: BB_ACTIVATIONS_F32
    case .bf16, .float8: BB_ACTIVATIONS_BF16
    case .bf16Tiles: BB_ACTIVATIONS_BF16_CHAINS
    case .int8, .between: BB_ACTIVATIONS_INT8
    case .int16: BB_ACTIVATIONS_INT16
    }
  }

  /// Inputs that share a scale, of integers.
  var group: Int? {
    switch self {
    case .float, .bf16, .bf16Tiles, .float8, .between: nil
    case .int8(let group), .int16(let group): group
    }
  }

  /// Bytes of one activation, scales aside.
  public var elementBytes: Int {
    switch self {
    case .float: 4
    case .bf16, .bf16Tiles, .int16, .float8: 2
    case .int8, .between: 1
    }
  }

  /// What a product costs, in parts of one of F32.
  var costDivisor: Int {
    switch self {
    case .float: 1
    case .bf16, .bf16Tiles, .int16, .float8: 2
    case .int8, .between: 4
    }
  }
}
