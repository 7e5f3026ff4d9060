import Foundation
import Testing

/// Models with experts: which files the commands refuse.
@Suite struct ExpertTests {
  private static let experts = "model.layers.1.mlp.experts"

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func expectRefused(
    naming words: [String], _ change: (ModelCopy) throws -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let model = try ModelCopy(ofReference: "qwen3_moe_bf16", in: folder)
    try change(model)
    let run = ["--ids", "5,6,7", "--print-ids", "--max-tokens", "2"]
    let outcome = try folder.run(.generate, ["--model", model.path] + run)
    expectRefusal(outcome, naming: words, sourceLocation: sourceLocation)
    try FileManager.default.removeItem(at: model.folder)
  }

  @Test func whatContradictsItselfIsRefused() throws {
    let cases: [([String: Any], [String])] = [
      (["num_experts_per_tok": 7], ["num_experts_per_tok", "at most num_experts (6)", "7"]),
      (["num_experts_per_tok": 0], ["num_experts_per_tok", "0"]),
      (["num_experts": 8], ["mlp.gate.weight", "[8, 32]", "[6, 32]"]),
      (["num_experts": 4], ["mlp.gate.weight", "[4, 32]", "[6, 32]"]),
      (["moe_intermediate_size": 24], ["experts.0.", "[24, 32]", "[16, 32]"]),
      (["mlp_only_layers": [Int]()], ["model.layers.0.mlp.gate.weight"]),
      (["mlp_only_layers": [0, 1]], ["model.layers.1.mlp.gate_proj.weight"]),
      (["num_key_value_heads": 3], ["num_attention_heads", "multiple"]),
      (["head_dim": 15], ["head_dim"]),
    ]
    for (changes, words) in cases {
      try expectRefused(naming: words) { try $0.configure(changes) }
    }
  }

  @Test(arguments: ["0.gate_proj", "3.up_proj", "5.down_proj"])
  func missingExpertsAreNamed(name: String) throws {
    let tensor = "\(Self.experts).\(name).weight"
    try expectRefused(naming: [tensor]) { try $0.editTensor(tensor) { $0 = nil } }
  }

  @Test func expertsOfOtherShapesAreNamed() throws {
    let tensor = "\(Self.experts).4.down_proj.weight"
    try expectRefused(naming: [tensor, "[32, 16]", "[16, 32]"]) {
      try $0.editTensor(tensor) { $0?.shape = [16, 32] }
    }
  }
}
