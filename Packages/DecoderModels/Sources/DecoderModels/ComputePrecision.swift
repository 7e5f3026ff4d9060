import MemoryPlanner
import Tensors

/// How a model is computed: the numerics of its activations, and how its output head is held.
public struct ComputePrecision: Sendable, Hashable {
  /// How weights meet activations.
  public let numerics: Numerics
  /// How the output head is held.
  public let headBits: HeadBits

  /// These numerics and this head.
  public init(numerics: Numerics, headBits: HeadBits) {
    self.numerics = numerics
    self.headBits = headBits
  }

  /// The reference: activations as they are, the head as it is stored.
  public static let exact = ComputePrecision(numerics: .exact, headBits: .stored)

  /// The default for a model whose weights are stored in so many bits: the fastest whose added
  /// divergence from `exact` is at most a tenth of what those weights cost against BF16, and for
  /// BF16 weights what BF16 activations cost.
  ///
  /// `docs/numerics.md` has the measurements. The processor has no say, so that a seed gives one
  /// text everywhere.
  ///
  /// - Parameter bits: bits of most weights of the blocks, scales aside: see
  ///   `DecoderBlock.storedBits`.
  /// - Returns: numerics and head.
  public static func standard(forWeightsOf bits: Int) -> ComputePrecision {
    let numerics: Numerics =
      switch bits {
      case ...4: .int8
      case ...8: .int16
      default: .bf16
      }
    let headBits = WeightPrecision.headBits(forWeightsOf: bits)
    return ComputePrecision(
      numerics: numerics, headBits: HeadBits(rawValue: "\(headBits)") ?? .stored)
  }
}

extension DecoderBlock {
  /// The least number of bits that at least half of the weights of the linear layers are stored in,
  /// or in fewer.
  public var storedBits: Int {
    let weights = sites.flatMap(\.linears).map(\.weights).sorted { $0.bits < $1.bits }
    let counts = weights.map { $0.outFeatures * $0.inFeatures }
    let half = counts.reduce(0, +) / 2
    var seen = 0
    for (weights, count) in zip(weights, counts) {
      seen += count
      if seen >= half { return weights.bits }
    }
    return 16
  }
}

extension DecoderSource {
  /// What most weights of the blocks are stored in; reads the block in the middle, because the
  /// first and last are stored otherwise more often.
  ///
  /// - Throws: `ModelError.checkpoint` naming the tensor.
  public func storedBits() throws(ModelError) -> Int { try block(shape.layers / 2).storedBits }

  /// The default for this model.
  ///
  /// - Throws: `ModelError.checkpoint` naming the tensor.
  public func standardPrecision() throws(ModelError) -> ComputePrecision {
    .standard(forWeightsOf: try storedBits())
  }
}
