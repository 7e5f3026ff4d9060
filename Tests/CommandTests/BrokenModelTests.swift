import Foundation
import Testing

/// Models that cannot be right are refused by name, and nothing is written.
@Suite struct BrokenModelTests {
  private static let matrix = "model.layers.1.mlp.down_proj.weight"
  private static let commands: [Command] = [.generate, .quantize]

  /// Expects that a command refuses the model in a folder and leaves nothing but that model.
  private func expectRefused(
    _ command: Command, _ path: String, in folder: TemporaryFolder, naming words: [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try folder.names()
    let own = ["--ids", "5,6", "--print-ids", "--max-tokens", "2"]
    let outcome = try folder.run(
      command,
      ["--model", path]
        + (command == .generate
          ? own : ["--bits", "4", "--method", "rtn", "--output", folder.path("out")]))
    expectRefusal(outcome, naming: words, sourceLocation: sourceLocation)
    #expect(try folder.names() == before, sourceLocation: sourceLocation)
  }

  /// Expects that a command refuses a model after a change.
  private func expectRefused(
    _ command: Command, naming words: [String],
    sourceLocation: SourceLocation = #_sourceLocation, after change: (ModelCopy) throws -> Void
  ) throws {
    let folder = try TemporaryFolder()
    let copy = try ModelCopy(in: folder)
    try change(copy)
    try expectRefused(
      command, copy.path, in: folder, naming: words, sourceLocation: sourceLocation)
  }

  @Test(arguments: commands) func noModel(command: Command) throws {
    let folder = try TemporaryFolder()
    let missing = folder.path("missing")
    try expectRefused(command, missing, in: folder, naming: [missing, "No such file"])
    let empty = folder.path("empty")
    try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: false)
    try expectRefused(command, empty, in: folder, naming: ["\(empty)/config.json", "not found"])
    try expectRefused(command, "nano-9m", in: folder, naming: ["nano-9m"])
    try expectRefused(command, naming: ["safetensors"]) { try $0.remove("model.safetensors") }
  }

  /// Git LFS leaves a pointer where a file was not fetched.
  @Test(arguments: commands) func pointers(command: Command) throws {
    let pointer = Data(
      """
      version https://git-lfs.github.com/spec/v1
      oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
      size 1503300328

      """.utf8)
    for file in ["model.safetensors", "config.json"] {
      try expectRefused(command, naming: [file, "Git LFS pointer to 1.50 GB", "git lfs pull"]) {
        try $0.edit(file) { $0 = pointer }
      }
    }
    let folder = try TemporaryFolder()
    try pointer.write(to: URL(fileURLWithPath: folder.path("m.gguf")))
    try expectRefused(command, folder.path("m.gguf"), in: folder, naming: ["Git LFS pointer"])
  }

  /// Weights of other kinds are named, and what works instead.
  @Test(
    arguments: commands,
    [
      ("pytorch_model.bin", ["pytorch_model.bin", "save_pretrained"]),
      ("consolidated.safetensors", ["mv ", "/model/model.safetensors"]),
      (
        "model-00001-of-00002.safetensors",
        ["model.safetensors.index.json", "bitbudget pull ORG/NAME"]
      ),
      ("consolidated.00.pth", ["PyTorch weights", "bitbudget pull"]),
      ("model.onnx", ["ONNX weights", "safetensors files of the same model"]),
      ("flax_model.msgpack", ["Flax"]),
      ("model.Q4_K_M.gguf", ["--model", "/model/model.Q4_K_M.gguf"]),
      ("adapter_model.safetensors", ["adapter", "merge_and_unload"]),
    ]
  ) func otherWeights(command: Command, kind: (file: String, words: [String])) throws {
    try expectRefused(command, naming: [kind.file] + kind.words) {
      try FileManager.default.moveItem(
        atPath: $0.path + "/model.safetensors", toPath: $0.path + "/" + kind.file)
    }
    // The folders of GGUF files hold nothing else.
    guard kind.file.hasSuffix(".gguf") else { return }
    try expectRefused(command, naming: [kind.file, "no config.json"] + kind.words) {
      try FileManager.default.moveItem(
        atPath: $0.path + "/model.safetensors", toPath: $0.path + "/" + kind.file)
      try $0.remove("config.json")
    }
  }

  @Test(
    arguments: commands,
    [
      ("model_type", "\"mamba\""), ("hidden_act", "\"swish2\""),
      ("num_hidden_layers", "1000000000"), ("num_hidden_layers", "0"),
      ("hidden_size", "\"128\""), ("hidden_size", nil), ("intermediate_size", "1000000000"),
      ("num_attention_heads", "-1"), ("num_key_value_heads", "3"), ("head_dim", "2.5"),
      ("vocab_size", "9223372036854775808"), ("vocab_size", "null"),
      ("max_position_embeddings", "1000000000000000000"),
    ]
  ) func config(command: Command, value: (key: String, json: String?)) throws {
    try expectRefused(command, naming: ["config.json", value.key]) {
      try $0.configure(value.key, value.json)
    }
  }

