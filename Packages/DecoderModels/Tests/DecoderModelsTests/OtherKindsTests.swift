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
    #""embedding_multiplier": 12"#, #""logit_scale": 0.0625"#,
  ])
  func areRefused(members: String) throws {
    let key = members.split(separator: "\"").first.map(String.init) ?? ""
    #expect { try check(members) } throws: { "\($0)".contains(key) }
  }

  @Test(arguments: [
    "", #""architectures": []"#, #""architectures": ["Qwen3ForCausalLM"]"#,
    #""architectures": ["Qwen3_5ForConditionalGeneration"]"#, #""is_encoder_decoder": false"#,
    #""attn_logit_softcapping": null, "logit_scale": 1.0"#,
  ])
  func areNot(members: String) throws { try check(members) }
}
