import Compression
import ModelLoader
import Testing

@Suite struct CompressionPlanTests {
  func plan(_ rules: String) throws -> CompressionPlan {
    try CompressionPlan(QuantizerSettings(), rulesFile: Array(rules.utf8), file: "rules.json")
  }

  @Test func theFirstRuleThatMatchesDecides() throws {
    let plan = try plan(
      """
      {"rules": [
        {"layers": "layers\\\\.0\\\\.", "keep": true},
        {"layers": "down_proj$", "bits": 8, "group_size": 0, "grid": "asymmetric", "method": "rtn"},
        {"layers": "down", "bits": 3}
      ]}
      """)
    let names = ["model.layers.0.mlp.down_proj", "model.layers.10.mlp.down_proj", "x.down", "x.up"]
    let settings = try plan.settings(of: names)
    #expect(settings[0] == nil)
    var eight = QuantizerSettings()
    eight.bits = 8
    eight.groupSize = nil
    eight.grid = .asymmetric
    eight.method = .rtn
    #expect(settings[1] == eight)
    #expect(settings[2]?.bits == 3 && settings[2]?.groupSize == 128)
    #expect(settings[3] == QuantizerSettings())
  }

  @Test(arguments: [
    ("[]", "an object"), ("{}", "at least one rule"), (#"{"rules": [1]}"#, "an object"),
    (#"{"rules": [{"bits": 4}]}"#, "layers"), (#"{"rules": [], "more": 1}"#, "more"),
    (#"{"rules": [{"layers": "(", "bits": 4}]}"#, "regular expression"),
    (#"{"rules": [{"layers": "a", "bits": 5}]}"#, "bits"),
    (#"{"rules": [{"layers": "a", "bist": 4}]}"#, "bist"),
    (#"{"rules": [{"layers": "a", "keep": true, "bits": 4}]}"#, "bits"),
    (#"{"rules": [{"layers": "a", "method": "awq"}]}"#, "gptq, hqq, rtn"),
  ])
  func whatCannotBeFollowedIsNamed(rules: String, words: String) {
    #expect { try plan(rules) } throws: { "\($0)".contains(words) }
  }

  @Test func aRuleForNoLayerIsAMistake() throws {
    #expect {
      try plan(#"{"rules": [{"layers": "dwon", "bits": 8}]}"#).settings(of: ["x.down"])
    } throws: { "\($0)".contains("dwon") }
  }

  /// Expressions that would bring down the library's parser, or keep its matcher busy for ever.
  @Test(arguments: [
    (String(repeating: "[", count: 900), "deep"), (String(repeating: "(", count: 900), "deep"),
    (String(repeating: "a", count: 2000), "characters"), ("(a+)+$", "repetition"),
    ("((a|b)*c){2,}", "repetition"), (#"(?:\\d*x)*"#, "repetition"),
  ]) func hostileExpressionsAreRefused(layers: String, word: String) {
    #expect {
      try plan(#"{"rules": [{"layers": "\#(layers)", "bits": 8}]}"#)
    } throws: { "\($0)".contains("regular expression") && "\($0)".contains(word) }
  }

  @Test(arguments: [#"layers\\.[0-3]\\."#, "(up|down)_proj$", #"(?:layers\\.){1}[0-9]+"#, "[(+]*"])
  func ordinaryExpressionsAreTaken(layers: String) throws {
    _ = try plan(#"{"rules": [{"layers": "\#(layers)", "bits": 8}]}"#)
  }
}
