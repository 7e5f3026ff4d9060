import Foundation
import Tensors
import Testing

@testable import ModelLoader

@Suite("Quantization configurations")
struct LinearFormatTests {
  private func format(
    _ text: String, quantizeConfig: String? = nil
  ) throws -> QuantizationSummary? {
    try linearFormat(
      config: JSONObject(parsing: Array(text.utf8), file: "config.json"),
      quantizeConfig: quantizeConfig.map {
        try JSONObject(parsing: Array($0.utf8), file: "quantize_config.json")
      })?.summary
  }

  private func compressed(
    _ weights: String, format: String = "pack-quantized", activations: String = "null"
  ) -> String {
    """
    {"quantization_config":{"quant_method":"compressed-tensors","format":"\(format)",
     "config_groups":{"group_0":{"targets":["Linear"],"weights":\(weights),
     "input_activations":\(activations)}}}}
    """
  }

  @Test func methodsAndPlaces() throws {
    #expect(try format("{}") == nil)
    #expect(try format(#"{"quantization_config":null}"#) == nil)
    let gptq = #"{"quant_method":"gptq","bits":4,"group_size":128}"#
    let expected = QuantizationSummary(method: .gptq, schemes: [.init(bits: 4, groupSize: 128)])
    #expect(try format("{\"quantization_config\":\(gptq)}") == expected)
    // Beside config.json the method goes without saying; config.json wins.
    #expect(try format("{}", quantizeConfig: #"{"bits":4,"group_size":128}"#) == expected)
    #expect(
      try format(
        "{\"quantization_config\":\(gptq)}", quantizeConfig: #"{"bits":8,"group_size":-1}"#)
        == expected)
    #expect(
      try format(
        #"{"quantization_config":{"quant_method":"gptq","bits":8,"group_size":-1,"checkpoint_format":"gptq_v2"}}"#
      )
        == QuantizationSummary(method: .gptqV2, schemes: [.init(bits: 8, groupSize: nil)]))
    let old = compressed(#"{"num_bits":8,"type":"int","strategy":"channel","symmetric":true}"#)
      .replacing("quantization_config", with: "compression_config")
    #expect(
      try format(old)
        == QuantizationSummary(method: .packQuantized, schemes: [.init(bits: 8, groupSize: nil)]))
  }

  @Test(
    "what cannot be read is refused by name",
    arguments: [
      (#"{"quant_method":"awq"}"#, "quantization_config.w_bit"), ("{}", "without quant_method"),
      (#"{"quant_method":"gptq","bits":5,"group_size":128}"#, "5 bits"),
      (#"{"quant_method":"gptq","bits":4,"group_size":0}"#, "quantization_config.group_size"),
      (#"{"quant_method":"gptq","bits":4,"group_size":-2}"#, "quantization_config.group_size"),
      (#"{"quant_method":"gptq","bits":4}"#, "quantization_config.group_size"),
      (#"{"quant_method":"gptq","bits":"4","group_size":128}"#, "quantization_config.bits"),
      (
        #"{"quant_method":"gptq","bits":4,"group_size":128,"checkpoint_format":"marlin"}"#,
        "checkpoint_format marlin"
      ),
      (
        #"{"quant_method":"gptq","bits":4,"group_size":128,"checkpoint_format":"pack-quantized"}"#,
        "checkpoint_format pack-quantized"
      ),
      (
        #"{"quant_method":"gptq","bits":4,"group_size":128,"pack_dtype":"int16"}"#,
        "pack_dtype int16"
      ),
      ("3", "quantization_config: expected an object"),
      (
        #"{"quant_method":"gptq","bits":4,"group_size":128,"adapter":{"name":"lora"}}"#,
        "an adapter"
      ),
      (
        #"{"quant_method":"compressed-tensors","transform_config":{"config_groups":{"R3":{}}}}"#,
        "transform_config"
      ),
      (
        #"{"quant_method":"compressed-tensors","sparsity_config":{"format":"sparse-24-bitmask"}}"#,
        "sparse-24-bitmask"
      ),
      (
        #"{"quant_method":"compressed-tensors","config_groups":{"g":{"output_activations":{"num_bits":8}}}}"#,
        "config_groups.g.output_activations"
      ),
    ])
  func refusedMethods(description: String, reason: String) {
    let text = message { _ = try format("{\"quantization_config\":\(description)}") }
    #expect(text?.contains(reason) == true, "\(text ?? "accepted")")
  }

  @Test(
    "compressed-tensors schemes that cannot be read",
    arguments: [
      (#"{"num_bits":4,"type":"float","strategy":"group","group_size":32}"#, "type other than int"),
      (#"{"num_bits":5,"strategy":"group","group_size":32}"#, "num_bits 5"),
      (#"{"num_bits":4,"strategy":"block","group_size":32}"#, "strategy block"),
      (#"{"num_bits":4,"strategy":"group"}"#, "group_size"),
      (#"{"strategy":"channel"}"#, "num_bits"),
      ("null", "weights"),
    ])
  func refusedSchemes(weights: String, reason: String) {
    let text = message { _ = try format(compressed(weights)) }
    #expect(text?.contains(reason) == true, "\(text ?? "accepted")")
  }

  @Test func whatIsAskedForBesideTheWeightsIsNamed() throws {
    func unapplied(_ text: String, followed: TokenRounding? = nil) throws -> [String] {
      QuantizationExtras.unapplied(
        in: try JSONObject(parsing: Array(text.utf8), file: "config.json"), followed: followed)
    }
    #expect(try unapplied(#"{"quant_method":"gptq","kv_cache_scheme":null}"#).isEmpty)
    let both = """
      {"kv_cache_scheme": {"num_bits": 8}, "config_groups": {"g": {"input_activations": {"a": 1}}}}
      """
    #expect(try unapplied(both).count == 2)
    #expect(try unapplied(both, followed: .float8).count == 1)
    #expect(try unapplied(#"{"quant_method":"fp8","activation_scheme":"dynamic"}"#).count == 1)
  }

  @Test func otherFormatsAndActivations() {
    let weights = #"{"num_bits":8,"type":"int","strategy":"channel"}"#
    #expect(
      message { _ = try format(compressed(weights, activations: #"{"num_bits":8}"#)) }?
        .contains("quantization of activations") == true)
    #expect(
      message {
        _ = try format(
          #"{"quantization_config":{"quant_method":"compressed-tensors","format":"pack-quantized","config_groups":{}}}"#
        )
      }?.contains("config_groups") == true)
  }

  // MARK: Tensors that do not fit the configuration

  /// A quantized model of one layer `l`, its parts changed by `change` before they are stored.
  private func damaged(
    _ method: QuantizationSummary.Method, bits: Int = 4, _ change: (inout [String: String]) -> Void
  ) throws -> String? {
    let folder = try TemporaryFolder()
    let source = try folder.checkpoint(smallFile)
    let outputs = try TemporaryFolder()
    let target = outputs.url.appendingPathComponent("out")
    let writer = try CheckpointWriter(
      target: target, source: source, layout: .init(container: .safetensors, method: method))
    try writer.append(
      .quantized(sampleMatrix(bits: bits, asymmetric: true, ordered: true)), named: "l")
    try writer.finish(record: [String: String]())
    // The header as text, so that entries can be edited one by one.
    let file = try outputs.read("out/model.safetensors")
    let length = Int(file.integer(at: 0, size: 8))
    let header = try JSONObject(parsing: Array(file[8..<8 + length]), file: "header")
    var entries: [String: String] = [:]
    for (name, entry) in header.members.members { entries[name] = entry.text }
    change(&entries)
    let text = "{" + entries.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    try outputs.write(
      safetensors(header: text, data: Array(file[(8 + length)...])), to: "out/model.safetensors")
    let checkpoint = try Checkpoint(directory: target)
    return message { _ = try checkpoint.linear(named: "l") }
  }

  @Test func intactPartsAreRead() throws {
    #expect(try damaged(.packQuantized) { _ in } == nil)
    #expect(try damaged(.gptq) { _ in } == nil)
  }

  @Test(
    "parts renamed away are missed by name",
    arguments: [
      (QuantizationSummary.Method.packQuantized, "weight_scale"), (.packQuantized, "weight_shape"),
      (.gptq, "scales"), (.gptq, "qzeros"),
    ])
  func missingParts(method: QuantizationSummary.Method, part: String) throws {
    let text = try damaged(method) { entries in
      entries["other"] = entries.removeValue(forKey: "l." + part)
    }
    #expect(text?.contains("no tensor l.\(part)") == true, "\(text ?? "read")")
  }

  @Test(
    "shapes and types that do not fit name the tensor",
    arguments: [
      (QuantizationSummary.Method.packQuantized, "weight_packed", "64,\n    12", "32, 24"),
      (.packQuantized, "weight_packed", "I32", "U32"),
      (.packQuantized, "weight_scale", "64,\n    3", "3, 64"),
      (.packQuantized, "weight_zero_point", "8,\n    3", "3, 8"),
      (.packQuantized, "weight_g_idx", "96", "96, 1"),
      (.gptq, "qweight", "12,\n    64", "64, 12"), (.gptq, "qweight", "12,\n    64", "768"),
      (.gptq, "scales", "3,\n    64", "64, 3"), (.gptq, "qzeros", "3,\n    8", "8, 3"),
      (.gptq, "g_idx", "I32", "F32"),
    ])
  func wrongParts(method: QuantizationSummary.Method, part: String, old: String, new: String) throws
  {
    var changed = false
    let text = try damaged(method) { entries in
      let entry = entries["l." + part]
      entries["l." + part] = entry?.replacing(old, with: new)
      changed = entries["l." + part] != entry
    }
    #expect(changed)
    #expect(text?.contains("l.") == true, "\(text ?? "read")")
  }
}
