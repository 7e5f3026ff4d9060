import KVCaches

/// The shape of a decoder: everything the forward pass needs to know, whatever the family.
public struct DecoderConfig: Sendable, Hashable {
  /// Width of the residual stream.
  public var hiddenSize: Int
  /// Width of the gated feed-forward layer.
  public var intermediateSize: Int
  /// Number of blocks.
  public var layers: Int
  /// Query heads.
  public var heads: Int
  /// Key/value heads; each serves `heads / kvHeads` query heads.
  public var kvHeads: Int
  /// Values in one head, independent of `hiddenSize / heads`.
  public var headDimension: Int
  /// Rows of the embedding.
  public var vocabularySize: Int
  /// Most tokens a sequence may have.
  public var contextLength: Int
  /// Added to the mean square in every norm.
  public var normEpsilon: Float
  /// The rotary position embedding.
  public var rotary: RotaryConfig
  /// Whether queries and keys are normalised per head before they are rotated.
  public var normalizesQueriesAndKeys: Bool
  /// Which attention projections carry a bias.
  public var attentionBias: AttentionBias
  /// Whether the output head is the embedding.
  public var tiesEmbeddings: Bool

  /// The attention projections that carry a bias.
  public enum AttentionBias: Sendable, Hashable {
    case none
    /// On q, k and v, as Qwen2 has it.
    case queryKeyValue
    /// On q, k, v and o.
    case all
  }

  /// A shape of these parts.
  public init(
    hiddenSize: Int, intermediateSize: Int, layers: Int, heads: Int, kvHeads: Int,
    headDimension: Int, vocabularySize: Int, contextLength: Int, normEpsilon: Float,
    rotary: RotaryConfig, normalizesQueriesAndKeys: Bool, attentionBias: AttentionBias,
    tiesEmbeddings: Bool
  ) {
    self.hiddenSize = hiddenSize
    self.intermediateSize = intermediateSize
    self.layers = layers
    self.heads = heads
    self.kvHeads = kvHeads
    self.headDimension = headDimension
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    self.normEpsilon = normEpsilon
    self.rotary = rotary
    self.normalizesQueriesAndKeys = normalizesQueriesAndKeys
    self.attentionBias = attentionBias
    self.tiesEmbeddings = tiesEmbeddings
  }

  /// Query heads that share one KV head.
  public var groupSize: Int { heads / kvHeads }
  /// The sizes of a cache for all layers.
  public var cacheShape: KVShape {
    KVShape(layers: layers, kvHeads: kvHeads, headDimension: headDimension)
  }
}
