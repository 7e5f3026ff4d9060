import Foundation
import Testing

@testable import AppSupport

/// Options, variables and keys that have no effect where they stand are objected to.
@Suite struct IdleOptionTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [
    (Command.evaluate, ["--model", Nano.model, "--bench", "nano-math", "--timeout", "5"]),
    (Command.evaluate, ["--model", Nano.model, "--bench", "nano-math", "--attempts", "2"]),
    (Command.evaluate, ["--model", Nano.model, "--bench", "nano-math", "--api-key", "x"]),
    (Command.load, ["--model", Nano.model, "--timeout", "5"]),
  ]) func flagsOfEndpointsNeedOne(command: Command, arguments: [String]) throws {
    let flag = try #require(arguments.dropLast().last)
    expectRefusal(
      try folder.run(command, arguments), code: 2, naming: ["\(flag) needs --endpoint"])
  }

  @Test func settingsOfEndpointsWaitForOne() throws {
    let run = try folder.run(
      .evaluate,
      ["--model", Nano.model, "--bench", "nano-math", "--limit", "1", "--max-tokens", "4"],
      environment: [
        "BITBUDGET_TIMEOUT": "5", "BITBUDGET_ATTEMPTS": "2", "BITBUDGET_MODEL_NAME": "x",
        "BITBUDGET_API_KEY": "x",
      ])
    #expect(run.isSuccess, "\(run.errors)")
  }

  @Test func optionsBesideOtherWorkAreNamed() throws {
    let shown = try folder.run(
      .generate, ["-m", Nano.model, "-p", "hi", "--show-prompt", "--json", "-n", "5"])
    #expect(shown.isSuccess)
    #expect(shown.errors.contains("--show-prompt only prints the prompt"), "\(shown.errors)")
    #expect(shown.errors.contains("--json") && shown.errors.contains("--max-tokens"))
    let inspected = try folder.run(
      .quantize, ["--inspect", Nano.model, "--bits", "4", "--output", "x"])
    #expect(inspected.isSuccess)
    #expect(inspected.errors.contains("--bits") && inspected.errors.contains("--output"))
    let plain = try folder.run(.quantize, ["--inspect", Nano.model, "--json"])
    #expect(plain.isSuccess && !plain.errors.contains("had no effect"))
    let quiet = try folder.run(
      .generate, ["-m", Nano.model, "-p", "hi", "--show-prompt"],
      environment: ["BITBUDGET_THREADS": "1"])
    #expect(quiet.isSuccess && !quiet.errors.contains("had no effect"), "\(quiet.errors)")
  }

  /// What is given beside an option that leaves it no effect, or without the one it is about.
  @Test(arguments: [
    (
      Command.generate, ["--ids", "1,2", "--logits", "x.npy", "--seed", "3", "-n", "4"],
      "--logits only writes logits: --seed, --max-tokens had no effect"
    ),
    (
      .generate, ["--ids", "1,2", "-n", "1", "--print-ids", "--stop", "x"],
      "--print-ids prints ids: --stop had no effect"
    ),
    (
      .generate, ["-p", "hi", "-n", "1", "--greedy", "-s", "3"],
      "--greedy takes the likeliest token: --seed had no effect"
    ),
    (
      .generate, ["-p", "hi", "-n", "1", "--batch", "4"], "--batch had no effect without --samples"
    ),
    (
      .generate, ["-p", "hi", "-n", "1", "--temperature", "0", "--top-k", "4"],
      "--temperature 0 takes the likeliest token: --top-k had no effect"
    ),
    (.evaluate, ["--list", "--limit", "3"], "--list only lists the benchmarks: --model, --limit"),
    (
      .plan, ["--fits", "--bits", "8", "--budget", "32", "--memory", "8GiB", "--top", "3"],
      "--fits ranks nothing: --top had no effect"
    ),
    (
      .quantize, ["--bits", "16", "--damping", "0.1", "--output", "whole"],
      "--bits 16 quantizes nothing: --damping had no effect"
    ),
  ]) func optionsWithoutEffectAreNamed(
    command: Command, arguments: [String], warning: String
  ) throws {
    let outcome = try folder.run(command, ["--model", Nano.model] + arguments)
    #expect(outcome.isSuccess, "\(outcome.errors)")
    #expect(outcome.errors.contains("warning: " + warning), "\(outcome.errors)")
  }

  @Test(arguments: [
    (Command.evaluate, ["--bench", "nano-math", "--window", "5"], "--window needs --compare"),
    (.quantize, ["--bits", "16", "--samples", "4"], "--bits 16 needs no calibration"),
  ]) func optionsWithoutTheirSubjectAreRefused(
    command: Command, arguments: [String], words: String
  ) throws {
    expectRefusal(
      try folder.run(command, ["--model", Nano.model] + arguments), code: 2, naming: [words])
  }

  /// What a run says of keys of `generation_config.json` beside those that the model has.
  private func warning(of keys: [String: Any]) throws -> String? {
    let copy = try ModelCopy(in: folder, named: UUID().uuidString)
    try copy.edit("generation_config.json") { data in
      let own = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
      data = try JSONSerialization.data(withJSONObject: own.merging(keys) { $1 })
    }
    let outcome = try folder.run(.generate, ["-m", copy.path, "-p", "hi", "-n", "1"])
    try #require(outcome.isSuccess, "\(outcome.errors)")
    return outcome.errors.split(separator: "\n").first { $0.contains("not applied") }
      .map(String.init)
  }

  @Test func keysThatWouldChangeTextsAreNamed() throws {
    let warned: [String: Any] = [
      "num_beams": 4, "guidance_scale": 1.5, "min_length": 3, "bad_words_ids": [[5]],
      "suppress_tokens": [1], "cache_implementation": "quantized", "temprature": 0.3,
      "assistant_ensemble_weight": 0.5, "stop_strings": ["x"],
    ]
    let warning = try warning(of: warned)
    #expect(
      warning?.hasSuffix(": " + warned.keys.sorted().joined(separator: ", ")) == true,
      "\(warning ?? "")")
  }

  @Test func keysThatDoNothingAreNotNamed() throws {
    let keys: [String: Any] = [
      "num_beams": 1, "guidance_scale": NSNull(), "min_length": 0, "bad_words_ids": [[Int]](),
      "cache_implementation": "static", "use_cache": true, "transformers_version": "4.51.0",
      "temperature": 0.6, "do_sample": true, "length_penalty": 2.0, "_from_model_config": true,
      "max_length": 20, "max_cache_len": 512, "use_mtp": true, "speculation_type": "dflash",
    ]
    #expect(try warning(of: keys) == nil)
  }

  @Test func variablesOfOtherProgramsAreNamed() {
    let environment = ["OLLAMA_HOST": "0.0.0.0", "LLAMA_ARG_THREADS": "4", "LLAMA_ARG_PORT": ""]
    #expect(OtherPrograms.hint(for: "serve", in: environment)?.contains("--host") == true)
    let hint = OtherPrograms.hint(for: "generate", in: environment)
    #expect(hint?.contains("LLAMA_ARG_THREADS is llama.cpp's") == true)
    #expect(OtherPrograms.hint(for: "plan", in: environment) == nil)
    #expect(OtherPrograms.hint(for: "serve", in: ["OLLAMA_HOST": ""]) == nil)
  }
}
