import Foundation
import Testing

/// quantize: what it says of odd calibration and full disks, and its plain form.
@Suite struct QuantizeTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func arguments(_ more: [String], model: String = Nano.model) -> [String] {
    ["--model", model, "--output", folder.path("out")] + more
  }

  private var everything: String {
    get throws {
      try Data(contentsOf: folder.url.appendingPathComponent("out/model.safetensors.zst"))
        .base64EncodedString()
    }
  }

  /// Rounding the products of codes and scales to BF16 is all that sets the two apart.
  @Test(arguments: ["4", "8"]) func dequantizedIsWithinRounding(bits: String) throws {
    for format in ["compressed-tensors", "safetensors"] {
      let outcome = try folder.run(
        .quantize,
        [
          "--model", Nano.model, "--method", "rtn", "--bits", bits, "--format", format,
          "--output", folder.path(format),
        ])
      try #require(outcome.isSuccess, "\(outcome.errors)")
    }
    #expect(!folder.text("safetensors/config.json").contains("quantization_config"))
    let inspected = try folder.run(.quantize, ["--inspect", folder.path("safetensors")])
    #expect(inspected.isSuccess && !inspected.output.contains("bits, groups"))
    let text = String(repeating: "Start with 51. Then (a) add 50. What is the result? ", count: 20)
    try text.write(toFile: folder.path("text.txt"), atomically: true, encoding: .utf8)
    let outcome = try folder.run(
      .evaluate,
      [
        "--compare", folder.path("compressed-tensors"), folder.path("safetensors"), "--text",
        folder.path("text.txt"), "--format", "json",
      ])
    struct Row: Decodable {
      let divergence: Double?
      enum CodingKeys: String, CodingKey { case divergence = "kl_mean" }
    }
    let rows = try JSONDecoder().decode([Row].self, from: Data(outcome.output.utf8))
    #expect(try #require(rows[1].divergence) < 1e-3)
  }

  /// Calibration, second moments, factors and codes have the same bits whatever the instruction set.
  @Test func everyProcessorWritesTheSameBytes() throws {
    var results: Set<String> = []
    for environment in [[:], ["BITBUDGET_ISA": "scalar"]] {
      let outcome = try folder.run(
        .quantize, arguments(["--samples", "3", "--length", "64", "--force"]),
        environment: environment)
      try #require(outcome.isSuccess, "\(outcome.errors)")
      results.insert(try everything)
    }
    #expect(results.count == 1)
  }

  /// Fewer tokens than inputs: without damping the second moments cannot be inverted.
  @Test func dampingIsRaisedAndSaid() throws {
    let outcome = try folder.run(
      .quantize, arguments(["--damping", "0", "--samples", "1", "--length", "16"]))
    try #require(outcome.isSuccess, "\(outcome.errors)")
    #expect(outcome.errors.contains("down_proj: the Hessian was not positive definite; damping"))
    #expect(folder.text("out/bitbudget.json").contains("\"dampingRaises\" : 1"))
  }

  @Test func aLayerThatCalibrationNeverReachedIsNamed() throws {
    let copy = try ModelCopy(in: folder)
    try copy.editTensor("model.layers.1.post_attention_layernorm.weight") { tensor in
      if let size = tensor?.data.count { tensor?.data = Data(count: size) }
    }
    let outcome = try folder.run(
      .quantize,
      arguments(
        ["--calibration", try text(), "--samples", "2", "--length", "32"], model: copy.path))
    expectRefusal(
      outcome, naming: ["model.layers.1.mlp.gate_proj", "calibration never reached", "64 tokens"])
    #expect(try folder.names() == ["model", "text.txt"])
  }

  /// Other programs take whole groups alone, and codes as zero points.
  @Test(arguments: ["compressed-tensors", "gptq"])
  func whatOtherProgramsWouldRefuseIsRefusedBeforeTheWork(format: String) throws {
    let group = try folder.run(
      .quantize, arguments(["--group-size", "96", "--format", format]))
    expectRefusal(group, naming: ["model.layers.0", "128 inputs in groups of 96", "--group-size"])
    let zeros = try folder.run(
      .quantize,
      arguments([
        "--method", "hqq", "--asymmetric", "--group-size", "32", "--format", format,
      ]))
    expectRefusal(zeros, naming: ["model.layers.0", "a zero point that is no code", "hqq"])
    #expect(try folder.names().isEmpty)
  }

  /// A zero point of 0 is stored in version 2 of GPTQ's files.
  @Test func zeroPointsOfGPTQAreThoseOfVersion2() throws {
    let outcome = try folder.run(
      .quantize,
      arguments([
        "--method", "rtn", "--asymmetric", "--group-size", "32", "--format", "gptq",
      ]))
    try #require(outcome.isSuccess, "\(outcome.errors)")
    #expect(folder.text("out/config.json").contains("\"gptq_v2\""))
  }

  /// The last group of every row is short; see README.
  @Test(arguments: ["zstd", "safetensors"])
  func inputsThatAreNoMultipleOfTheGroup(format: String) throws {
    let outcome = try folder.run(
      .quantize,
      arguments(["--method", "rtn", "--bits", "8", "--group-size", "96", "--format", format]))
    try #require(outcome.isSuccess, "\(outcome.errors)")
    let answer = try folder.run(
      .generate, ["--model", folder.path("out"), "--prompt", Nano.problem, "--greedy"])
    #expect(answer.isSuccess && answer.output.contains("\\boxed{24}"), "\(answer.errors)")
  }

  /// The first block that a run stored before it was killed.
  private func blockOfAKilledRun(_ flags: [String]) throws -> String {
    let running = try folder.start(.quantize, flags)
    let block = folder.path(".out.blocks/block-0")
    try #require(
      running.waits { FileManager.default.fileExists(atPath: block) }, "\(running.errors)")
    running.send(SIGKILL)
    #expect(running.finish().end == .killed(SIGKILL))
    return block
  }

  /// Of a run that is killed, every byte is that of an undisturbed one; of another source, none is
  /// used.
  @Test func aKilledRunGoesOnWithItsOwnSourceOnly() throws {
    let copy = try ModelCopy(in: folder)
    let flags = try arguments(
      ["--calibration", text(), "--samples", "64", "--length", "64"], model: copy.path)
    let block = try blockOfAKilledRun(flags)
    let stopped = URL(fileURLWithPath: folder.path(".out.blocks"))
    let kept = folder.url.appendingPathComponent("kept")
    try FileManager.default.copyItem(at: stopped, to: kept)

    let matrix = "model.layers.2.mlp.up_proj.weight"
    let weights = URL(fileURLWithPath: copy.path + "/model.safetensors")
    let original = try Data(contentsOf: weights)
    try copy.editTensor(matrix) { $0?.data[0] ^= 1 }
    let refused = try folder.run(.quantize, flags)
    expectRefusal(refused, naming: [".out.blocks", "other source model"])
    #expect(FileManager.default.fileExists(atPath: block))

    try original.write(to: weights)
    try #require(folder.run(.quantize, flags).isSuccess)
    let resumed = try everything
    try FileManager.default.removeItem(atPath: folder.path("out"))
    try #require(folder.run(.quantize, flags).isSuccess)
    #expect(try everything == resumed)
  }

  /// A stored block that is damaged is said and left out, not met again and again.
  @Test func aDamagedBlockOfAKilledRunIsNoEndlessRefusal() throws {
    let flags = try arguments(["--calibration", text(), "--samples", "64", "--length", "64"])
    let block = try blockOfAKilledRun(flags)
    let file = URL(fileURLWithPath: block + "/model.safetensors.zst")
    try Data(contentsOf: file).dropLast(100).write(to: file)
    expectRefusal(
      try folder.run(.quantize, flags), naming: ["block-0", "the same command starts anew"])
    #expect(try folder.run(.quantize, flags).isSuccess)
    #expect(try !folder.names().contains(".out.blocks"))
  }

  @Test func whatExistsIsRefusedWithWhatHelps() throws {
    try FileManager.default.createDirectory(
      atPath: folder.path("out"), withIntermediateDirectories: false)
    expectRefusal(
      try folder.run(.quantize, arguments(["--method", "rtn"])),
      naming: ["exists; --force replaces it, --output names another"])
  }

  /// Every file of the run in turn meets a disk that takes no more: a limit on the size of files
  /// stands for it.
  @Test func aFullDiskAtAnyPointIsAnErrorAndLosesNothing() throws {
    let flags = "--model \(Nano.model) --method rtn --bits 8 --output out"
    var failures = 0
    // Blocks, the tensors that wait, the shard; in KiB.
    for limit in [1, 16, 64, 128, 256, 400, 500] {
      let outcome = try folder.shell("trap '' XFSZ; ulimit -f \(limit); quantize \(flags)")
      if outcome.isSuccess { continue }
      failures += 1
      expectRefusal(outcome, naming: ["File too large"])
      #expect(try folder.names().allSatisfy { $0 == ".out.blocks" })
    }
    #expect(failures >= 4)
    #expect(try folder.shell("quantize \(flags)").isSuccess)
    #expect(try folder.names() == ["out"])
  }

  private func text() throws -> String {
    let path = folder.path("text.txt")
    let rows = (0..<400).map {
      "Start with \($0). Then (a) add \($0 * 7 % 90). What is the result?"
    }
    try rows.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }
}
