import DecoderModels
import ModelLoader

/// A model family of one's own: its name in `config.json`, its tensors, how its blocks are put
/// together.
struct OwnFamily: ModelFamily {
  static let modelTypes = ["consumer"]

  let shape: DecoderShape
  private let intermediate: Int
  private let epsilon: Float

  init(_ config: JSONObject) throws(CheckpointError) {
    let heads = AttentionHeads(
      queries: try config.integer("num_attention_heads", in: SaneLimits.heads),
      keyValues: try config.integer("num_key_value_heads", in: SaneLimits.heads),
      dimension: try config.integer("head_dim", in: SaneLimits.width))
    shape = DecoderShape(
      hiddenSize: try config.integer("hidden_size", in: SaneLimits.width),
      layers: try config.integer("num_hidden_layers", in: SaneLimits.layers),
      vocabularySize: try config.integer("vocab_size", in: SaneLimits.vocabulary),
      contextLength: try config.integer("max_position_embeddings", in: SaneLimits.context),
      heads: heads,
      rotary: RotaryConfig(
        theta: try config.number("rope_theta", in: 1...1e9), dimension: heads.dimension),
      tiesEmbeddings: true)
    intermediate = try config.integer("intermediate_size", in: SaneLimits.width)
    epsilon = Float(try config.number("rms_norm_eps", in: SaneLimits.epsilon))
  }

  func prefix(ofLayer layer: Int) -> String { "model.layers.\(layer)." }

  func embedding(from source: any TensorSource) throws(CheckpointError) -> TokenEmbedding {
    TokenEmbedding(
      tokens: try source.matrix(
        "model.embed_tokens", rows: shape.vocabularySize, columns: shape.hiddenSize))
  }

  func block(_ layer: Int, from source: any TensorSource) throws(CheckpointError) -> DecoderBlock {
    let (prefix, hidden, heads) = (prefix(ofLayer: layer), shape.hiddenSize, shape.heads)
    func linear(_ name: String, _ rows: Int, _ columns: Int) throws(CheckpointError) -> Linear {
      try source.linear(prefix + name, rows: rows, columns: columns)
    }
    func norm(_ name: String, _ count: Int) throws(CheckpointError) -> Norm {
      try source.rmsNorm(prefix + name, count, epsilon: epsilon)
    }
    return DecoderBlock(
      .preNorm,
      norms: [
        try norm("input_layernorm", hidden), try norm("post_attention_layernorm", hidden),
      ],
      mixer: Attention(
        heads,
        inputs: .separate(
          query: try linear("self_attn.q_proj", heads.queryWidth, hidden),
          key: try linear("self_attn.k_proj", heads.keyWidth, hidden),
          value: try linear("self_attn.v_proj", heads.keyWidth, hidden)),
        output: try linear("self_attn.o_proj", hidden, heads.queryWidth),
        queryNorm: try norm("self_attn.q_norm", heads.dimension),
        keyNorm: try norm("self_attn.k_norm", heads.dimension),
        position: shape.rotary.map { .rotary($0) } ?? .none),
      feedForward: GatedFeedForward(
        gate: try linear("mlp.gate_proj", intermediate, hidden),
        up: try linear("mlp.up_proj", intermediate, hidden),
        down: try linear("mlp.down_proj", hidden, intermediate)))
  }

  func head(from source: any TensorSource) throws(CheckpointError) -> OutputHead {
    OutputHead(
      norm: try source.rmsNorm("model.norm", shape.hiddenSize, epsilon: epsilon), weights: nil)
  }
}
