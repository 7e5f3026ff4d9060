import ModelLoader
import Testing

@testable import DecoderModels

@Suite("Configurations of models of other kinds")
struct OtherKindsTests {
  private func check(_ members: String) throws {
    try JSONObject(parsing: Array("{\(members)}".utf8), file: "config.json").refuseOtherKinds()
  }

  @Test(arguments: [
    #""architectures": ["BertModel"]"#, #""architectures": ["Qwen3ForSequenceClassification"]"#,
    #""architectures": 5"#, #""is_encoder_decoder": true"#, #""is_causal": false"#,
    #""use_bidirectional_attention": true"#, #""final_logit_softcapping": 30.0"#,
    #""embedding_multiplier": 12"#, #""logit_scale": 0.0625"#, #""clip_qkv": 8.0"#,
    #""query_pre_attn_scalar": 256"#, #""attention_chunk_size": 8192"#,
    #""use_parallel_residual": true"#, #""attn_temperature_tuning": true"#,
    #""scale_embeddings": true"#, #""rope_local_base_freq": 10000.0"#,
    #""routed_scaling_factor": 2.5"#, #""lm_head_multiplier": 0.5"#,
    #""no_rope_layers": [1, 1, 1, 0]"#, #""rope_interleaved": true"#, #""swiglu_limit": 7.0"#,
    #""attention_sinks": true"#, #""dim_model_base": 256"#, #""no_rope_layer_interval": 4"#,
    #""add_cross_attention": true"#, #""cross_attention_layers": [1]"#,
  ])
  func areRefused(members: String) throws {
    let key = members.split(separator: "\"").first.map(String.init) ?? ""
    #expect { try check(members) } throws: { "\($0)".contains(key) }
  }

  @Test(arguments: [
    "", #""architectures": []"#, #""architectures": ["Qwen3ForCausalLM"]"#,
    #""architectures": ["Qwen3_5ForConditionalGeneration"]"#, #""is_encoder_decoder": false"#,
    #""attn_logit_softcapping": null, "logit_scale": 1.0"#, #""clip_qkv": null"#,
    #""no_rope_layers": [1, 1]"#, #""add_cross_attention": false, "swiglu_limit": null"#,
  ])
  func areNot(members: String) throws { try check(members) }

  @Test func areRefusedBesideImagesToo() {
    #expect { try check(#""text_config": {"final_logit_softcapping": 30.0}"#) } throws: {
      "\($0)".contains("final_logit_softcapping")
    }
  }

  @Test(arguments: [
    (
      #""dual_chunk_attention_config": {"chunk_size": 262144, "local_size": 8192}"#,
      "253952 tokens"
    ),
    (#""dual_chunk_attention_config": {}"#, "long texts"),
    (#""text_config": {"dual_chunk_attention_config": {"chunk_size": 64}}"#, "64 tokens"),
  ])
  func whatIsNotAppliedIsNamed(members: String, words: String) throws {
    let config = try JSONObject(parsing: Array("{\(members)}".utf8), file: "config.json")
    #expect(config.unappliedKeys.count == 1)
    #expect(config.unappliedKeys.first?.contains(words) == true)
    try config.refuseOtherKinds()
  }

  @Test(arguments: ["{}", #"{"dual_chunk_attention_config": null}"#])
  func mostConfigurationsAreApplied(text: String) throws {
    #expect(try JSONObject(parsing: Array(text.utf8), file: "config.json").unappliedKeys == [])
  }
}