  @Test(arguments: [
    ("config.json", "eos_token_id", "\"</s>\""), ("config.json", "bos_token_id", "true"),
    ("generation_config.json", "eos_token_id", "[1, \"2\"]"),
    ("generation_config.json", "pad_token_id", "0.5"),
  ]) func specialTokenIDs(file: String, key: String, value: String) throws {
    try expectRefused(.generate, naming: [file, key, "a token id"]) {
      try $0.edit(file) { $0 = try Self.setting(key, to: value, in: $0) }
    }
  }

  /// What is no token of the model is said, and the model runs.
  @Test func strangeTokenIDs() throws {
    let folder = try TemporaryFolder()
    let copy = try ModelCopy(in: folder)
    for (file, key, value) in [
      ("config.json", "eos_token_id", "[-1]"), ("generation_config.json", "eos_token_id", "999999"),
      ("config.json", "bos_token_id", "70000000000"), ("config.json", "pad_token_id", "-1"),
    ] {
      try copy.edit(file) { $0 = try Self.setting(key, to: value, in: $0) }
    }
    let outcome = try folder.run(
      .generate, ["--model", copy.path, "--ids", "5,6", "--print-ids", "--max-tokens", "2"])
    #expect(outcome.isSuccess)
    for words in [
      "/config.json: eos_token_id: -1 is none of", "no text ends by it",
      "generation_config.json: eos_token_id: 999999 is none of",
      "/config.json: bos_token_id: 70000000000 is none of",
    ] {
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
    #expect(!outcome.errors.contains("pad_token_id"))
  }

  /// A JSON object with this member.
  private static func setting(_ key: String, to value: String, in file: Data) throws -> Data {
    var object = try #require(JSONSerialization.jsonObject(with: file) as? [String: Any])
    object[key] = try JSONSerialization.jsonObject(
      with: Data(value.utf8), options: .fragmentsAllowed)
    return try JSONSerialization.data(withJSONObject: object)
  }

  @Test(arguments: commands) func configIsNoJSON(command: Command) throws {
    try expectRefused(command, naming: ["config.json", "byte 15"]) {
      try $0.edit("config.json") { $0 = Data("{\"model_type\": ".utf8) }
    }
  }

  @Test(arguments: commands) func truncatedWeights(command: Command) throws {
    try expectRefused(command, naming: ["model.safetensors", "1 missing"]) {
      try $0.edit("model.safetensors") { $0.removeLast() }
    }
    for count in [0, 7, 100, 4096, 500_000] {
      try expectRefused(command, naming: ["model.safetensors", "truncated", "\(count) found"]) {
        try $0.edit("model.safetensors") { $0 = $0.prefix(count) }
      }
    }
  }

  @Test(arguments: commands, [UInt64.max, 1 << 63, 1 << 40, 40]) func lyingHeader(
    command: Command, length: UInt64
  ) throws {
    try expectRefused(command, naming: ["model.safetensors"]) {
      try $0.edit("model.safetensors") { data in
        data = withUnsafeBytes(of: length.littleEndian) { Data($0) } + data.dropFirst(8)
      }
    }
  }

  @Test(arguments: commands, [[256, 128], [1, 128, 256], [32_768]]) func wrongShape(
    command: Command, shape: [Int]
  ) throws {
    try expectRefused(command, naming: [Self.matrix, "\(shape)"]) {
      try $0.editTensor(Self.matrix) { $0?.shape = shape }
    }
  }

  @Test(arguments: commands) func aRowShort(command: Command) throws {
    try expectRefused(command, naming: [Self.matrix, "[128, 256]", "[127, 256]"]) {
      try $0.editTensor(Self.matrix) { tensor in
        tensor?.shape = [127, 256]
        tensor?.data.removeLast(512)
      }
    }
  }

  @Test(arguments: commands, [matrix, "model.norm.weight", "model.embed_tokens.weight"])
  func missingTensor(command: Command, name: String) throws {
    try expectRefused(command, naming: [name]) { try $0.editTensor(name) { $0 = nil } }
  }

  @Test(arguments: commands) func aLayerMoreThanTheFileHas(command: Command) throws {
    try expectRefused(command, naming: ["model.layers.3."]) {
      try $0.configure("num_hidden_layers", "4")
    }
  }

  /// Not-a-number and both infinities, as BF16.
  @Test(arguments: [UInt16(0x7fc0), 0x7f80, 0xff80]) func nonFiniteWeight(pattern: UInt16) throws {
    for (command, word) in [
      (Command.generate, "non-finite"), (.quantize, "layers.1.mlp.down_proj"),
    ] {
      try expectRefused(command, naming: [word]) {
        try $0.editTensor(Self.matrix) { tensor in
          tensor?.data.replaceSubrange(
            0..<2, with: [UInt8(pattern & 255), UInt8(pattern >> 8)])
        }
      }
    }
  }
}
