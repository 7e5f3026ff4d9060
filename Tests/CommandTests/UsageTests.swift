import Foundation
import Testing

/// Wrong usage is exit code 2, prompts that cannot be run are 1; both say what and how much.
@Suite struct UsageTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: Command.allCases) func unknownFlag(command: Command) throws {
    let usual: [String] =
      switch command {
      case .quantize: ["--model", Nano.model, "--bits", "4"]
      case .study: ["status", "study.yaml"]
      case .generate, .chat, .serve, .evaluate, .plan, .tune, .load: ["--model", Nano.model]
      }
    let outcome = try folder.run(command, usual + ["--wat"])
    expectRefusal(outcome, code: 2, naming: ["--wat"])
  }

  @Test(arguments: Command.allCases) func helpIsNoError(command: Command) throws {
    let outcome = try folder.run(command, ["--help"])
    #expect(outcome.isSuccess)
    #expect(outcome.output.contains("USAGE: \(command.rawValue)"))
    #expect(outcome.errors == "")
  }

  @Test func helpThatCannotBeWrittenIsAFailure() throws {
    for words in ["generate --help", "bitbudget --help", "plan --version"] {
      let outcome = try folder.shell("exec \(words) >/dev/full")
      expectRefusal(outcome, naming: ["standard output cannot be written"])
    }
  }

  @Test(arguments: [
    (Command.generate, ["--prompt", "hi", "--threads", "0"], "--threads 0"),
    (.generate, ["--prompt", "hi", "--max-tokens", "0"], "--max-tokens 0"),
    (.generate, ["--prompt", "hi", "--kv", "f64"], "f64"),
    (.generate, ["--prompt", "hi", "--seed", "x"], "--seed"),
    (.generate, ["--prompt", "hi", "--temperature", "nan"], "temperature"),
    (.generate, ["--prompt", "hi", "--temperature=-1"], "temperature"),
    (.generate, ["--prompt", "hi", "--top-p", "2"], "top-p"),
    (.generate, ["--prompt", "hi", "--greedy", "--top-k", "3"], "--greedy"),
    (.generate, ["--prompt", "hi", "--ids", "1"], "--ids"),
    (.generate, ["--logits", "logits.npy", "--prompt", "hi"], "--logits"),
    (.generate, ["--ids", "1,x"], "--ids 1,x"),
    (.generate, ["--ids", ""], "--ids"),
    (.generate, [], "--prompt"),
    (.quantize, ["--bits", "5"], "--bits 5"),
    (.quantize, ["--bits", "four"], "four"),
    (.quantize, ["--bits", "4", "--method", "magic"], "magic"),
    (.quantize, ["--bits", "4", "--format", "zip"], "zip"),
    (.quantize, ["--bits", "4", "--group-size", "7"], "--group-size 7"),
    (.quantize, ["--bits", "4", "--damping", "nan"], "damping"),
    (.quantize, ["--bits", "4", "--samples", "0"], "--samples 0"),
    (.quantize, ["--bits", "4", "--method", "rtn", "--calibration", "a.txt"], "--calibration"),
    (.quantize, ["--method", "rtn", "--damping", "0.1"], "--method rtn excludes --damping"),
    (.quantize, ["--scheme", "w8a8-fp", "--damping", "0.1"], "--scheme w8a8-fp excludes"),
    (.quantize, ["--method", "hqq", "--samples", "4"], "needs no calibration"),
    (.quantize, ["--type", "Q4_K_M", "--length", "4"], "needs no calibration"),
    (.quantize, ["--json"], "--json needs --inspect"),
    (.generate, ["--ids", "1", "--system", "x"], "--ids is the whole prompt"),
    (.load, ["--steps", "3"], "--steps needs --mode async"),
    (.evaluate, ["--limit", "0"], "--limit 0"),
    (.evaluate, ["--batch", "0"], "--batch 0"),
    (.evaluate, ["--max-tokens", "none"], "none"),
  ]) func badValue(command: Command, arguments: [String], word: String) throws {
    let outcome = try folder.run(command, ["--model", Nano.model] + arguments)
    expectRefusal(outcome, code: 2, naming: [word])
    #expect(try folder.names().allSatisfy { $0 == "out" })
  }

  @Test(arguments: [
    (["--prompt", ""], ["empty"]),
    (["--raw", "--prompt", " \n"], ["empty"]),
    (["--ids", "1,99999"], ["99999", "704"]),
    (["--ids=-1,2"], ["-1", "704"]),
    (["--ids", "1,99999", "--logits", "logits.npy"], ["99999", "704"]),
    (["--prompt-file", "missing.txt"], ["missing.txt"]),
    (["--messages", "missing.json"], ["missing.json"]),
  ]) func badPrompt(arguments: [String], words: [String]) throws {
    let outcome = try folder.run(.generate, ["--model", Nano.model] + arguments)
    expectRefusal(outcome, naming: words)
    #expect(try folder.names() == [])
  }

  @Test func promptLongerThanTheContext() throws {
    for prompt in [
      ["--raw", "--prompt", String(repeating: "1 ", count: 3000)],
      ["--ids", Array(repeating: "5", count: 1024).joined(separator: ",")],
    ] {
      let outcome = try folder.run(.generate, ["--model", Nano.model] + prompt)
      expectRefusal(outcome, naming: ["tokens", "1024"])
    }
  }

  @Test func unknownBenchmark() throws {
    let outcome = try folder.run(.evaluate, ["--model", Nano.model, "--bench", "nano-magic"])
    expectRefusal(outcome, naming: ["nano-magic", "nano-math"])
    for (name, near) in [
      ("MATH-500", "math500"), ("math", "math500"), ("arc_challenge", "arc-challenge"),
      ("mmlu_pro", "mmlu-pro"),
    ] {
      let outcome = try folder.run(.evaluate, ["--bench", name])
      expectRefusal(outcome, naming: ["Did you mean '\(near)'?", "'evaluate list'"])
      #expect(outcome.errors.utf8.count < 150, "\(outcome.errors)")
    }
  }

  @Test func foldersThatCannotBeMadeAreNamed() throws {
    let reasons = ["/proc/none", "cannot be made: No such file or directory"]
    expectRefusal(
      try folder.run(.quantize, ["--bits", "16", "--output", "/proc/none/model"]), naming: reasons)
    expectRefusal(
      try folder.run(.evaluate, ["--bench", "nano-math", "--journal", "/proc/none/j"]),
      naming: reasons)
  }

  /// Before a model is loaded, which may take long: here there is none.
  @Test func aPortInUseIsNamed() throws {
    let server = try TestServer()
    for model in [Nano.model, "nowhere"] {
      let outcome = try folder.run(.serve, ["--model", model, "--port", "\(server.port)"])
      expectRefusal(
        outcome,
        naming: ["127.0.0.1:\(server.port)", "Address already in use; --port names another"])
      #expect(!outcome.errors.contains("descriptor"))
    }
    let outcome = try folder.run(
      .serve, ["--model", "nowhere", "--host", "192.0.2.1", "--api-key", "key"])
    expectRefusal(outcome, naming: ["192.0.2.1", "Cannot assign requested address"])
  }

  /// A line of a file that is no YAML is not shown whole.
  @Test func longLinesOfWrongFilesAreCut() throws {
    let text = "name: x\n{" + String(repeating: "long ", count: 1000)
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path("wrong.yaml")))
    let outcome = try folder.run(.evaluate, ["--bench", "wrong.yaml"])
    expectRefusal(outcome, naming: ["wrong.yaml", "YAML", "..."])
    #expect(outcome.errors.utf8.count < 600)
  }
}
