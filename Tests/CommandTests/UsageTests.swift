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
  }
}
