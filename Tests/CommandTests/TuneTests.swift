import Foundation
import Testing

/// `tune` and the policy files that it leaves, through the built commands.
@Suite struct TuneTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Replies too short to be right are alike under every policy, so that little is decided soon.
  private func tune(_ model: String, _ flags: [String] = []) throws -> Outcome {
    try folder.run(
      .tune,
      [
        "--model", model, "--limit", "48", "--texts", "1", "--max-tokens", "40", "--margin", "0.9",
        "--candidates", "1", "--residual", "0", "--output", "tuned",
      ] + flags)
  }

  @Test func aPolicyIsFoundAndTaken() throws {
    let model = try ModelCopy(in: folder)
    let found = try tune(model.path, ["--install"])
    #expect(found.isSuccess, "\(found.errors)")
    #expect(found.output.contains("kept"))
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder.url.appendingPathComponent("tuned").path)
    for name in ["divergences.jsonl", "kv-policy.json", "tune.csv", "tune.svg"] {
      #expect(names.contains(name))
    }
    // Nothing is measured twice, and the same is found.
    let again = try tune(model.path)
    #expect(again.output == found.output)

    func generate(_ flags: [String], _ model: String) throws -> Outcome {
      try folder.run(
        .generate,
        ["--model", model, "--prompt", Nano.problem, "--max-tokens", "8"] + flags)
    }
    let file = folder.url.appendingPathComponent("tuned/kv-policy.json").path
    let taken = try generate([], model.path)
    #expect(taken.errors.contains("by \(model.path)/kv-policy.json"), "\(taken.errors)")
    let named = try generate(["--kv-policy", file], Nano.model)
    #expect(named.errors.contains("by \(file)") && named.output == taken.output)
    let byHand = try generate(["--kv", "bf16"], model.path)
    #expect(byHand.isSuccess && byHand.errors.contains("(bf16)"))
    #expect(!byHand.errors.contains("kv-policy.json"))
    expectRefusal(
      try generate(["--kv-policy", file], "nano-0.15m"), naming: [file, "is for model"])
    expectRefusal(
      try generate(["--kv-policy", file, "--kv", "int8"], Nano.model), code: 2,
      naming: ["--kv-policy"])
  }

  @Test func whatCannotBeTunedIsRefused() throws {
    expectRefusal(try tune(Nano.model, ["--kv", "int8"]), code: 2, naming: ["tune looks for"])
    expectRefusal(try tune(Nano.model, ["--bench", "prompts.txt"]), naming: ["without answers"])
    expectRefusal(try tune(Nano.model, ["--limit", "30"]), naming: ["30 problems"])
    expectRefusal(
      try tune(Nano.model, ["--residual", "32"]), code: 2, naming: ["--residual 32"])
    expectRefusal(
      try tune(Nano.model, ["--evict", "rkv:64"]), code: 2, naming: ["--evict rkv:64", "lazy"])
    #expect(try !folder.names().contains("runs"))
  }
}
