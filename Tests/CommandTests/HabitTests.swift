import Foundation
import Testing

@testable import AppSupport

/// What people are used to from other programs: short flags, stop strings, piped prompts, settings
/// in the environment and a file, suggestions.
@Suite struct HabitTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func json(_ arguments: [String], environment: [String: String] = [:]) throws -> [String:
    Any]
  {
    let outcome = try folder.run(
      .generate, ["-p", Nano.problem, "--json"] + arguments, environment: environment)
    try #require(outcome.isSuccess, "\(outcome.errors)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  @Test func shortFlagsAreTheLongOnes() throws {
    let short = try folder.run(
      .generate, ["-m", Nano.model, "-p", Nano.problem, "-n", "20", "-t", "1", "-s", "7"])
    let long = try folder.run(
      .generate,
      [
        "--model", Nano.model, "--prompt", Nano.problem, "--max-tokens", "20", "--threads", "1",
        "--seed", "7",
      ])
    #expect(short.isSuccess && short.output == long.output && !short.output.isEmpty)
  }

  /// What is wrong is told by what was typed, and what to type instead.
  @Test(arguments: [
    (Command.evaluate, [], ["say what to measure", "--bench nano-math", "evaluate list"]),
    (Command.tune, [], ["say what to tune for", "--bench nano-math"]),
    (Command.load, [], ["say what to measure", "--scale"]),
    (Command.generate, ["-p", "x", "-cnv"], ["no '-cnv'", "'chat'"]),
    (Command.generate, ["-p", "x", "--jinja"], ["no '--jinja'", "template", "--raw"]),
    (Command.generate, ["-p", "x", "--output", "y"], ["no '--output'", "> FILE"]),
    (Command.serve, ["-m", "nano", "-np", "4"], ["'-np' is --concurrency"]),
    (Command.plan, ["--vram", "8GiB"], ["'--vram' is --memory"]),
    (Command.evaluate, ["-m", "nano", "--log_samples"], ["evaluate show"]),
    (Command.generate, ["nano", "hello"], ["'nano', 'hello'", "behind --model", "--prompt"]),
    (Command.quantize, ["nano", "out"], ["unexpected", "behind --model"]),
    (Command.generate, ["-p", "x", "--memory", "-5GiB"], ["--memory -5GiB: expected no negative"]),
    (
      Command.plan, ["--memory", "8GiB", "--seconds", "-1"], ["--seconds -1: expected no negative"]
    ),
    (Command.generate, ["-p", "x", "--kv-residual", "-1"], ["--kv-residual -1"]),
    (Command.generate, ["-p", "x", "--seed", "-1"], ["--seed -1: expected no negative"]),
    (Command.generate, ["-p", "x", "-s", "-1"], ["-s -1: expected no negative"]),
    (
      Command.generate, ["-p", "x", "-ub", "512"], ["there is no '-ub': prompts are run in pieces"]
    ),
    (Command.generate, ["-p", "x", "-hff", "x.gguf"], ["'-hff' is --model org/name:VARIANT here"]),
    (Command.generate, ["-p", "x", "--prio", "2"], ["there is no '--prio': --threads sets"]),
    (
      Command.serve, ["--max-model-len", "8"], ["no '--max-model-len': the context is the model's"]
    ),
    (Command.serve, ["--served-model-name", "x"], ["'--served-model-name' is --served-name here"]),
    (Command.serve, ["--max_num_seqs", "4"], ["'--max_num_seqs' is --concurrency here"]),
    (Command.evaluate, ["--bench", "nano-math", "--use_cache", "x"], ["the journal is what"]),
    (Command.quantize, [], ["say what to quantize: --model nano --bits 4"]),
    (Command.generate, ["-mnano", "-phi"], ["'-mnano': a value stands apart"]),
    (Command.generate, ["-p", "x", "--n", "4"], ["'--n' is --samples here"]),
    (Command.generate, ["-p", "x", "--bits", "4"], ["no '--bits'", "'quantize' writes others"]),
    (Command.generate, ["-p", "x", "--gpu"], ["no '--gpu': everything is computed by"]),
    (Command.generate, ["-p", "x", "--stream"], ["no '--stream': 'generate' and 'chat' show"]),
    (Command.generate, ["-p", "x", "--nothink"], ["'--nothink' is --no-thinking here"]),
    (Command.generate, ["-p", "x", "--num-beams", "4"], ["without beams; --samples draws"]),
    (Command.generate, ["-p", "x", "--image", "x.png"], ["texts alone are read"]),
    (Command.chat, ["-p", "hi"], ["no '-p'", "'generate --prompt'"]),
    (Command.chat, ["--prompt", "hi"], ["no '--prompt'", "'generate --prompt'"]),
    (Command.chat, ["--no-think"], ["no '--no-think': --think-budget 0"]),
    (Command.serve, ["-p", "8000"], ["'-p' is --port here"]),
    (Command.serve, ["--host", "0.0.0.0:80"], ["expected an address alone; --port has"]),
    (Command.serve, ["--workers", "4"], ["one process serves all; --concurrency"]),
    (Command.serve, ["--think-budget", "32"], ["as thinking_token_budget"]),
    (Command.evaluate, ["nano-math"], ["a benchmark behind --bench"]),
    (Command.evaluate, ["lst"], ["no 'evaluate lst'. Did you mean 'evaluate list'?"]),
    (Command.evaluate, ["ls"], ["Did you mean 'evaluate list'?"]),
    (
      Command.evaluate, ["--bench", "nano-math", "--output", "x"], ["'--output' is --journal here"]
    ),
    (Command.evaluate, ["--bench", "nano-math", "--maj", "8"], ["'--maj' is --samples here"]),
    (Command.evaluate, ["--bench", "nano-math", "--resume"], ["the journal is what"]),
    (Command.quantize, ["-m", "nano", "-b", "4"], ["'-b' is --bits here"]),
    (Command.quantize, ["-m", "nano", "--seqlen", "64"], ["'--seqlen' is --length here"]),
    (Command.quantize, ["-m", "nano", "--calib", "x"], ["'--calib' is --calibration here"]),
    (Command.quantize, ["-m", "nano", "--push-to-hub"], ["nothing is sent anywhere"]),
    (Command.quantize, ["-m", "nano", "--list"], ["'models' lists the models"]),
    (Command.quantize, ["-m", "nano", "--output", "x.gguf"], ["x.gguf", "--format gguf"]),
    (Command.plan, ["8GB"], ["a memory behind --memory"]),
    (Command.study, ["rep", "x.yaml"], ["Did you mean 'study report'?"]),
    (Command.study, ["studies/nano.yaml"], ["Expected one of run,"]),
    (Command.load, ["-m", "nano", "--qps", "4"], ["--mode async finds the highest rate"]),
    (Command.load, ["-m", "nano", "--base-url", "x"], ["'--base-url' is --endpoint here"]),
    (Command.quantize, ["-m", "nano", "-q", "Q4_K_M"], ["'-q' is --type here"]),
    (Command.quantize, ["-m", "nano", "--type", "q8_0"], ["--bits 8 --format gguf"]),
    (Command.quantize, ["-m", "nano", "--type", "Q2_K"], ["Q4_K_S, Q4_K_M"]),
  ])
  func wrongWordsAreExplained(command: Command, arguments: [String], words: [String]) throws {
    expectRefusal(try folder.run(command, arguments), code: 2, naming: words)
  }

  /// A wrong value is answered in a few lines: what was expected, never all that there is to say.
  @Test(arguments: [
    (["--kv", "foo"], ["\"foo\" is no format; expected bf16, f32, int8, int4, int2"]),
    (["--kv", "q8_0"], ["int8 is what comes nearest"]),
    (["--kv", "int8+grup=32"], ["\"grup\" is no setting; expected group, keys, scheme"]),
    (["--kv", "int8+scheme=kivi"], ["no value of scheme; expected asym, sym-absmax"]),
    (["--kv-evict", "rvk:2048"], ["\"rvk\" is no eviction; expected streaming, rkv"]),
    (["--kv-evict", "rkv:2048,lamda=1"], ["no key \"lamda\"; expected lambda, window"]),
    (["--kv-evict", "rkv:2048,buffer=8,buffer=9"], ["buffer is said twice"]),
    (["--memory", "6G"], ["8GiB (2^30 bytes each) or 8GB"]),
    (["--numerics", "fp16"], ["- int8-tiles"]),
    (["--threads", "many"], ["Threads to compute with"]),
    (["--think-budget", "many"], ["Think for"]),
  ])
  func aWrongValueIsAnsweredInAFewLines(flags: [String], words: [String]) throws {
    let outcome = try folder.run(.generate, ["-p", "x"] + flags)
    expectRefusal(outcome, code: 2, naming: words)
    let longest = flags[0] == "--numerics" ? 11 : 4
    #expect(outcome.errors.split(separator: "\n").count <= longest, "\(outcome.errors)")
    #expect(outcome.errors.utf8.count < 420, "\(outcome.errors)")
  }

  /// What is called otherwise elsewhere leads to options that there are.
  @Test func counterpartsAreOptionsOfSomeCommand() throws {
    var known = ""
    for words in [
      "plan", "quantize", "generate", "chat", "serve", "evaluate run", "tune", "load run", "pull",
      "rm",
    ] {
      known += try folder.shell("bitbudget \(words) --help").output
    }
    let names = Set(known.split { !($0.isLetter || $0.isNumber || $0 == "-") }.map(String.init))
    for (word, here) in Habits.options {
      for own in here where own.hasPrefix("--") && own.split(separator: " ").count <= 2 {
        let name = own.split(separator: " ")[0]
        #expect(names.contains(String(name)), "\(word) leads to \(own)")
      }
    }
  }

  /// Memory that not even the model fits into is refused alike.
  @Test func memoryThatHoldsNoModelIsRefusedAlike() throws {
    for (command, flags) in [
      (Command.serve, ["--port", "0"]), (.chat, []), (.load, ["--scale", "0.1"]),
    ] {
      expectRefusal(
        try folder.run(command, ["--model", Nano.model, "--memory", "1KB"] + flags),
        naming: ["--memory 1000 bytes does not hold weights and working memory, which take"])
    }
  }

  @Test(arguments: [
    (["-m", "nano-7b", "-p", "x"], ["nano-4m", "nano2-2.2m"]),
    (["-m", "file", "-p", "x"], ["file: not a folder, nor a GGUF file"]),
    (["-m", "dir", "-p", "x"], ["dir/config.json: not found\n"]),
    (["--prompt-file", "blank"], ["blank: holds no prompt"]),
    (["-p", "x", "--memory", "1KB"], ["nothing fits into 1000 bytes"]),
  ])
  func faultsNameWhatTheyAreAbout(arguments: [String], words: [String]) throws {
    try FileManager.default.createDirectory(
      atPath: folder.path("dir"), withIntermediateDirectories: false)
    try Data("x".utf8).write(to: URL(fileURLWithPath: folder.path("file")))
    try Data(" \n".utf8).write(to: URL(fileURLWithPath: folder.path("blank")))
    expectRefusal(try folder.run(.generate, arguments), naming: words)
  }

  @Test func aStopStringEndsTheTextWithoutIt() throws {
    let whole = try json(["-m", Nano.model, "--greedy"])
    let cut = try json(["-m", Nano.model, "--greedy", "--stop", "never", "--stop", "So "])
    let (text, start) = (
      try #require(whole["text"] as? String), try #require(cut["text"] as? String)
    )
    #expect(text.hasPrefix(start) && !start.contains("So "))
    #expect(text.dropFirst(start.count).hasPrefix("So "))
    #expect(cut["finish_reason"] as? String == "stop")
    let streamed = try folder.run(
      .generate, ["-m", Nano.model, "-p", Nano.problem, "--greedy", "--stop", "So "])
    #expect(!streamed.output.contains("So ") && streamed.errors.contains("stop string"))
  }

  @Test func theRecordSaysHowItWasMade() throws {
    let record = try json(["-m", Nano.model, "--logprobs", "2", "--kv", "int8"])
    #expect(record["model"] as? String == Nano.model)
    #expect(record["version"] as? String == Program.version)
    #expect(record["kv"] as? String == "int8")
    #expect((record["seconds"] as? Double ?? 0) > 0)
    #expect((record["sampler"] as? [String: Any])?["top_k"] as? Int == 20)
    let logprobs = try #require(record["logprobs"] as? [[String: Any]])
    #expect(!logprobs.isEmpty)
    for token in logprobs {
      let top = try #require(token["top"] as? [[String: Any]])
      #expect(top.count == 2)
      let (first, chosen) = (top[0]["logprob"] as? Double, token["logprob"] as? Double)
      #expect(try #require(first) >= #require(chosen))
      #expect(try #require(first) <= 0)
    }
  }

  /// What other programs call an option, a command or a model.
  @Test func foreignWordsAreToldByTheirNamesHere() throws {
    for (flags, word) in [
      (["--temp", "0"], "--temperature"), (["--n-predict", "4"], "--max-tokens"),
      (["--max_tokens", "4"], "--max-tokens"), (["-hf", "org/name"], "--model"),
      (["-ngl", "99"], "processor"), (["--cache-type-k", "q8_0"], "--kv-k"),
    ] {
      expectRefusal(
        try folder.run(.generate, ["-p", "hi"] + flags), code: 2, naming: ["'\(flags[0])'", word])
    }
    // A prompt is no option.
    let said = try folder.run(.generate, ["-m", Nano.model, "--prompt=--temp", "-n", "2"])
    #expect(said.isSuccess, "\(said.errors)")
    for (words, hint) in [
      ("pull --model 0.6b", "names stand by themselves"), ("rm -f 0.6b", "'-f' is --yes here"),
      ("search qwen", "names are those of the hub"), ("stop nano", "gone with it"),
      ("info nano", "'quantize --inspect'"), ("config", "config.json"),
    ] {
      expectRefusal(try folder.shell("bitbudget \(words)"), code: 2, naming: [hint])
    }
    let command = try folder.shell("bitbudget run nano")
    expectRefusal(command, code: 2, naming: ["'run'", "generate"])
    expectRefusal(
      try folder.run(.generate, ["-m", "nano-5m", "-p", "hi"]), naming: ["nano-5m", "nano-4m"])
    for name in ["hf.co/org/name", "https://huggingface.co/org/name/", "org/name"] {
      expectRefusal(
        try folder.run(.generate, ["-m", name, "-p", "hi", "--offline"]), naming: ["org/name"])
    }
    expectRefusal(
      try folder.run(.generate, ["-m", "qwen3:0.6b", "-p", "hi", "--offline"]),
      naming: ["Qwen/Qwen3-0.6B"])
  }

  @Test func whatIsPipedInIsHeldToTheRuleOfFiles() throws {
    let show = "generate -m \(Nano.model) --show-prompt"
    let plain = try folder.shell("\(show) -p hi")
    for piped in [
      "printf hi | \(show)", "printf hi | \(show) -p -",
      "printf '\\357\\273\\277hi' | \(show) --prompt-file -",
    ] {
      let outcome = try folder.shell(piped)
      #expect(outcome.isSuccess && outcome.output == plain.output, "\(outcome.errors)")
    }
    expectRefusal(
      try folder.shell("printf 'caf\\351' | generate -m \(Nano.model) -n 2"),
      naming: ["standard input: byte 3"])
  }

  @Test func minusOneIsNoLimit() throws {
    let flags = ["-m", Nano.model, "-p", Nano.problem, "--greedy"]
    let (bounded, free) = (
      try folder.run(.generate, flags + ["-n", "-1"]), try folder.run(.generate, flags)
    )
    #expect(bounded.isSuccess && bounded.output == free.output, "\(bounded.errors)")
    expectRefusal(
      try folder.run(.generate, flags + ["-n", "-2"]), code: 2, naming: ["expected at least 1"])
  }

  /// The first token comes with the prompt, so a rate is one of those after it.
  @Test func whatIsCountedIsSaid() throws {
    let flags = ["-m", Nano.model, "-p", Nano.problem, "--ignore-eos", "-n", "20"]
    for (more, line) in [
      ([], "19 tokens after the first, "),
      (["--samples", "3"], "57 tokens after the first of each, "),
    ] {
      let outcome = try folder.run(.generate, flags + more)
      #expect(outcome.errors.contains("generation  \(line)"), "\(outcome.errors)")
    }
  }

  @Test func theContextCanBeSmaller() throws {
    let record = try json(["-m", Nano.model, "-c", "64", "--ignore-eos"])
    let tokens = ["prompt_tokens", "thought_tokens", "answer_tokens"].compactMap {
      record[$0] as? Int
    }
    #expect(tokens.reduce(0, +) == 64)
    expectRefusal(
      try folder.run(.generate, ["-m", Nano.model, "-p", Nano.problem, "-c", "8"]), code: 2,
      naming: ["--ctx-size 8"])
  }

  @Test func aPromptIsReadFromAPipe() throws {
    let piped = try folder.shell(
      "printf '%s' '\(Nano.problem)' | generate -m \(Nano.model) --greedy")
    let given = try folder.run(.generate, ["-m", Nano.model, "-p", Nano.problem, "--greedy"])
    #expect(piped.isSuccess && piped.output == given.output)
  }

  @Test func theEnvironmentAndAFileGiveOptions() throws {
    let plain = try json(["-m", Nano.model, "--greedy"])
    let variables = ["BITBUDGET_MODEL": Nano.model, "BITBUDGET_GREEDY": "true"]
    #expect(try json([], environment: variables)["text"] as? String == plain["text"] as? String)
    try "{\"generate\": {\"model\": \"\(Nano.model)\", \"greedy\": true}, \"stop\": [\"So \"]}"
      .write(toFile: folder.path("c.json"), atomically: true, encoding: .utf8)
    let file = ["BITBUDGET_CONFIG": folder.path("c.json")]
    let cut = try json([], environment: file)
    #expect(try #require(plain["text"] as? String).hasPrefix(#require(cut["text"] as? String)))
    #expect(cut["text"] as? String != plain["text"] as? String)
    // The command line wins.
    let other = try json(["-m", "nano-0.5m"], environment: file)
    #expect(other["model"] as? String == "nano-0.5m")

    try "{\"generate\": {\"modle\": 1}}".write(
      toFile: folder.path("c.json"), atomically: true, encoding: .utf8)
    let wrong = try folder.run(.generate, ["-p", "hi"], environment: file)
    expectRefusal(wrong, code: 2, naming: ["c.json", "modle", "Did you mean 'model'"])
    let misspelt = try folder.run(
      .generate, ["-m", Nano.model, "-p", "hi", "-n", "1"],
      environment: ["BITBUDGET_TREADS": "1"])
    #expect(misspelt.isSuccess && misspelt.errors.contains("Did you mean BITBUDGET_THREADS?"))
  }

  @Test(arguments: Command.allCases) func everyCommandHasAVersion(command: Command) throws {
    let outcome = try folder.run(command, ["--version"])
    #expect(outcome.isSuccess && outcome.output == Program.version + "\n")
  }

  @Test func namesThatAreNearAreFound() {
    #expect(Nearest.word(to: "quantise", among: ["plan", "quantize"]) == "quantize")
    #expect(Nearest.word(to: "frobnicate", among: ["plan", "quantize"]) == nil)
    #expect(Nearest.word(to: "nano-0.5", among: ["nano-0.5m", "nano-4m"]) == "nano-0.5m")
  }

  @Test func aModelIsCalledByItsNameNotItsRevision() {
    let hub = URL(fileURLWithPath: "/c/hub/models--Qwen--Qwen3-4B/snapshots/1cfa9a7208912126459214")
    #expect(ModelFolder.name(of: hub) == "Qwen3-4B")
    #expect(ModelFolder.name(of: URL(fileURLWithPath: "/m/snapshots/x")) == "x")
    #expect(ModelFolder.name(of: URL(fileURLWithPath: "/m/nano/")) == "nano")
  }

  @Test(arguments: [20, 40, 80, 200]) func progressIsOneLine(width: Int) {
    let state = ProgressState(
      label: "nano-math  a-model-with-a-long-name", done: 30, total: 400, seconds: 12,
      detail: "71.2 % right")
    let line = state.line(width: width)
    #expect(line.count < width && !line.contains("\n"))
    #expect(width < 80 || line.contains("30/400"))
  }

  @Test func thePaceIsThatOfThisRun() {
    let resumed = ProgressState(label: "", done: 310, total: 400, before: 300, seconds: 20)
    #expect(resumed.secondsLeft == 180)
    #expect(resumed.text.contains("0.5/s"))
    // Too little to say anything.
    let early = ProgressState(label: "", done: 301, total: 400, before: 300, seconds: 20)
    #expect(early.secondsLeft == nil)
    #expect(ProgressState(label: "", done: 50, total: 100, seconds: 0.2).secondsLeft == nil)
  }
}
