import JSON
import ModelLoader

extension JSONObject {
  /// Makes sure that a configuration describes a model that continues texts token by token, and
  /// asks for no scale, cap or kind of position that no family here follows.
  ///
  /// - Throws: `CheckpointError.value` or `.unsupported` naming the key.
  func refuseOtherKinds() throws(CheckpointError) {
    let names = try stringsIfPresent("architectures") ?? []
    let heads = ["ForCausalLM", "ForConditionalGeneration", "LMHeadModel"]
    guard names.isEmpty || names.contains(where: { name in heads.contains { name.hasSuffix($0) } })
    else {
      throw wrong("architectures", expected: "a causal language model, such as Qwen3ForCausalLM")
    }
    try refuseOtherComputations()
    try objectIfPresent("text_config")?.refuseOtherComputations()
  }

  private func refuseOtherComputations() throws(CheckpointError) {
    for (key, usual) in [
      ("is_encoder_decoder", false), ("is_causal", true), ("use_bidirectional_attention", false),
      ("use_parallel_residual", false), ("attn_temperature_tuning", false),
      ("scale_embeddings", false), ("rope_interleaved", false), ("rope_interleave", false),
      ("attention_sinks", false), ("add_cross_attention", false),
    ] where try boolIfPresent(key) ?? usual != usual {
      throw .unsupported(file: file, feature: "\(key) \(!usual)")
    }
    for key in [
      "attn_logit_softcapping", "final_logit_softcapping", "clip_qkv", "query_pre_attn_scalar",
      "attention_chunk_size", "rope_local_base_freq", "swiglu_limit", "dim_model_base",
      "no_rope_layer_interval", "cross_attention_layers",
    ] where has(key) {
      throw .unsupported(file: file, feature: key)
    }
    for key in [
      "embedding_multiplier", "residual_multiplier", "attention_multiplier", "logits_scaling",
      "logit_scale", "lm_head_multiplier", "scale_emb", "scale_depth", "routed_scaling_factor",
    ] where try numberIfPresent(key, in: -1e9...1e9) ?? 1 != 1 {
      throw .unsupported(file: file, feature: "\(key) other than 1")
    }
    if try integersIfPresent("no_rope_layers", in: 0...1)?.contains(0) == true {
      throw .unsupported(file: file, feature: "no_rope_layers, layers without rotary positions,")
    }
  }

  /// What a configuration asks for and is not done, though the model works without, in words for
  /// warnings.
  public var unappliedKeys: [String] {
    let object = members["text_config"]?.object ?? members
    // Dual chunk attention (arXiv:2402.17463) counts the distances of tokens in other chunks anew.
    guard let chunks = object["dual_chunk_attention_config"]?.object else { return [] }
    func tokens(_ key: String) -> Int? {
      if case .integer(let number)? = chunks[key], SaneLimits.context.contains(number) {
        number
      } else {
        nil
      }
    }
    let length = tokens("chunk_size").map { max(0, $0 - (tokens("local_size") ?? 0)) }
    let words = length.map { "texts of more than \($0) tokens" } ?? "long texts"
    return ["dual_chunk_attention_config: \(words) continue otherwise than it says"]
  }
}
