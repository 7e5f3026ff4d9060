/// Families that people ask for and that are not served, with what of them is missing here.
struct RefusedFamily {
  private let modelTypes: [String]
  private let reason: String

  /// Why models of this type are not served; nil where nothing is known of it.
  static func reason(of modelType: String) -> String? {
    known.first { $0.modelTypes.contains(modelType) }?.reason
  }

  private static let known = [
    RefusedFamily(
      modelTypes: ["gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma3n_text"],
      reason:
        "Gemma scales embeddings, has norms behind the parts of a block as well, and GELU in its tanh form"
    ),
    RefusedFamily(
      modelTypes: ["phi", "phi3", "phi4", "phimoe"],
      reason: "Phi fuses q, k and v as well as gate and up, and has long and short rotary factors"),
    RefusedFamily(
      modelTypes: ["gpt_oss"],
      reason:
        "gpt-oss has attention sinks, experts with biases and a clamped activation, and MXFP4 weights"
    ),
    RefusedFamily(
      modelTypes: ["mixtral"], reason: "Mixtral names and weighs its experts in another way"),
    RefusedFamily(
      modelTypes: ["qwen2_moe"], reason: "the experts of Qwen1.5 and Qwen2 are not read"),
    RefusedFamily(
      modelTypes: ["deepseek", "deepseek_v2", "deepseek_v3", "kimi_k2"],
      reason: "DeepSeek keeps keys and values in a latent form, and routes by groups of experts"),
    RefusedFamily(
      modelTypes: ["glm", "glm4", "glm4_moe", "chatglm"],
      reason: "GLM rotates half of each head in pairs, and fuses gate and up"),
    RefusedFamily(
      modelTypes: ["llama4", "llama4_text"],
      reason: "Llama 4 has experts beside a dense layer, and layers without rotary positions"),
    RefusedFamily(
      modelTypes: ["mistral3", "pixtral", "ministral"],
      reason: "only the text models of Mistral are served"),
    RefusedFamily(
      modelTypes: ["qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen2_audio"],
      reason: "models of images and sound are not served"),
    RefusedFamily(
      modelTypes: ["smollm3"], reason: "some of its layers have no rotary positions"),
    RefusedFamily(
      modelTypes: ["olmo", "olmo2", "olmo3", "granite", "granitemoe", "cohere", "cohere2"],
      reason: "its norms, scales or logits differ from Llama's"),
    RefusedFamily(
      modelTypes: ["gpt2", "gpt_neox", "gptj", "bloom", "mpt", "stablelm", "starcoder2"],
      reason: "an older form of decoder that is not read"),
    RefusedFamily(
      modelTypes: ["mamba", "mamba2", "jamba", "nemotron_h", "lfm2", "rwkv", "falcon_mamba"],
      reason: "its layers without attention are of another kind"),
  ]
}
