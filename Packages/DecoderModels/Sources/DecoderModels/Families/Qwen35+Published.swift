import JSON
import MemoryPlanner
import ModelLoader

extension Qwen35 {
  /// The sizes in which the published models differ.
  public struct PublishedSizes: Sendable {
    /// Its repository on the hub.
    public let name: String
    let hidden: Int
    /// Of a dense feed-forward layer, or of each expert and the one that sees all tokens.
    let intermediate: Int
    let layers: Int
    let heads: Int
    let kvHeads: Int
    /// Value heads of linear attention, which has 16 key heads.
    let valueHeads: Int
    let isTied: Bool
    /// Experts of a layer and those that a token is sent to; nil for dense models.
    var experts: (count: Int, chosen: Int)?

    /// A configuration of these sizes, with other `layers` where they are given.
    public func configuration(layers: Int? = nil) -> JSONObject {
      var members: OrderedObject<JSONValue> = [
        "model_type": .string(experts == nil ? "qwen3_5_text" : "qwen3_5_moe_text"),
        "hidden_size": .integer(hidden), "intermediate_size": .integer(intermediate),
        "num_hidden_layers": .integer(layers ?? self.layers),
        "num_attention_heads": .integer(heads), "num_key_value_heads": .integer(kvHeads),
        "head_dim": .integer(256), "linear_num_key_heads": .integer(16),
        "linear_num_value_heads": .integer(valueHeads), "linear_key_head_dim": .integer(128),
        "linear_value_head_dim": .integer(128), "vocab_size": .integer(248_320),
        "max_position_embeddings": .integer(262_144), "tie_word_embeddings": .bool(isTied),
      ]
      if let experts {
        members["num_experts"] = .integer(experts.count)
        members["num_experts_per_tok"] = .integer(experts.chosen)
        members["moe_intermediate_size"] = .integer(intermediate)
        members["shared_expert_intermediate_size"] = .integer(intermediate)
      }
      return JSONObject(file: "\(name)/config.json", members: members)
    }
  }

  /// 0.8B to 27B, smallest first, and 35B-A3B with experts, by their model cards
  /// (huggingface.co/Qwen).
  public static let publishedSizes = [
    PublishedSizes(
      name: "Qwen/Qwen3.5-0.8B", hidden: 1024, intermediate: 3584, layers: 24, heads: 8,
      kvHeads: 2, valueHeads: 16, isTied: true),
    PublishedSizes(
      name: "Qwen/Qwen3.5-2B", hidden: 2048, intermediate: 6144, layers: 24, heads: 8,
      kvHeads: 2, valueHeads: 16, isTied: true),
    PublishedSizes(
      name: "Qwen/Qwen3.5-4B", hidden: 2560, intermediate: 9216, layers: 32, heads: 16,
      kvHeads: 4, valueHeads: 32, isTied: true),
    PublishedSizes(
      name: "Qwen/Qwen3.5-9B", hidden: 4096, intermediate: 12_288, layers: 32, heads: 16,
      kvHeads: 4, valueHeads: 32, isTied: false),
    PublishedSizes(
      name: "Qwen/Qwen3.5-27B", hidden: 5120, intermediate: 17_408, layers: 64, heads: 24,
      kvHeads: 4, valueHeads: 48, isTied: false),
    PublishedSizes(
      name: "Qwen/Qwen3.5-35B-A3B", hidden: 2048, intermediate: 512, layers: 40, heads: 16,
      kvHeads: 2, valueHeads: 32, isTied: false, experts: (256, 8)),
  ]

  /// What decides the memory of a published model.
  ///
  /// - Throws: `ModelError`, for no size that stands above.
  public static func shape(of sizes: PublishedSizes) throws(ModelError) -> ModelShape {
    try ModelFamilies.standard.family(for: sizes.configuration()).memoryShape(named: sizes.name)
  }
}
