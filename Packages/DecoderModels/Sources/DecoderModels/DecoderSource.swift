import ModelLoader
import Tensors

/// Reads the parts of a decoder from a checkpoint one at a time, each checked against the configuration.
///
/// A loader takes all parts; a quantizer takes one block, works on it and lets it go.
public struct DecoderSource: Sendable {
  /// The folder the parts come from.
  public let checkpoint: Checkpoint
  /// Sizes and switches.
  public let config: DecoderConfig

  /// Reads the configuration and checks that the checkpoint has exactly as many layers as it says.
  ///
  /// - Throws: `ModelError.unknownFamily`, or `CheckpointError` naming the key or tensor.
  public init(_ checkpoint: Checkpoint) throws {
    self.checkpoint = checkpoint
    config = try ModelFamilies.decoderConfig(checkpoint.config)
    let beyond = "model.layers.\(config.layers)."
    if let extra = checkpoint.tensors.keys.sorted().first(where: { $0.hasPrefix(beyond) }) {
      throw CheckpointError.value(
        file: checkpoint.config.file, key: "num_hidden_layers",
        expected: "more than \(config.layers), as tensor \(extra) exists",
        found: "\(config.layers)")
    }
  }

  /// The token embedding, `[vocabulary, hidden]`.
  ///
  /// - Throws: `CheckpointError` or `TensorError` naming the tensor.
  public func embedding() throws -> any LinearWeights {
    try matrix("model.embed_tokens", rows: config.vocabularySize, columns: config.hiddenSize)
  }

  /// The token embedding as stored, `[vocabulary, hidden]`: enough for looking rows up, in half of the memory.
  ///
  /// - Throws: `CheckpointError` naming the tensor, also for one that is quantized.
  public func embeddingTensor() throws -> Tensor {
    let name = "model.embed_tokens"
    let rows = config.vocabularySize
    guard let info = try dense(name, rows: rows, columns: config.hiddenSize) else {
      throw CheckpointError.noTensor(
        directory: checkpoint.directory.path, tensor: name + ".weight")
    }
    return try checkpoint.tensor(named: info.name)
  }

  /// The output head `[vocabulary, hidden]`, or nil when the embedding serves.
  ///
  /// - Throws: `CheckpointError` or `TensorError` naming the tensor.
  public func untiedHead() throws -> (any LinearWeights)? {
    if config.tiesEmbeddings { return nil }
    return try matrix("lm_head", rows: config.vocabularySize, columns: config.hiddenSize)
  }

  /// The norm after the last block, `[hidden]`.
  ///
  /// - Throws: `CheckpointError` naming the tensor.
  public func finalNorm() throws -> [Float] { try vector("model.norm.weight", config.hiddenSize) }

  /// The name of a layer's projection, such as `model.layers.3.mlp.up_proj`.
  public static func name(of role: ProjectionRole, layer: Int) -> String {
    "model.layers.\(layer).\(role.name)"
  }

  /// Block `layer`.
  ///
  /// - Throws: `CheckpointError` or `TensorError` naming the tensor.
  public func block(_ layer: Int) throws -> DecoderBlock {
    let prefix = "model.layers.\(layer)."
    let perHead = config.normalizesQueriesAndKeys
    return try DecoderBlock(
      attentionNorm: vector(prefix + "input_layernorm.weight", config.hiddenSize),
      feedForwardNorm: vector(prefix + "post_attention_layernorm.weight", config.hiddenSize),
      queryNorm: perHead ? vector(prefix + "self_attn.q_norm.weight", config.headDimension) : nil,
      keyNorm: perHead ? vector(prefix + "self_attn.k_norm.weight", config.headDimension) : nil
    ) { role in
      let name = Self.name(of: role, layer: layer)
      let shape = role.shape(in: config)
      return DecoderBlock.Projection(
        weights: try matrix(name, rows: shape.outFeatures, columns: shape.inFeatures),
        bias: role.hasBias(in: config) ? try vector(name + ".bias", shape.outFeatures) : nil)
    }
  }

  /// The format most weights of the blocks are in; reads one matrix.
  ///
  /// - Throws: `CheckpointError` or `TensorError` naming the tensor.
  public func formatName() throws -> String {
    let shape = ProjectionRole.down.shape(in: config)
    return try matrix(
      Self.name(of: .down, layer: 0), rows: shape.outFeatures, columns: shape.inFeatures
    ).formatName
  }

  private func matrix(_ name: String, rows: Int, columns: Int) throws -> any LinearWeights {
    try checkpoint.weights(named: name, shape: [rows, columns])
  }

  /// The tensor of a matrix, or nil where it is quantized.
  private func dense(_ name: String, rows: Int, columns: Int) throws -> TensorInfo? {
    guard let info = try checkpoint.denseLinear(named: name) else { return nil }
    try check(name, info.shape, against: [rows, columns])
    return info
  }

  private func check(_ name: String, _ found: [Int], against expected: [Int]) throws {
    guard found == expected else {
      throw CheckpointError.shape(tensor: name + ".weight", expected: expected, found: found)
    }
  }

  private func vector(_ name: String, _ count: Int) throws -> [Float] {
    let shape = try checkpoint.info(of: name).shape
    guard shape == [count] else {
      throw CheckpointError.shape(tensor: name, expected: [count], found: shape)
    }
    return try checkpoint.floats(named: name)
  }
}
