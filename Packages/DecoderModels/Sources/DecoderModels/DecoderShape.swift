import KVCaches

/// The sizes of a decoder that hold for all of its blocks, whatever the family.
public struct DecoderShape: Sendable, Hashable {
  /// Width of the residual stream.
  public let hiddenSize: Int
  /// Number of blocks.
  public let layers: Int
  /// Rows of the embedding.
  public let vocabularySize: Int
  /// Most tokens a sequence may have.
  public let contextLength: Int
  /// Sizes of the layers that attend.
  public let heads: AttentionHeads
  /// The rotary position embedding, where there is one.
  public let rotary: RotaryConfig?
  /// Whether the output head is the embedding.
  public let tiesEmbeddings: Bool
  /// For each layer the floats of the state that it holds in place of keys and values; empty where
  /// all attend.
  public let fixedFloats: [Int]
  /// For each layer how many tokens a query sees, its own included; 0 for all. Empty where all
  /// layers see all.
  public let windows: [Int]

  /// Sizes; without `fixedFloats` every block keeps keys and values, without `windows` those of all
  /// tokens.
  public init(
    hiddenSize: Int, layers: Int, vocabularySize: Int, contextLength: Int, heads: AttentionHeads,
    rotary: RotaryConfig?, tiesEmbeddings: Bool, fixedFloats: [Int] = [],
    windows: [Int] = []
  ) {
    self.hiddenSize = hiddenSize
    self.layers = layers
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    self.heads = heads
    self.rotary = rotary
    self.tiesEmbeddings = tiesEmbeddings
    self.fixedFloats = fixedFloats
    self.windows = windows
  }

  /// The sizes of a sequence's cache.
  public var cacheShape: KVShape {
    KVShape(
      layers: layers, kvHeads: heads.keyValues, headDimension: heads.dimension,
      fixedFloats: fixedFloats, windows: windows)
  }
}
