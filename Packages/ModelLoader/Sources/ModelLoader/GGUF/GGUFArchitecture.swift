/// The architectures of GGUF files that are read, and what sets them apart.
struct GGUFArchitecture: Sendable {
  /// How a block is built and its keys are called.
  enum Style: Sendable {
    /// Attention and a gated feed-forward layer, behind a norm each.
    case llama
    case falcon
    /// As `llama`, with linear attention in most blocks.
    case hybrid(GGUFDeltaOrder)
  }

  /// As `general.architecture` has it; its keys begin with that.
  let name: String
  /// The same family's `model_type` in `config.json`.
  let modelType: String
  /// The class in `architectures` there.
  let className: String
  var style = Style.llama
  /// Whether there are experts in place of the feed-forward layers; hybrids have one among them
  /// that sees all tokens.
  var hasExperts = false
  /// Whether `quantize` writes such files.
  var isWritten = false

  /// Whether most blocks have linear attention.
  var isHybrid: Bool { if case .hybrid = style { true } else { false } }

  var isFalcon: Bool { if case .falcon = style { true } else { false } }

  /// In the order in which messages list them. Split into projections and halves as GGUF has them,
  /// a Qwen3-Next model is one of Qwen3.5 with experts.
  static let all = [
    GGUFArchitecture(
      name: "llama", modelType: "llama", className: "LlamaForCausalLM", isWritten: true),
    GGUFArchitecture(
      name: "qwen2", modelType: "qwen2", className: "Qwen2ForCausalLM", isWritten: true),
    GGUFArchitecture(
      name: "qwen3", modelType: "qwen3", className: "Qwen3ForCausalLM", isWritten: true),
    GGUFArchitecture(
      name: "qwen3moe", modelType: "qwen3_moe", className: "Qwen3MoeForCausalLM",
      hasExperts: true, isWritten: true),
    GGUFArchitecture(
      name: "qwen3next", modelType: "qwen3_5_moe_text", className: "Qwen3_5MoeForCausalLM",
      style: .hybrid(.grouped), hasExperts: true),
    GGUFArchitecture(
      name: "qwen35", modelType: "qwen3_5_text", className: "Qwen3_5ForCausalLM",
      style: .hybrid(.tiled)),
    GGUFArchitecture(
      name: "qwen35moe", modelType: "qwen3_5_moe_text", className: "Qwen3_5MoeForCausalLM",
      style: .hybrid(.tiled), hasExperts: true),
    GGUFArchitecture(
      name: "falcon", modelType: "falcon", className: "FalconForCausalLM", style: .falcon,
      isWritten: true),
  ]

  /// The architecture of a file.
  ///
  /// - Throws: `.unsupported` naming one that is not read and those that are; `.value` where the
  ///   file names none.
  static func of(_ metadata: GGUFMetadata) throws(CheckpointError) -> GGUFArchitecture {
    let name = try metadata.architecture()
    guard let architecture = all.first(where: { $0.name == name }) else {
      throw .unsupported(
        file: metadata.file,
        feature: "GGUF architecture \(name) (read are "
          + all.map(\.name).joined(separator: ", ")
          + "; other families are read from folders of safetensors)")
    }
    return architecture
  }

  /// The architecture that a folder's model is written as; nil for a family that is not.
  static func written(modelType: String) -> GGUFArchitecture? {
    all.first { $0.isWritten && $0.modelType == modelType }
  }
}
