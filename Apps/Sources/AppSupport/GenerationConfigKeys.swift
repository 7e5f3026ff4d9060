import JSON
import ModelLoader

/// What the keys of a `generation_config.json` mean here: those of transformers' `GenerationConfig`
/// and of the families' own files, applied, harmless or objected to.
public enum GenerationConfigKeys {
  /// What a file asks for that could change texts and is not done here, for a warning: settings that
  /// are not supported and not at the value at which they do nothing, and keys that are not known.
  public static func ignored(in config: JSONObject?) -> [String] {
    guard let config else { return [] }
    return config.members.keys.sorted().filter { key in
      guard !applied.contains(key), !harmless.contains(key) else { return false }
      return switch config.members[key] ?? .null {
      case .null, .bool(false): false
      case .array(let elements): !elements.isEmpty
      case .object(let object): !object.isEmpty
      case .string(let text): !(idleWords[key] ?? []).contains(text)
      case let value: value.double == nil || value.double != idleNumbers[key]
      }
    }
  }

  private static let applied: Set = [
    "do_sample", "temperature", "top_k", "top_p", "min_p", "repetition_penalty",
    "presence_penalty", "frequency_penalty", "no_repeat_ngram_size", "eos_token_id",
    "bos_token_id", "pad_token_id",
  ]

  /// Keys that change no text of a decoder: what is returned beside it, how fast it comes, how
  /// tokens are proposed, what only beams look at, and notes.
  private static let harmless: Set = [
    "use_cache", "cache_config", "max_cache_len", "return_legacy_cache", "use_mtp",
    "speculation_type", "prefill_chunk_size", "compile_config",
    "disable_compile", "low_memory", "continuous_batching_config", "output_attentions",
    "output_hidden_states", "output_scores", "output_logits", "return_dict_in_generate",
    "early_stopping", "length_penalty", "renormalize_logits", "remove_invalid_values",
    "decoder_start_token_id", "is_assistant", "num_assistant_tokens",
    "num_assistant_tokens_schedule", "assistant_confidence_threshold",
    "assistant_early_exit", "assistant_lookbehind", "target_lookbehind",
    "prompt_lookup_num_tokens", "max_matching_ngram_size", "transformers_version",
    "trust_remote_code", "_from_model_config", "_commit_hash", "_name_or_path",
    "generation_kwargs", "chat_format", "max_window_size", "user_token_id", "assistant_token_id",
  ]

  /// The number at which a setting does nothing.
  private static let idleNumbers: [String: Double] = [
    "num_beams": 1, "num_beam_groups": 1, "typical_p": 1, "epsilon_cutoff": 0, "eta_cutoff": 0,
    "top_h": 1, "penalty_alpha": 0, "encoder_repetition_penalty": 1,
    "encoder_no_repeat_ngram_size": 0, "guidance_scale": 1, "min_length": 0, "min_new_tokens": 0,
    "diversity_penalty": 0, "max_length": 20, "num_return_sequences": 1,
  ]

  /// The words at which a setting changes no bit of what is kept.
  private static let idleWords: [String: Set<String>] = [
    "cache_implementation": [
      "dynamic", "dynamic_full", "static", "hybrid", "hybrid_chunked", "offloaded",
      "offloaded_static", "offloaded_hybrid",
    ]
  ]
}
