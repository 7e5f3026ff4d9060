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
  /// - Parameters:
  ///   - bits: bits of most weights of the blocks, scales aside: see `DecoderBlock.storedBits`.
  ///   - roundsActivations: whether most of them round activations themselves (W8A8), which costs
  ///     more than anything that is left to choose: see `DecoderBlock.roundsActivations`.
  /// - Returns: numerics and head.
  public static func standard(
    forWeightsOf bits: Int, roundingActivations roundsActivations: Bool = false
  ) -> ComputePrecision {
    let numerics: Numerics =
      switch bits {
      case ...4: .int8
      case ...8: roundsActivations ? .int8 : .int16
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

  /// Whether at least half of the weights of the linear layers round activations to 8 bits or fewer
  /// themselves, whatever the numerics.
  public var roundsActivations: Bool {
    let weights = sites.flatMap(\.linears).map(\.weights)
    func count(_ weights: [any LinearWeights]) -> Int {
      weights.reduce(0) { $0 + $1.outFeatures * $1.inFeatures }
    }
    return count(weights.filter(\.roundsActivations)) * 2 >= count(weights) && !weights.isEmpty
  }
}

extension LinearWeights {
  fileprivate var roundsActivations: Bool {
    switch activations(for: .bf16) {
    case .int8, .float8, .between: true
    case .float, .bf16, .bf16Tiles, .int16: false
    }
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
    let block = try block(shape.layers / 2)
    return .standard(
      forWeightsOf: block.storedBits, roundingActivations: block.roundsActivations)
  }
}
