import Foundation
import JSON
import Tensors
import Testing

@testable import ModelLoader

/// Files of families with experts and with linear attention.
@Suite("GGUF files of experts and hybrids")
struct GGUFFamilyTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ file: GGUFBytes) throws -> Checkpoint {
    try folder.write(file.bytes, to: "m.gguf")
    return try Checkpoint(directory: URL(fileURLWithPath: folder.path("m.gguf")), workers: 2)
  }

  private func failure(_ file: GGUFBytes) -> String { message { _ = try open(file) } ?? "opened" }

  /// Element i of a tensor is i.
  private func counting(_ shape: [Int]) -> [Float] { (0..<shape.reduce(1, *)).map { Float($0) } }

  /// 3 experts of width 2 for a stream of 4.
  private func experts(_ shapes: [(String, [Int])]? = nil) -> GGUFBytes {
    var file = GGUFBytes.model(architecture: "qwen3moe", width: 4) { _, shape in counting(shape) }
    for (name, value) in [
      ("expert_count", 3), ("expert_used_count", 2), ("expert_feed_forward_length", 2),
    ] { file.add("qwen3moe.\(name)", value) }
    let usual = [
      ("ffn_gate_inp", [3, 4]), ("ffn_gate_exps", [3, 2, 4]), ("ffn_up_exps", [3, 2, 4]),
      ("ffn_down_exps", [3, 4, 2]),
    ]
    for (name, shape) in shapes ?? usual {
      file.add("blk.0.\(name).weight", shape, floats: counting(shape))
    }
    return file
  }

  @Test("each expert is a slice of its tensor")
  func slices() throws {
    let model = try open(experts())
    #expect(try model.config.string("model_type") == "qwen3_moe")
    #expect(try model.config.integer("num_experts_per_tok", in: 1...9) == 2)
    #expect(try model.config.boolIfPresent("norm_topk_prob") == true)
    for expert in 0..<3 {
      let prefix = "model.layers.0.mlp.experts.\(expert)."
      let own = (0..<8).map { Float(expert * 8 + $0) }
      #expect(try model.floats(named: prefix + "up_proj.weight") == own)
      #expect(
        try model.weights(named: prefix + "down_proj", shape: [4, 2]).dequantized() == own)
    }
    // Nothing is counted twice.
    #expect(try model.storedBytes == open(experts()).tensors.values.reduce(0) { $0 + $1.byteCount })
    #expect(message { _ = try model.weights(named: "x", shape: [1, 1]) } != nil)
  }

  @Test("gate and up may be one tensor")
  func fusedSlices() throws {
    let model = try open(
      experts([
        ("ffn_gate_inp", [3, 4]), ("ffn_gate_up_exps", [3, 4, 4]), ("ffn_down_exps", [3, 4, 2]),
      ]))
    let prefix = "model.layers.0.mlp.experts.1."
    let first = (0..<8).map { Float(16 + $0) }
    #expect(try model.floats(named: prefix + "gate_proj.weight") == first)
    #expect(try model.floats(named: prefix + "up_proj.weight") == first.map { $0 + 8 })
  }

  @Test("experts in blocks keep their bits")
  func blocks() throws {
    var file = experts([("ffn_gate_inp", [3, 4])])
    // Q8_0: a scale of 2^-7 and the codes 0, 1, 2...
    let bytes = (0..<3 * 2).flatMap { row in
      GGUFBytes.number(Float16(1.0 / 128).bitPattern) + (0..<32).map { UInt8(row + $0) }
    }
    file.add("blk.0.ffn_up_exps.weight", [3, 2, 32], type: 8, bytes)
    let model = try open(file)
    let layer = "model.layers.0.mlp.experts.2.up_proj"
    let expected = (4..<6).flatMap { row in (0..<32).map { Float(row + $0) / 128 } }
    #expect(try model.weights(named: layer, shape: [2, 32]).dequantized() == expected)
    #expect(try model.storage(ofLayer: layer)?.name == "Q8_0")
    #expect(model.tensors[layer + ".gguf_blocks"]?.byteCount == 2 * 34)
    let floats = try model.dequantizing()
    #expect(try floats.quantization() == nil && !floats.contains(layer + ".gguf_blocks"))
    #expect(floats.tensors[layer + ".weight"]?.byteCount == 2 * 32 * 2)
    #expect(try floats.floats(named: layer + ".weight") == expected)
    #expect(try floats.weights(named: layer, shape: [2, 32]).dequantized() == expected)
  }

  @Test("a weight that F16 does not hold is read, and named where it would be F16")
  func weightsBeyondHalves() throws {
    var file = experts([("ffn_gate_inp", [3, 4])])
    let row = GGUFBytes.number(Float16(1).bitPattern) + [UInt8](repeating: 1, count: 32)
    var last = GGUFBytes.number(Float16(1024).bitPattern) + [UInt8](repeating: 1, count: 32)
    last[2 + 7] = 100
    let bytes = [row, row, row, row, row, last].flatMap { $0 }
    file.add("blk.0.ffn_up_exps.weight", [3, 2, 32], type: 8, bytes)
    let model = try open(file)
    let layer = "model.layers.0.mlp.experts.2.up_proj"
    #expect(try model.weights(named: layer, shape: [2, 32]).dequantized()[32 + 7] == 102_400)
    let floats = try model.dequantizing()
    let said = "tensor \(layer).weight: row 1, column 7 is 102400.0; F16"
    #expect(message { _ = try floats.floats(named: layer + ".weight") }?.contains(said) == true)
    #expect(
      message { _ = try floats.weights(named: layer, shape: [2, 32]) }?.contains(said) == true)
  }

  @Test("experts that cannot be right are named")
  func wrongExperts() {
    var file = experts([("ffn_up_exps", [2, 2, 4])])
    #expect(failure(file).contains("blk.0.ffn_up_exps.weight: shape [2, 2, 4]; 3 experts"))
    file = experts([("ffn_up_exps", [6, 4])])
    #expect(failure(file).contains("shape [6, 4]; 3 experts"))
    file = experts([("ffn_gate_up_exps", [3, 3, 4])])
    #expect(failure(file).contains("half the rows are gate_proj and up_proj"))
    file = experts()
    file.add("qwen3moe.expert_gating_func", 2)
    #expect(failure(file).contains("qwen3moe.expert_gating_func = 2"))
    file = experts()
    file.add("qwen3moe.expert_group_count", 4)
    #expect(failure(file).contains("qwen3moe.expert_group_count = 4"))
    file = .model { _, shape in counting(shape) }
    file.add("llama.expert_count", 8)
    #expect(failure(file).contains("llama.expert_count = 8"))
  }

  /// 2 key heads of 2 and 4 value heads of 3, all in one block that has linear attention.
  private func hybrid(
    _ architecture: String, valueDimension: Int = 3, _ tensors: [(String, [Int])] = []
  ) -> GGUFBytes {
    var file = GGUFBytes.model(architecture: architecture) { _, shape in counting(shape) }
    for (name, value) in [
      ("ssm.group_count", 2), ("ssm.time_step_rank", 4), ("ssm.state_size", 2),
      ("ssm.inner_size", 4 * valueDimension), ("ssm.conv_kernel", 4),
      ("full_attention_interval", 2), ("expert_count", 2), ("expert_used_count", 1),
      ("expert_feed_forward_length", 2), ("expert_shared_feed_forward_length", 2),
      ("rope.dimension_count", 2),
    ] where architecture != "qwen35" || !name.hasPrefix("expert") {
      file.add("\(architecture).\(name)", value)
    }
    for (name, shape) in tensors { file.add("blk.0.\(name)", shape, floats: counting(shape)) }
    return file
  }

  private func firsts(_ values: [Float], of columns: Int) -> [Int] {
    stride(from: 0, to: values.count, by: columns).map { Int(values[$0]) / columns }
  }

  @Test("value heads in tiles stand by key head again")
  func tiledHeads() throws {
    let model = try open(
      hybrid(
        "qwen35",
        [
          ("attn_qkv.weight", [20, 4]), ("ssm_conv1d.weight", [20, 4]),
          ("attn_gate.weight", [12, 4]),
          ("ssm_beta.weight", [4, 4]), ("ssm_dt.bias", [4]), ("ssm_out.weight", [2, 12]),
        ]))
    let prefix = "model.layers.0.linear_attn."
    // The first two heads in a file are the first ones of either key head.
    let heads = [0, 2, 1, 3]
    let rows = heads.flatMap { head in (0..<3).map { head * 3 + $0 } }
    func order(_ name: String) throws -> [Int] {
      firsts(try model.floats(named: prefix + name), of: 4)
    }
    #expect(try order("in_proj_z.weight") == rows)
    #expect(try order("in_proj_b.weight") == heads)
    #expect(try order("in_proj_qkv.weight") == Array(0..<8) + rows.map { 8 + $0 })
    #expect(try order("conv1d.weight") == Array(0..<8) + rows.map { 8 + $0 })
    #expect(try model.info(of: prefix + "conv1d.weight").shape == [20, 1, 4])
    #expect(try model.floats(named: prefix + "dt_bias") == heads.map { Float($0) })
    let outputs = rows.map { Float($0) } + rows.map { Float(12 + $0) }
    #expect(try model.floats(named: prefix + "out_proj.weight") == outputs)
    let weights = try model.weights(named: prefix + "out_proj", shape: [2, 12])
    #expect(weights.dequantized() == outputs)
    #expect(try model.config.number("partial_rotary_factor", in: 0...1) == 0.5)
    #expect(try model.config.stringsIfPresent("layer_types") == ["linear_attention"])
  }

  @Test("blocks larger than a head stay, and inputs are put in their order")
  func inputsInOrder() throws {
    var file = hybrid("qwen35", valueDimension: 16)
    let bytes = (0..<4).flatMap { block in
      GGUFBytes.number(Float16(1).bitPattern) + (0..<32).map { UInt8(block % 2 * 32 + $0) }
    }
    file.add("blk.0.ssm_out.weight", [2, 64], type: 8, bytes)
    let model = try open(file)
    let layer = "model.layers.0.linear_attn.out_proj"
    let row = [0, 2, 1, 3].flatMap { head in (0..<16).map { Float(head * 16 + $0) } }
    let weights = try model.weights(named: layer, shape: [2, 64])
    #expect(weights.dequantized() == row + row)
    guard case .dense(let floats) = try model.linear(named: layer) else {
      Issue.record("blocks are copied as floats")
      return
    }
    #expect(try floats.floats() == row + row)
    #expect(try model.dequantizing().floats(named: layer + ".weight") == row + row)
  }

  @Test("halves of one tensor are tensors of a folder")
  func halves() throws {
    let model = try open(
      hybrid("qwen3next", [("ssm_ba.weight", [8, 4]), ("ssm_in.weight", [32, 4])]))
    let prefix = "model.layers.0.linear_attn."
    func order(_ name: String) throws -> [Int] {
      firsts(try model.floats(named: prefix + name + ".weight"), of: 4)
    }
    #expect(try order("in_proj_b") == [0, 1, 4, 5])
    #expect(try order("in_proj_a") == [2, 3, 6, 7])
    // Of a key head its query, its key, its values and their gates.
    #expect(try order("in_proj_z") == Array(10..<16) + Array(26..<32))
    #expect(
      try order("in_proj_qkv") == [0, 1, 16, 17, 2, 3, 18, 19] + Array(4..<10) + Array(20..<26))
    let parts = ["b", "a"].compactMap { model.tensors[prefix + "in_proj_\($0).weight"]?.byteCount }
    #expect(parts == [64, 64])
    let weights = try model.weights(named: prefix + "in_proj_a", shape: [4, 4])
    #expect(firsts(weights.dequantized(), of: 4) == [2, 3, 6, 7])
  }

  @Test("norms and rates of decay come as folders hold them")
  func values() throws {
    var file = hybrid("qwen35")
    file.add("blk.0.ssm_a", [4], floats: [-1, -2, -0.5, -8])
    file.add("blk.0.ssm_norm.weight", [3], floats: [1, 2, 3])
    let model = try open(file)
    let rates = try model.floats(named: "model.layers.0.linear_attn.A_log")
    #expect(zip(rates, [0, -0.6931472, 0.6931472, 2.0794415]).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(try model.floats(named: "model.norm.weight").prefix(3) == [-1, 0, 1])
    #expect(try model.floats(named: "model.layers.0.linear_attn.norm.weight") == [1, 2, 3])
    file = hybrid("qwen35")
    file.add("blk.0.ssm_a", [4], floats: [-1, 2, -1, -1])
    let reason = message {
      _ = try open(file).floats(named: "model.layers.0.linear_attn.A_log")
    }
    #expect(reason?.contains("A_log: holds numbers that the family cannot have") == true)
  }

  @Test("heads that contradict the tensors are named")
  func wrongHeads() {
    #expect(
      failure(hybrid("qwen35", [("attn_gate.weight", [11, 4])]))
        .contains("attn_gate.weight: 11 rows; 12 expected for 2 key heads of 2"))
    #expect(
      failure(hybrid("qwen35", [("ssm_out.weight", [2, 16])]))
        .contains("ssm_out.weight: 16 columns; 12 expected"))
    #expect(
      failure(hybrid("qwen3next", [("ssm_ba.weight", [6, 4])])).contains("6 rows; 8 expected"))
    var file = hybrid("qwen35")
    file.add(
      "qwen35.attention.recurrent_layers", type: 9,
      GGUFBytes.number(UInt32(7)) + GGUFBytes.number(UInt64(0)))
    #expect(failure(file).contains("one for each of 1 layers"))
    file = hybrid("qwen35")
    file.add("qwen35.nextn_predict_layers", 1)
    #expect(failure(file).contains("more than the 1 that draft tokens"))
  }

  @Test("a window makes a Llama file one of Mistral")
  func window() throws {
    var file = GGUFBytes.model { _, shape in counting(shape) }
    file.add("llama.attention.sliding_window", 12)
    let model = try open(file)
    #expect(try model.config.string("model_type") == "mistral")
    #expect(try model.config.integer("sliding_window", in: 1...99) == 12)
    // Its queries are turned by neighbours as well.
    let queries = try model.floats(named: "model.layers.0.self_attn.q_proj.weight")
    #expect(firsts(queries, of: 16).prefix(4) == [0, 2, 1, 3])
    file.add("blk.0.attn_q.bias", [16], floats: counting([16]))
    #expect(failure(file).contains("sliding_window = 12 beside biases"))
  }

  /// Source: ggml-org/llama.cpp, src/llama-vocab.cpp, where it stands beside its own form.
  @Test("words of Qwen3.5 take their marks along")
  func splitting() throws {
    let split = try #require(GGUFSplitting(name: "qwen35"))
    let pattern = split.preTokenizer["pretokenizers"]?.array?.first?["pattern"]?["Regex"]?.string
    #expect(
      pattern
        == #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    )
    #expect(split.normalizesToNFC)
  }
}
