import ModelLoader
import Tensors

/// The weights of one decoder block, each matrix in whatever format it was stored.
public struct DecoderBlock: Sendable {
  /// A projection and its optional bias `[out]`.
  public struct Projection: Sendable {
    /// `[out, in]`.
    public var weights: any LinearWeights
    /// `[out]`.
    public var bias: [Float]?

    /// A projection.
    public init(weights: any LinearWeights, bias: [Float]? = nil) {
      self.weights = weights
      self.bias = bias
    }
  }

  /// Norm before attention, `[hidden]`.
  public var attentionNorm: [Float]
  /// Norm before the feed-forward layer, `[hidden]`.
  public var feedForwardNorm: [Float]
  /// Per-head norms of queries and keys, `[headDimension]`, where the family has them.
  public var queryNorm: [Float]?
  /// See `queryNorm`.
  public var keyNorm: [Float]?
  /// The linear layers, by the number of their role.
  private(set) var projections: [Projection]

  /// A block of these parts; `projection` makes each linear layer, in the order of the roles.
  ///
  /// - Throws: what `projection` throws.
  public init(
    attentionNorm: [Float], feedForwardNorm: [Float], queryNorm: [Float]?, keyNorm: [Float]?,
    projection: (ProjectionRole) throws -> Projection
  ) rethrows {
    self.attentionNorm = attentionNorm
    self.feedForwardNorm = feedForwardNorm
    self.queryNorm = queryNorm
    self.keyNorm = keyNorm
    projections = try ProjectionRole.allCases.map(projection)
  }

  /// The linear layer that plays a part.
  public subscript(_ role: ProjectionRole) -> Projection {
    get { projections[role.rawValue] }
    set { projections[role.rawValue] = newValue }
  }
}

/// The linear layers of a block, by the part they play.
public enum ProjectionRole: Int, Sendable, CaseIterable {
  case query, key, value, output, gate, up, down

  /// What checkpoints call it, within a layer.
  var name: String {
    switch self {
    case .query: "self_attn.q_proj"
    case .key: "self_attn.k_proj"
    case .value: "self_attn.v_proj"
    case .output: "self_attn.o_proj"
    case .gate: "mlp.gate_proj"
    case .up: "mlp.up_proj"
    case .down: "mlp.down_proj"
    }
  }

  /// `[out, in]` of this layer in a model.
  public func shape(in config: DecoderConfig) -> (outFeatures: Int, inFeatures: Int) {
    let queryWidth = config.heads * config.headDimension
    let keyWidth = config.kvHeads * config.headDimension
    return switch self {
    case .query: (queryWidth, config.hiddenSize)
    case .key, .value: (keyWidth, config.hiddenSize)
    case .output: (config.hiddenSize, queryWidth)
    case .gate, .up: (config.intermediateSize, config.hiddenSize)
    case .down: (config.hiddenSize, config.intermediateSize)
    }
  }

  func hasBias(in config: DecoderConfig) -> Bool {
    switch (config.attentionBias, self) {
    case (.queryKeyValue, .query), (.queryKeyValue, .key), (.queryKeyValue, .value): true
    case (.all, .query), (.all, .key), (.all, .value), (.all, .output): true
    default: false
    }
  }
}

/// How the output head is held in memory.
public enum HeadBits: String, Sendable, Hashable, Codable, CaseIterable {
  /// As it is stored, usually in 16 bits, which is what the paper does.
  case stored = "16"
  /// Rounded to 8 bits where it is stored as floats.
  case eight = "8"

  func hold(_ weights: any LinearWeights) throws(TensorError) -> any LinearWeights {
    self == .eight ? try WeightPacking.rounded(weights) : weights
  }
}

/// A whole model in memory: embedding, blocks, final norm and head.
public struct Decoder: Sendable {
  /// Sizes and switches.
  public let config: DecoderConfig
  /// `[vocabulary, hidden]`.
  public let embedding: any LinearWeights
  /// The blocks, first to last.
  public let blocks: [DecoderBlock]
  /// `[hidden]`.
  public let finalNorm: [Float]
  /// `[vocabulary, hidden]`; nil where the embedding serves.
  public let untiedHead: (any LinearWeights)?

  /// The output head `[vocabulary, hidden]`.
  public var head: any LinearWeights { untiedHead ?? embedding }

  /// Reads a model, tensor by tensor, into its packed form; `progress` is told the blocks read so far.
  ///
  /// - Parameters:
  ///   - checkpoint: where the weights are.
  ///   - headBits: how the head is held: as it is stored, or rounded to 8 bits; an embedding that serves as the head is
  ///     rounded with it.
  ///   - progress: is told the blocks read so far, and of how many.
  /// - Throws: `CheckpointError`, `ModelError` or `TensorError` naming the file, tensor or key.
  public init(
    _ checkpoint: Checkpoint, headBits: HeadBits = .stored,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    let source = try DecoderSource(checkpoint)
    config = source.config
    let isTied = config.tiesEmbeddings
    embedding = isTied ? try headBits.hold(source.embedding()) : try source.embedding()
    blocks = try (0..<config.layers).map { layer in
      progress(layer, source.config.layers)
      return try source.block(layer)
    }
    finalNorm = try source.finalNorm()
    untiedHead = try source.untiedHead().map { try headBits.hold($0) }
    try checkpoint.verifyUnchanged()
    progress(config.layers, config.layers)
  }

  /// A model of these parts, whose shapes must be those of `config`.
  public init(
    config: DecoderConfig, embedding: any LinearWeights, blocks: [DecoderBlock],
    finalNorm: [Float], untiedHead: (any LinearWeights)?
  ) {
    self.config = config
    self.embedding = embedding
    self.blocks = blocks
    self.finalNorm = finalNorm
    self.untiedHead = untiedHead
  }

  /// Bytes of all weights in memory.
  public var weightBytes: Int {
    var bytes = embedding.byteCount + (untiedHead?.byteCount ?? 0) + finalNorm.count * 4
    for block in blocks {
      bytes += block.attentionNorm.count * 4 + block.feedForwardNorm.count * 4
      bytes += ((block.queryNorm?.count ?? 0) + (block.keyNorm?.count ?? 0)) * 4
      for projection in block.projections {
        bytes += projection.weights.byteCount + (projection.bias?.count ?? 0) * 4
      }
    }
    return bytes
  }

  /// The format most weights of the blocks are in.
  public var formatName: String {
    blocks.first?[.down].weights.formatName ?? embedding.formatName
  }
}
