import Foundation
import Testing

/// GGUF files, written and read by every command that takes a model.
@Suite struct GGUFTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ flags: [String], to name: String = "model.gguf") throws -> String {
    let outcome = try folder.run(
      .quantize,
      ["--model", Nano.model, "--format", "gguf", "--output", folder.path(name)] + flags)
    try #require(outcome.isSuccess, "\(outcome.errors)")
    return folder.path(name)
  }

  private func answer(_ model: String, _ flags: [String] = []) throws -> Outcome {
    try folder.run(
      .generate,
      ["--model", model, "--prompt", Nano.problem, "--greedy", "--think-budget", "60"] + flags)
  }

  @Test func weightsAsTheyAreGiveTheSameText() throws {
    let file = try write(["--bits", "16"])
    let (found, expected) = (try answer(file), try answer(Nano.model))
    #expect(found.isSuccess, "\(found.errors)")
    #expect(found.output == expected.output)
    #expect(try folder.names() == ["model.gguf"])
  }

  @Test(arguments: [["--bits", "8", "--method", "rtn"], ["--bits", "8"]])
  func blocksOfEightBitsStillSolve(flags: [String]) throws {
    let outcome = try answer(write(flags))
    #expect(outcome.output.contains("\\boxed{24}"), "\(outcome.errors)")
    #expect(outcome.errors.contains("Q8_0"))
  }

  @Test func blocksOfFourBitsAreRead() throws {
    let file = try write(["--bits", "4", "--samples", "16", "--length", "128"])
    let outcome = try answer(file)
    #expect(outcome.isSuccess && outcome.errors.contains("Q4_0"), "\(outcome.errors)")
    let inspected = try folder.run(.quantize, ["--inspect", file])
    #expect(inspected.output.contains("Q4_0"), "\(inspected.errors)")
  }

  @Test(arguments: [("Q4_K_M", "Q4_K"), ("q6_k", "Q6_K")])
  func mixesOfKQuantsAreWrittenAndRead(mix: String, kind: String) throws {
    let file = folder.path("mixed.gguf")
    let outcome = try folder.run(
      .quantize, ["--model", "nano-4m", "--type", mix, "--output", file])
    try #require(outcome.isSuccess, "\(outcome.errors)")
    #expect(outcome.errors.contains("matrices, error"))
    let inspected = try folder.run(.quantize, ["--inspect", file])
    #expect(inspected.output.contains(kind) && inspected.output.contains("Q6_K"))
    let reply = try answer(file)
    #expect(reply.isSuccess && reply.output.contains("\\boxed"), "\(reply.errors)")
  }

  @Test func aMixExcludesWhatItDecides() throws {
    for (flags, word) in [
      (["--type", "Q4_K_M", "--bits", "4"], "--bits"),
      (["--type", "Q4_K_M", "--no-act-order"], "GPTQ's flags"),
      (["--type", "Q4_K_M", "--format", "gptq"], "for GGUF files"),
      (["--type", "Q4_K_M", "--calibration", "self"], "needs no calibration"),
      (["--type", "Q3_K_M"], "Q4_K_M"),
    ] {
      expectRefusal(
        try folder.run(.quantize, ["--output", folder.path("x.gguf")] + flags), code: 2,
        naming: [word])
    }
    #expect(try folder.names().isEmpty)
  }

  @Test func everyCommandTakesAFile() throws {
    let file = try write(["--bits", "16"])
    let flags = [
      "--fits", "--model", file, "--bits", "16", "--budget", "100", "--memory", "1GiB",
    ]
    #expect(try folder.run(.plan, flags).isSuccess)
    let evaluated = try folder.run(
      .evaluate,
      [
        "--model", file, "--bench", "nano-math", "--limit", "2", "--journal",
        folder.path("run.jsonl"),
      ])
    #expect(evaluated.isSuccess, "\(evaluated.errors)")
    let quantized = try folder.run(
      .quantize,
      [
        "--model", file, "--method", "rtn", "--bits", "8", "--output", folder.path("out"),
      ])
    try #require(quantized.isSuccess, "\(quantized.errors)")
    let outcome = try answer(folder.path("out"))
    #expect(outcome.output.contains("\\boxed{24}"), "\(outcome.errors)")
  }

  /// Blocks are weights as others are: 8 bits of them become 8 bits that hold the same, 4 bits still
  /// solve, and 16 bits are their values.
  @Test(arguments: [
    (
      ["--bits", "8", "--method", "rtn"],
      ["--bits", "4", "--calibration", "self:32x256"]
    ),
    (["--bits", "8", "--method", "rtn"], ["--bits", "8", "--method", "rtn", "--format", "gguf"]),
    (["--type", "Q4_K_M"], ["--bits", "8", "--method", "rtn"]),
    (["--type", "Q4_K_M"], ["--bits", "16", "--format", "safetensors"]),
    (["--type", "Q4_K_M"], ["--type", "Q6_K"]),
  ])
  func blocksAreQuantizedAgain(first: [String], second: [String]) throws {
    let file = folder.path("first.gguf")
    let written = try folder.run(
      .quantize, ["--model", "nano-4m", "--format", "gguf", "--output", file] + first)
    try #require(written.isSuccess, "\(written.errors)")
    let isFile = second.contains("gguf") || second.contains("--type")
    let output = folder.path(isFile ? "second.gguf" : "second")
    let outcome = try folder.run(.quantize, ["--model", file, "--output", output] + second)
    try #require(outcome.isSuccess, "\(outcome.errors)")
    #expect(outcome.errors.contains("first is quantized already"))
    let reply = try answer(output)
    #expect(reply.output.contains("\\boxed{24}"), "\(reply.errors)")
    #expect(try !folder.names().contains { $0.hasPrefix(".") })
  }

  @Test func whatBlocksDoNotHoldIsRefusedBeforeTheWork() throws {
    for (flags, word) in [
      (["--group-size", "64"], "groups of 32"), (["--asymmetric"], "symmetric"),
      (["--bits", "3"], "3 bits in GGUF files"),
    ] {
      let outcome = try folder.run(
        .quantize,
        ["--model", Nano.model, "--format", "gguf", "--output", folder.path("x.gguf")] + flags)
      expectRefusal(outcome, naming: [word])
    }
    #expect(try folder.names().isEmpty)
    try Data("text".utf8).write(to: URL(fileURLWithPath: folder.path("x.gguf")))
    let flags = ["--model", Nano.model, "--format", "gguf", "--bits", "16", "--output", "x.gguf"]
    expectRefusal(try folder.run(.quantize, flags), naming: ["x.gguf", "exists"])
    #expect(try folder.names() == ["x.gguf"])
  }
}
