import ModelLoader

extension JSONObject {
  /// Makes sure that a configuration describes a model that continues texts token by token, and
  /// asks for no scale or cap that no family here follows.
  ///
  /// - Throws: `CheckpointError.value` or `.unsupported` naming the key.
  func refuseOtherKinds() throws(CheckpointError) {
    let names = try stringsIfPresent("architectures") ?? []
    let heads = ["ForCausalLM", "ForConditionalGeneration", "LMHeadModel"]
    guard names.isEmpty || names.contains(where: { name in heads.contains { name.hasSuffix($0) } })
    else {
      throw wrong("architectures", expected: "a causal language model, such as Qwen3ForCausalLM")
    }
    for (key, usual) in [
      ("is_encoder_decoder", false), ("is_causal", true), ("use_bidirectional_attention", false),
    ] where try boolIfPresent(key) ?? usual != usual {
      throw .unsupported(file: file, feature: "\(key) \(!usual)")
    }
    for key in ["attn_logit_softcapping", "final_logit_softcapping"] where has(key) {
      throw .unsupported(file: file, feature: key)
    }
    for key in [
      "embedding_multiplier", "residual_multiplier", "attention_multiplier", "logits_scaling",
      "logit_scale", "scale_emb", "scale_depth",
    ] where try numberIfPresent(key, in: -1e9...1e9) ?? 1 != 1 {
      throw .unsupported(file: file, feature: "\(key) other than 1")
    }
  }
}
