import Foundation
import JSON
import Tensors
import Testing

@testable import ModelLoader

private func counting(_ name: String, _ shape: [Int]) -> [Float] {
  (0..<shape.reduce(1, *)).map { Float($0) }
}

@Suite("GGUF files")
struct GGUFTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ file: GGUFBytes, name: String = "m.gguf") throws -> Checkpoint {
    try folder.write(file.bytes, to: name)
    return try Checkpoint(directory: URL(fileURLWithPath: folder.path(name)), workers: 2)
  }

  private func failure(_ file: GGUFBytes) -> String { message { _ = try open(file) } ?? "opened" }

  @Test("metadata become a configuration, tensors go by the folder's names")
  func translated() throws {
    var file = GGUFBytes.model(fill: counting)
    file.add("tokenizer.ggml.eos_token_id", 3)
    file.add("tokenizer.ggml.eot_token_id", 5)
    file.add("general.sampling.temp", Float(0.6))
    let model = try open(file)
    #expect(try model.config.string("model_type") == "llama")
    #expect(try model.config.integer("head_dim", in: 1...99) == 4)
    #expect(try model.config.integer("vocab_size", in: 1...99) == 8)
    #expect(try model.config.number("rms_norm_eps", in: 0...1) == 1e-5)
    #expect(try model.config.boolIfPresent("tie_word_embeddings") == true)
    #expect(try model.generationConfig?.number("temperature", in: 0...9) == 0.6)
    #expect(
      try model.generationConfig?.arrayIfPresent("eos_token_id") == [.integer(3), .integer(5)])
    #expect(try model.floats(named: "model.layers.0.mlp.down_proj.weight").count == 256)
    #expect(try model.quantization() == nil)
  }

  @Test("rows of queries and keys of llama stand in the folder's order")
  func interleavedHeads() throws {
    let model = try open(.model(fill: counting))
    let queries = try model.floats(named: "model.layers.0.self_attn.q_proj.weight")
    // Within a head of 4 rows the file holds rows 0 2 1 3 of the folder.
    let firsts = (0..<16).map { Int(queries[$0 * 16]) / 16 }
    #expect(firsts == (0..<4).flatMap { head in [0, 2, 1, 3].map { head * 4 + $0 } })
    let values = try model.floats(named: "model.layers.0.self_attn.v_proj.weight")
    #expect(values == counting("", [8, 16]))
    let weights = try model.weights(named: "model.layers.0.self_attn.q_proj", shape: [16, 16])
    #expect(weights.dequantized() == queries)
  }

  @Test("fused rows of Falcon stand in groups again")
  func fusedGroups() {
    let order = RowOrder.fusedGroups(headSize: 2, queries: 3, groups: 2)
    // Stored: queries 0 1 2 of group 0, of group 1, keys of both, values of both.
    let stored = (0..<20).map(order.storedRow)
    #expect(stored == [0, 1, 2, 3, 4, 5, 12, 13, 16, 17, 6, 7, 8, 9, 10, 11, 14, 15, 18, 19])
  }

  @Test("split files are one model")
  func split() throws {
    let whole = GGUFBytes.model(fill: counting)
    var parts = [whole, GGUFBytes()]
    parts[1].tensors = []
    // The last tensor moves to the second file.
    parts[0].tensors.removeLast()
    parts[1].add("blk.0.ffn_down.weight", [16, 16], floats: counting("", [16, 16]))
    for number in 0..<2 {
      parts[number].add("split.no", number)
      parts[number].add("split.count", 2)
    }
    parts[0].add("split.tensors.count", 11)
    try folder.write(parts[1].bytes, to: "m-00002-of-00002.gguf")
    let model = try open(parts[0], name: "m-00001-of-00002.gguf")
    #expect(model.tensors.count == 11)
    #expect(
      try model.floats(named: "model.layers.0.mlp.down_proj.weight") == counting("", [16, 16]))
    let second = URL(fileURLWithPath: folder.path("m-00002-of-00002.gguf"))
    #expect(try Checkpoint(directory: second).tensors.count == 11)
    try FileManager.default.removeItem(at: second)
    #expect(
      message { _ = try open(parts[0], name: "m-00001-of-00002.gguf") }?.contains("not found")
        == true)
  }

  @Test("factors of the rotary frequencies become the configuration's scaling")
  func rotaryFactors() throws {
    func scaling(_ values: [Float], theta: Float? = nil) throws -> JSONObject? {
      var file = GGUFBytes.model(fill: counting)
      if let theta { file.add("llama.rope.freq_base", theta) }
      file.add("rope_freqs.weight", [values.count], floats: values)
      return try open(file).config.objectIfPresent("rope_scaling")
    }
    let own = try #require(try scaling([1, 2.5]))
    #expect(try own.string("rope_type") == "longrope")
    #expect(try own.arrayIfPresent("long_factor") == [.number(1), .number(2.5)])
    #expect(try own.number("attention_factor", in: 0...9) == 1)
    // Wavelengths of 2 pi and 2 pi sqrt(theta): short of 8192 / 4 tokens, and beyond 8192.
    let llama = try #require(try scaling([1, 8], theta: 5e8))
    #expect(try llama.string("rope_type") == "llama3")
    #expect(try llama.number("factor", in: 0...99) == 8)
    #expect(message { _ = try scaling([1, 2, 3]) }?.contains("2 expected") == true)
    #expect(message { _ = try scaling([1, 0]) }?.contains("element 1 is 0.0") == true)
    #expect(message { _ = try scaling([.nan, 1]) }?.contains("element 0 is nan") == true)
  }

  @Test("versions, magic and byte order")
  func start() throws {
    var file = GGUFBytes.model(fill: counting)
    file.version = 2
    #expect(try open(file).tensors.count == 11)
    file.version = 1
    #expect(failure(file).contains("GGUF version 1"))
    file.version = 3 << 24
    #expect(failure(file).contains("big-endian"))
    file.version = 3
    file.magic = Array("GGUX".utf8)
    #expect(failure(file).contains("does not begin with GGUF"))
  }

  @Test(
    "counts beyond the file are refused before memory is taken",
    arguments: [
      UInt64.max, 1 << 63, 1 << 40, 100_000,
    ])
  func counts(count: UInt64) {
    var file = GGUFBytes.model(fill: counting)
    file.tensorCount = count
    #expect(failure(file).contains("do not fit"))
    file = .model(fill: counting)
    file.keyCount = count
    #expect(failure(file).contains("do not fit"))
    for type in [UInt32(0), 6, 8, 9, 12] {
      file = .model(fill: counting)
      file.add("x", type: 9, GGUFBytes.number(type) + GGUFBytes.number(count))
      #expect(failure(file).contains("do not fit"), "array of type \(type)")
    }
    file = .model(fill: counting)
    file.add("x", type: 8, GGUFBytes.number(count))
    #expect(failure(file).contains("do not fit"))
  }

  @Test("metadata that cannot be right")
  func metadata() {
    var file = GGUFBytes.model(fill: counting)
    file.add("llama.block_count", 2)
    #expect(failure(file).contains("llama.block_count twice"))
    file = .model(fill: counting)
    file.add("x", type: 13, [0])
    #expect(failure(file).contains("unknown type 13"))
    file = .model(fill: counting)
    file.add(
      "x", type: 9,
      (0..<6).flatMap { _ in GGUFBytes.number(UInt32(9)) + GGUFBytes.number(UInt64(1)) })
    #expect(failure(file).contains("deep"))
    for alignment in [0, 48] {
      file = .model(fill: counting)
      file.add("general.alignment", alignment)
      #expect(failure(file).contains("power of two"))
    }
    file = .model(architecture: "opt", fill: counting)
    #expect(failure(file).contains("architecture opt (read are llama, qwen2"))
    file = .model(fill: counting)
    file.add("llama.expert_count", 8)
    #expect(failure(file).contains("llama.expert_count = 8"))
  }

  @Test("entries of tensors that cannot be right")
  func entries() {
    func with(_ entry: [UInt8]) -> String {
      var file = GGUFBytes.model(fill: counting)
      file.tensors.append(entry)
      return failure(file)
    }
    let entry = GGUFBytes.entry
    #expect(with(entry("x", [4], 0, 0, nil)).contains("inside"))
    #expect(with(entry("token_embd.weight", [4], 0, 1 << 20, nil)).contains("twice"))
    #expect(with(entry("x", [1 << 32, 1 << 32], 0, 0, nil)).contains("63 bits"))
    #expect(with(entry("x", [1 << 62, 4], 0, 0, nil)).contains("63 bits"))
    #expect(with(entry("x", [4], 0, 1 << 20, nil)).contains("truncated"))
    #expect(with(entry("x", [4], 0, UInt64.max - 31, nil)).contains("past any file"))
    #expect(with(entry("x", [4], 0, 7, nil)).contains("alignment"))
    #expect(with(entry("x", [0], 0, 0, nil)).contains("a dimension of 0"))
    #expect(with(entry("x", [], 0, 0, nil)).contains("0 dimensions"))
    #expect(with(entry("x", [1, 1, 1, 1, 1], 0, 0, 5)).contains("5 dimensions"))
    #expect(with(entry("x", [33], 2, 0, nil)).contains("blocks of 32 (Q4_0)"))
    #expect(with(entry("x", [256], 16, 0, nil)).contains("GGUF type IQ2_XXS"))
    #expect(with(entry("x", [256], 144, 0, nil)).contains("GGUF type IQ4_KS"))
    #expect(with(entry("x", [256], 999, 0, nil)).contains("number 999"))
    #expect(with(entry("", [4], 0, 0, nil)).contains("name has 0 bytes"))
  }

  @Test("a file cut anywhere is refused")
  func truncated() throws {
    let bytes = GGUFBytes.model(fill: counting).bytes
    for length in stride(from: 0, to: bytes.count - 32, by: 101) {
      try folder.write(Array(bytes.prefix(length)), to: "cut.gguf")
      let url = URL(fileURLWithPath: folder.path("cut.gguf"))
      #expect(message { _ = try Checkpoint(directory: url) } != nil, "\(length) bytes")
    }
  }

  @Test("tokenizers of a kind that is not known are named")
  func tokenizer() throws {
    var file = GGUFBytes.model(architecture: "llama", fill: counting)
    file.add("tokenizer.ggml.model", "gpt2")
    file.add("tokenizer.ggml.tokens", ["a", "b"])
    file.add("tokenizer.ggml.merges", [String]())
    file.add("tokenizer.ggml.pre", "who-knows")
    let model = try open(file)
    #expect(model.hasCompanionFile("tokenizer.json"))
    #expect(
      message { _ = try model.companionFile("tokenizer.json") }?
        .contains("tokenizer.ggml.pre who-knows (known are qwen2") == true)
  }
}
