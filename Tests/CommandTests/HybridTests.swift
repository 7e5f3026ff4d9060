import Foundation
import Testing

/// Models with linear attention: what the commands do with their states, and which files they
/// refuse.
@Suite struct HybridTests {
  private static let run = ["--ids", "5,6,7", "--print-ids", "--max-tokens", "6"]

  private let folder: TemporaryFolder
  private let model: ModelCopy

  init() throws {
    folder = try TemporaryFolder()
    model = try ModelCopy(ofReference: "qwen35_tied_bf16", in: folder)
  }

  /// Any number of threads, any cut of the prompt and any number of samples at a time give one
  /// text.
  @Test func textsDependOnNothingButTheRequest() throws {
    let ids = (0..<150).map { "\($0 * 7 % 96)" }.joined(separator: ",")
    var texts: Set<String> = []
    for threads in ["1", "2", "3"] {
      let outcome = try folder.run(
        .generate,
        ["--model", model.path, "--ids", ids, "--print-ids", "--max-tokens", "20", "--seed", "4"]
          + ["--threads", threads])
      #expect(outcome.isSuccess, "\(outcome.errors)")
      texts.insert(outcome.output)
    }
    #expect(texts.count == 1)
  }

  @Test(arguments: ["bf16", "int8", "int4", "rkv:32", "bf16:64,int8"])
  func aPolicyIsAboutTheLayersThatAttend(kv: String) throws {
    let outcome = try folder.run(.generate, ["--model", model.path, "--kv", kv] + Self.run)
    #expect(outcome.isSuccess, "\(outcome.errors)")
    #expect(outcome.errors.contains("in 1 of 3 layers; the others hold states"))
  }

  @Test(arguments: ["bf16", "rkv:32"])
  func speculationChangesNoText(kv: String) throws {
    let ids = (0..<40).map { "\($0 * 7 % 96)" }.joined(separator: ",")
    let flags = [
      "--model", model.path, "--ids", "\(ids),\(ids)", "--print-ids", "--max-tokens", "60",
      "--seed", "4", "--kv", kv,
    ]
    let plain = try folder.run(.generate, flags)
    let speculated = try folder.run(.generate, flags + ["--speculate"])
    #expect(plain.isSuccess && speculated.output == plain.output, "\(speculated.errors)")
    let refused = try folder.run(.generate, flags + ["--draft", model.path])
    expectRefusal(refused, naming: ["--draft", "linear attention"])
  }

  @Test func quantizingLeavesTheSmallProjectionsAsTheyAre() throws {
    let out = folder.path("out")
    let outcome = try folder.run(
      .quantize,
      ["--model", model.path, "--bits", "8", "--method", "rtn", "--group-size", "32"]
        + ["--output", out])
    #expect(outcome.isSuccess, "\(outcome.errors)")
    let record = try String(contentsOfFile: out + "/bitbudget.json", encoding: .utf8)
    for name in ["in_proj_qkv", "in_proj_z", "out_proj"] { #expect(record.contains(name)) }
    for name in ["in_proj_a", "in_proj_b", "conv1d"] { #expect(!record.contains(name)) }
    let run = try folder.run(.generate, ["--model", out] + Self.run)
    #expect(run.isSuccess, "\(run.errors)")
  }

  @Test func whatContradictsItselfIsRefused() throws {
    let (linear, full) = ("linear_attention", "full_attention")
    let cases: [([String: Any], [String])] = [
      (["layer_types": [full, linear, linear]], ["layers.0.self_attn.q_proj"]),
      (["layer_types": [linear, full, full]], ["layers.1.self_attn.q_proj"]),
      (["layer_types": [linear, full]], ["layer_types", "3 types"]),
      (["layer_types": [linear, linear, "mamba"]], ["layer type mamba"]),
      (["layer_types": [linear, linear, linear]], ["at least one full_attention"]),
      (["linear_conv_kernel_dim": 3], ["conv1d.weight", "[80, 1, 3]", "[80, 1, 4]"]),
      (["linear_conv_kernel_dim": 9], ["linear_conv_kernel_dim", "1...8"]),
      (["linear_num_value_heads": 5], ["linear_num_value_heads", "multiple"]),
      (["linear_num_value_heads": 8], ["in_proj_qkv.weight", "[128, 32]", "[80, 32]"]),
      (["linear_key_head_dim": 1 << 20], ["linear_key_head_dim"]),
      (["num_attention_heads": 3], ["num_attention_heads", "multiple"]),
      (["rope_parameters": ["partial_rotary_factor": 0.35]], ["partial_rotary_factor"]),
    ]
    let config = model.folder.appendingPathComponent("config.json")
    let original = try Data(contentsOf: config)
    for (changes, words) in cases {
      try original.write(to: config)
      try model.configure(changes)
      let outcome = try folder.run(.generate, ["--model", model.path] + Self.run)
      expectRefusal(outcome, naming: words)
    }
  }
}
