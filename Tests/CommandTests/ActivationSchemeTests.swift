import Foundation
import Testing

/// quantize --scheme NAME: weights and activations together.
@Suite struct ActivationSchemeTests {
  private static let calibration = ["--calibration", "calibration.txt", "--samples", "4"]

  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try Data(
      (0..<8).map { "Compute \($0) + 5. Start with \($0), add 5 and answer.\n\n" }.joined().utf8
    ).write(to: URL(fileURLWithPath: folder.path("calibration.txt")))
    return folder
  }

  @Test(arguments: [
    ("w8a8-fp", "F8_E4M3, one scale a row"), ("w8a8-int", "I8, one scale a row"),
    ("quik-w4a4", "8 bits, one scale a row, 16 outliers"),
    ("w4a4-rotated", "4 bits, one scale a row, 0 outliers, rotated inputs"),
  ])
  func aSchemeIsWrittenAndRuns(scheme: String, storage: String) throws {
    let folder = try folder()
    let words = ["--model", Nano.model, "--scheme", scheme, "--output", folder.path("out")]
    let outcome = try folder.run(
      .quantize, words + (scheme == "w8a8-fp" ? [] : Self.calibration))
    try #require(outcome.isSuccess, "\(outcome.errors)")
    let items = try folder.run(.quantize, ["--inspect", folder.path("out")])
    let line = items.output.split(separator: "\n").first {
      $0.contains("layers.0.mlp.down_proj.weight")
    }
    #expect(line?.contains(storage) == true, "\(line ?? "none")")
    let answer = try folder.run(
      .generate,
      ["--model", folder.path("out"), "--prompt", Nano.problem, "--greedy", "--max-tokens", "8"])
    #expect(answer.isSuccess, "\(answer.errors)")
    #expect(answer.errors.contains("activations"), "\(answer.errors)")
    try expectOneNumber(scheme, in: folder)
  }

  /// The planner, the files and the engine agree on the bytes of what was written.
  private func expectOneNumber(_ scheme: String, in folder: TemporaryFolder) throws {
    func json(_ command: Command, _ words: [String]) throws -> Any {
      let outcome = try folder.run(command, words + ["--json"])
      try #require(outcome.isSuccess, "\(outcome.errors)")
      return try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    }
    let plan = try #require(
      json(
        .plan,
        [
          "--fits", "--model", Nano.model, "--scheme", scheme, "--budget", "200", "--memory",
          "1GiB",
        ]) as? [String: Any])
    let tensors = try #require(
      json(.quantize, ["--inspect", folder.path("out")]) as? [[String: Any]])
    let bytes = tensors.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) }
    #expect(plan["file_bytes"] as? Int == bytes)
    let total = try #require((plan["total_bytes"] as? [String: Int])?["actual"])
    let reply = try folder.run(
      .generate,
      [
        "--model", folder.path("out"), "--prompt", Nano.problem, "--think-budget", "200",
        "--memory", "\(total)b",
      ])
    #expect(reply.isSuccess, "\(reply.errors)")
  }

  @Test func whatAFormatOrFlagCannotHaveIsRefusedBeforeTheWork() throws {
    let folder = try folder()
    for (words, end, text) in [
      (["--scheme", "w8a8-int", "--bits", "4"], 2, "says all"),
      (["--scheme", "w8a8-fp", "--calibration", "calibration.txt"], 2, "needs no calibration"),
      (["--outliers", "4"], 2, "need --scheme quik-w4a4"), (["--smooth", "2"], 2, "0 to 1"),
      (["--scheme", "w8a9"], 1, "neither one of w8a8-int"),
      (["--scheme", "quik-w4a4", "--outliers", "300"], 1, "at most half"),
      (["--scheme", "quik-w4a4", "--format", "compressed-tensors"], 1, "run here alone"),
      (["--scheme", "w8a8-fp", "--format", "gptq"], 1, "float8"),
      (["--scheme", "w8a8-fp", "--format", "gguf"], 1, "GGUF"),
    ] {
      let outcome = try folder.run(.quantize, ["--model", Nano.model] + words)
      #expect(outcome.end == .exited(Int32(end)), "\(words) \(outcome.errors)")
      #expect(outcome.errors.contains(text), "\(words) \(outcome.errors)")
    }
  }
}
