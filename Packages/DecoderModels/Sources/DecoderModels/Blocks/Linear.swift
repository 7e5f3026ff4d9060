import ModelLoader
import Tensors

/// A linear layer, `y = x W^T + b`: what the checkpoint calls it, its weights in whatever format,
/// its bias.
public struct Linear: Sendable {
  /// Its name in the checkpoint, such as `model.layers.3.mlp.up_proj`.
  public let name: String
  /// `[out, in]`.
  public var weights: any LinearWeights
  /// `[out]`.
  public var bias: [Float]?
  /// Where the weights are stored, unless in a tensor of their own.
  public let part: StackedMatrix?

  /// A layer of these parts.
  public init(
    name: String, weights: any LinearWeights, bias: [Float]? = nil, part: StackedMatrix? = nil
  ) {
    self.name = name
    self.weights = weights
    self.bias = bias
    self.part = part
  }

  /// The tensor that its weights are stored in, where they are not quantized.
  public var storedName: String { part?.tensor ?? name + ".weight" }
  /// Bytes in memory.
  public var byteCount: Int { weights.byteCount + (bias?.count ?? 0) * 4 }
}

/// The linear layers of a block that multiply one input: all that a quantizer has to know of a
/// block.
public struct Site: Sendable {
  /// The layers; their weights may be replaced by others of the same sizes.
  public var linears: [Linear]
  /// Whether the input is that of the whole part (mixer or feed-forward), not something computed
  /// inside of it.
  public let isPartInput: Bool
  /// The part of all tokens that multiply it, on average; 1 but for experts.
  public let share: Double
  /// Which of the block's norms gives the input, where rescaling that norm rescales the input and
  /// nothing else.
  public internal(set) var norm: Int?
  /// Which of the block's steps computes the input; see `DecoderBlock.stepCount`.
  public internal(set) var step = 0

  /// A site of at least one layer.
  public init(_ linears: [Linear], isPartInput: Bool, share: Double = 1) {
    self.share = share
    self.linears = linears
    self.isPartInput = isPartInput
  }

  /// Width of the input.
  public var inFeatures: Int { linears.first?.weights.inFeatures ?? 0 }
  /// Multiply-adds that one row takes.
  public var products: Int {
    linears.reduce(0) { $0 + $1.weights.outFeatures * $1.weights.inFeatures }
  }
}
