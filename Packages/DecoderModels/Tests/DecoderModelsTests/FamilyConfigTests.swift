import JSON
import ModelLoader
import Testing

@testable import DecoderModels

/// What configurations say of experts and windows, and families that are refused.
@Suite struct FamilyConfigTests {
  static func config(_ type: String, _ changes: [String: JSONValue]) -> JSONObject {
    var members = TinyDecoder.config
    members["model_type"] = .string(type)
    members["num_hidden_layers"] = .integer(4)
    for (key, value) in changes { members[key] = value }
    return JSONObject(file: "config.json", members: members)
  }

  static let experts: [String: JSONValue] = [
    "num_experts": .integer(6), "num_experts_per_tok": .integer(2),
    "moe_intermediate_size": .integer(40),
  ]

  @Test(arguments: [
    ("num_experts", JSONValue.integer(0)), ("num_experts", .string("8")), ("num_experts", .null),
    ("num_experts_per_tok", .integer(7)), ("num_experts_per_tok", .integer(0)),
    ("num_experts_per_tok", .null), ("moe_intermediate_size", .number(2.5)),
    ("moe_intermediate_size", .integer(1 << 40)), ("decoder_sparse_step", .integer(0)),
    ("mlp_only_layers", .array([.integer(-1)])), ("mlp_only_layers", .integer(1)),
    ("norm_topk_prob", .integer(1)),
  ])
  func wrongExpertsAreNamed(key: String, value: JSONValue) {
    let config = Self.config("qwen3_moe", Self.experts.merging([key: value]) { $1 })
    #expect {
      try ModelFamilies.standard.family(for: config)
    } throws: { "\($0)".contains("config.json: \(key)") }
  }

  @Test func layersAreSparseAsTheConfigurationSays() throws {
    func sparse(_ changes: [String: JSONValue]) throws -> [Bool] {
      let family = try Qwen3MoE(
        Self.config("qwen3_moe", Self.experts.merging(changes) { $1 }))
      let shape = try family.memoryShape(named: "x")
      return shape.blocks.map { !$0.keptLinears.isEmpty }
    }
    #expect(try sparse([:]) == [true, true, true, true])
    #expect(try sparse(["decoder_sparse_step": .integer(2)]) == [false, true, false, true])
    #expect(
      try sparse(["mlp_only_layers": .array([.integer(1), .integer(3)])])
        == [true, false, true, false])
    // The name that newer files write.
    let renamed: [String: JSONValue] = ["num_experts": .null, "num_local_experts": .integer(6)]
    #expect(try sparse(renamed) == [true, true, true, true])
  }

  @Test(arguments: [
    ("mistral", ["sliding_window": JSONValue.integer(12)], [12, 12, 12, 12]),
    ("mistral", ["sliding_window": .null], []),
    // Absent it is 4096, which here is longer than the context.
    ("mistral", [:], []),
    ("mistral", ["sliding_window": .integer(4096)], []),
    ("qwen2", ["sliding_window": .integer(12)], []),
    ("qwen2", ["sliding_window": .integer(12), "use_sliding_window": .bool(true)], []),
    (
      "qwen3",
      [
        "sliding_window": .integer(12), "use_sliding_window": .bool(true),
        "max_window_layers": .integer(3),
      ], [0, 0, 0, 12]
    ),
    (
      "qwen2",
      [
        "sliding_window": .integer(12), "use_sliding_window": .bool(true),
        "max_window_layers": .integer(9),
        "layer_types": .array(
          ["sliding_attention", "full_attention", "sliding_attention", "full_attention"].map {
            .string($0)
          }),
      ], [12, 0, 12, 0]
    ),
    (
      "qwen3_moe",
      experts.merging([
        "sliding_window": .integer(12), "use_sliding_window": .bool(true),
        "max_window_layers": .integer(3),
      ]) { $1 }, [12, 12, 12, 12]
    ),
  ])
  func layersHaveTheWindowsThatAreStated(
    type: String, changes: [String: JSONValue], windows: [Int]
  ) throws {
    let family = try ModelFamilies.standard.family(for: Self.config(type, changes))
    #expect(family.shape.windows == windows)
    let states = try family.memoryShape(named: "x").blocks.map(\.state)
    for (layer, state) in states.enumerated() {
      guard case .keyValues(_, _, _, let window) = state else {
        Issue.record("layer \(layer)")
        continue
      }
      #expect(window ?? 0 == (windows.isEmpty ? 0 : windows[layer]))
    }
  }

  @Test(arguments: [
    ("qwen3", ["layer_types": JSONValue.array([.string("full_attention")])], "layer_types"),
    (
      "qwen3", ["layer_types": .array([JSONValue](repeating: .string("chunked"), count: 4))],
      "layer type chunked"
    ),
    (
      "qwen2",
      ["layer_types": .array([JSONValue](repeating: .string("sliding_attention"), count: 4))],
      "sliding_window"
    ),
    ("llama", ["use_sliding_window": .bool(true)], "sliding window"),
    ("mistral", ["sliding_window": .integer(0)], "sliding_window"),
  ])
  func wrongWindowsAreNamed(type: String, changes: [String: JSONValue], text: String) {
    #expect {
      try ModelFamilies.standard.family(for: Self.config(type, changes))
    } throws: { "\($0)".contains("config.json: \(text)") || "\($0)".contains(text) }
  }

  @Test(arguments: [("gemma3_text", "Gemma"), ("phi3", "Phi"), ("gpt_oss", "attention sinks")])
  func knownFamiliesAreRefusedByName(type: String, reason: String) {
    #expect {
      try ModelFamilies.standard.family(for: Self.config(type, [:]))
    } throws: {
      "\($0)".contains("model_type \(type)") && "\($0)".contains(reason)
        && "\($0)".contains("what works: Qwen3, Qwen3 with experts")
    }
  }

  @Test func unknownFamiliesAreToldWhatWorks() {
    #expect {
      try ModelFamilies.standard.family(for: Self.config("tomorrow", [:]))
    } throws: { "\($0)".contains("tomorrow is not supported; what works: Qwen3") }
  }
}
