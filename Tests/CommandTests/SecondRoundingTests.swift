import Foundation
import Testing

/// quantize, of models that are quantized already in any form that is read.
@Suite struct SecondRoundingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Quantizes the model at `path` with `flags`, expecting the warning, and lets the result solve a
  /// problem.
  private func expectSolved(_ path: String, _ flags: [String], form: String) throws {
    let isFile = flags.contains("gguf") || flags.contains("--type")
    let output = folder.path(isFile ? "second.gguf" : "second")
    let outcome = try folder.run(.quantize, ["--model", path, "--output", output] + flags)
    try #require(outcome.isSuccess, "\(outcome.errors)")
    #expect(outcome.errors.contains("is quantized already (\(form))"), "\(outcome.errors)")
    let reply = try folder.run(
      .generate,
      ["--model", output, "--prompt", Nano.problem, "--greedy", "--think-budget", "60"])
    #expect(reply.output.contains("\\boxed{24}"), "\(reply.errors)")
    #expect(try !folder.names().contains { $0.hasPrefix(".") })
  }

  @Test(arguments: [
    (
      ["--bits", "8", "--method", "rtn"], "8 bits, pack-quantized",
      ["--bits", "4", "--calibration", "self:32x256"]
    ),
    (
      ["--bits", "4", "--method", "hqq", "--format", "compressed-tensors"],
      "4 bits, pack-quantized", ["--bits", "8", "--method", "rtn", "--format", "gguf"]
    ),
    (
      ["--bits", "8", "--asymmetric", "--method", "rtn", "--format", "gptq"], "8 bits, gptq_v2",
      ["--bits", "4", "--method", "hqq"]
    ),
    (
      ["--scheme", "w8a8-int", "--format", "compressed-tensors"], "8 bits, int-quantized",
      ["--type", "Q4_K_M"]
    ),
    (
      ["--scheme", "w8a8-fp", "--format", "compressed-tensors"], "8 bits, float-quantized",
      ["--bits", "16", "--format", "safetensors"]
    ),
    (["--scheme", "w4a4-rotated"], "4 bits, bitbudget", ["--scheme", "w8a8-fp"]),
  ])
  func whatQuantizeWritesIsASource(first: [String], form: String, second: [String]) throws {
    let path = folder.path("first")
    let written = try folder.run(
      .quantize, ["--model", "nano-4m", "--output", path] + first)
    try #require(written.isSuccess, "\(written.errors)")
    try expectSolved(path, second, form: form)
  }

  @Test(arguments: [
    ["--bits", "8", "--method", "rtn"], ["--bits", "16", "--format", "safetensors"],
    ["--bits", "8", "--method", "rtn", "--format", "gguf"],
  ])
  func blocksOf8BitFloatsAreASource(flags: [String]) throws {
    let copy = try ModelCopy(in: folder)
    try copy.storeInFloat8Blocks()
    try expectSolved(copy.path, flags, form: "8 bits, fp8")
  }

  @Test func layersOfAWQAreASource() throws {
    let copy = try ModelCopy(in: folder)
    try copy.storeAsAWQ()
    try expectSolved(copy.path, ["--bits", "8", "--method", "rtn"], form: "4 bits, awq")
    let inspected = try folder.run(.quantize, ["--inspect", folder.path("second")])
    #expect(!inspected.output.contains("qweight") && !inspected.output.contains("scales"))
  }

  /// The scale of a block may be any float.
  @Test func aWeightThatF16DoesNotHoldIsNamed() throws {
    let copy = try ModelCopy(in: folder)
    try copy.storeInFloat8Blocks()
    try copy.editTensor("model.layers.1.mlp.up_proj.weight_scale_inv") { tensor in
      tensor?.data.replaceSubrange(0..<4, with: Float(1e6).littleEndianBytes)
    }
    expectRefusal(
      try folder.run(
        .quantize,
        [
          "--model", copy.path, "--method", "rtn", "--format", "gguf", "--output",
          folder.path("x.gguf"),
        ]),
      naming: ["model.layers.1.mlp.up_proj.weight: row 0, column", "F16", "65504"])
    // Blocks that are done before it are of no use.
    #expect(try folder.names() == ["model"])
  }
}
