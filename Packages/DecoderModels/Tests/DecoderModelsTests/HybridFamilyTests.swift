import JSON
import KVCaches
import ModelLoader
import Testing

@testable import DecoderModels

/// What configurations of hybrids may say, and what they may not.
@Suite struct HybridFamilyTests {
  private func family(
    _ changes: OrderedObject<JSONValue> = [:], without key: String? = nil,
    outer: OrderedObject<JSONValue>? = nil
  ) throws -> Qwen35 {
    var members = TinyDecoder.hybridConfig
    for (name, value) in changes.members { members[name] = value }
    if let key { members[key] = nil }
    guard var outer else { return try Qwen35(JSONObject(file: "config.json", members: members)) }
    outer["text_config"] = .object(members)
    return try Qwen35(JSONObject(file: "config.json", members: outer))
  }

  private func problem(
    _ changes: OrderedObject<JSONValue> = [:], without key: String? = nil
  ) -> String {
    do {
      _ = try family(changes, without: key)
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func layersAreOfTheKindsThatTheFileSays() throws {
    let shape = try family().shape
    let state = 3 * (2 * 2 * 20 + 6 * 12) + 6 * 20 * 16
    #expect(shape.fixedFloats == [state, state, 0, state])
    #expect(shape.cacheShape.attendingLayers == 1 && shape.cacheShape.fixedBytes == 12 * state)
    let every = try family(["full_attention_interval": .integer(2)], without: "layer_types")
    #expect(every.shape.fixedFloats.map { $0 == 0 } == [false, true, false, true])
    let fourth = try family(without: "layer_types")
    #expect(fourth.shape.fixedFloats.map { $0 == 0 } == [false, false, false, true])
  }

  /// Where the model sees images, the outer file decides whether the head is the embedding.
  @Test func theTextModelOfOneThatSeesImagesIsRead() throws {
    let inner = try family(outer: [:])
    #expect(inner.prefix(ofLayer: 3) == "model.language_model.layers.3.")
    #expect(inner.shape.tiesEmbeddings)
    let outer = try family(outer: ["tie_word_embeddings": .bool(false)])
    #expect(!outer.shape.tiesEmbeddings)
    #expect(try family().prefix(ofLayer: 0) == "model.layers.0.")
  }

  @Test func memoryShapesKnowTheKindsOfLayers() throws {
    let shape = try family().memoryShape(named: "tiny")
    #expect(shape.cacheShape == (try family().shape.cacheShape))
    #expect(shape.attention.layers == 1 && shape.attention.dimension == 24)
  }

  @Test func refusesWhatContradictsItself() {
    #expect(problem().isEmpty)
    #expect(
      problem(["linear_num_value_heads": .integer(5)]).contains(
        "multiple of linear_num_key_heads (2)"))
    #expect(problem(["linear_conv_kernel_dim": .integer(9)]).contains("linear_conv_kernel_dim"))
    #expect(problem(["linear_conv_kernel_dim": .integer(0)]).contains("linear_conv_kernel_dim"))
    #expect(problem(["linear_key_head_dim": .integer(0)]).contains("linear_key_head_dim"))
    #expect(problem(without: "linear_num_key_heads").contains("linear_num_key_heads"))
    #expect(problem(["num_key_value_heads": .integer(4)]).contains("num_attention_heads"))
    let types = (0..<3).map { _ in JSONValue.string("full_attention") }
    #expect(problem(["layer_types": .array(types)]).contains("4 types, one for each layer"))
    #expect(
      problem(["layer_types": .array(types + [.string("mamba")])]).contains("layer type mamba"))
    let idle = (0..<4).map { _ in JSONValue.string("linear_attention") }
    #expect(problem(["layer_types": .array(idle)]).contains("at least one full_attention"))
    #expect(problem(["hidden_act": .string("gelu")]).contains("hidden_act"))
    #expect(
      problem([
        "linear_num_value_heads": .integer(60_000), "linear_value_head_dim": .integer(8_000),
      ]).contains("widths add up"))
  }
}
