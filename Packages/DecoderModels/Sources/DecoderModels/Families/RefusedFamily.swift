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
      modelTypes: [
        "gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma3n_text", "gemma4",
        "gemma4_text",
      ],
      reason:
        "Gemma scales embeddings, has norms behind the parts of a block as well, and GELU in its tanh form"
    ),
    RefusedFamily(
      modelTypes: ["phi", "phi3", "phi3small", "phi4", "phi4mm", "phi4_multimodal", "phimoe"],
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
      modelTypes: [
        "deepseek", "deepseek_v2", "deepseek_v3", "deepseek_v32", "kimi_k2", "kimi_k25",
        "glm_moe_dsa", "longcat_flash", "minicpm3",
      ],
      reason:
        "such models keep keys and values in a latent form, and most route by groups of experts"),
    RefusedFamily(
      modelTypes: ["glm", "glm4", "glm4_moe", "glm4_moe_lite", "glm4v", "glm4v_moe", "chatglm"],
      reason:
        "GLM rotates a part of each head alone, and fuses gate and up or routes by groups of experts"
    ),
    RefusedFamily(
      modelTypes: ["llama4", "llama4_text"],
      reason: "Llama 4 has experts beside a dense layer, and layers without rotary positions"),
    RefusedFamily(
      modelTypes: ["mistral3", "ministral3", "pixtral", "ministral"],
      reason: "only the text models of Mistral are served"),
    RefusedFamily(
      modelTypes: [
        "qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen2_audio", "qwen2_5_omni",
        "qwen3_omni_moe", "llava", "llava_next", "internvl_chat", "mllama", "idefics3", "smolvlm",
      ],
      reason: "models of images and sound are not served"),
    RefusedFamily(
      modelTypes: ["smollm3", "exaone4"], reason: "some of its layers have no rotary positions"),
    RefusedFamily(
      modelTypes: [
        "olmo", "olmo2", "olmo3", "olmoe", "granite", "granitemoe", "granitemoeshared", "cohere",
        "cohere2", "minicpm", "nemotron", "apertus",
      ],
      reason: "its norms, scales or logits differ from Llama's"),
    RefusedFamily(
      modelTypes: [
        "minimax_m2", "ernie4_5_moe", "hunyuan_v1_moe", "dots1", "bailing_moe", "bailing_moe_v2",
        "mimo_v2_flash", "dbrx", "step3",
      ],
      reason: "its experts are routed by another rule than Qwen's"),
    RefusedFamily(
      modelTypes: [
        "qwen", "baichuan", "internlm2", "exaone", "ernie4_5", "hunyuan_v1_dense", "seed_oss",
        "mimo",
      ],
      reason: "its biases, norms or names of tensors stand elsewhere than Llama's"),
    RefusedFamily(
      modelTypes: [
        "gpt2", "gpt_neox", "gptj", "gpt_bigcode", "bloom", "mpt", "stablelm", "starcoder2",
      ],
      reason: "an older form of decoder that is not read"),
    RefusedFamily(
      modelTypes: [
        "mamba", "mamba2", "jamba", "nemotron_h", "lfm2", "lfm2_moe", "rwkv", "rwkv7",
        "falcon_mamba", "falcon_h1", "granitemoehybrid", "bamba", "zamba2", "recurrent_gemma",
        "kimi_linear", "minimax",
      ],
      reason: "its layers without attention are of another kind"),
  ]
}
