import Foundation
import Testing

/// The flags of the KV cache's formats through the built commands.
@Suite struct CacheFlagTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func generate(_ flags: [String], model: String = Nano.model) throws -> Outcome {
    try folder.run(
      .generate,
      ["--model", model, "--prompt", Nano.problem, "--max-tokens", "150", "--ignore-eos"] + flags)
  }

  @Test(arguments: [
    ("--kv int5", "\"int5\" is no format"), ("--kv q8_0", "int8 is what comes nearest"),
    ("--kv-k fp8", "int8 is what comes nearest"), ("--kv-v turbo4", "int4 is what comes nearest"),
    ("--kv int8 --kv-residual 100", "a multiple of 64"),
    ("--kv int8 --kv-residual 48 --kv-group 32", "a multiple of 32"),
    ("--kv int8 --kv-residual=-64", "-64 tokens"), ("--kv int8 --kv-group 48", "32, 64 or 128"),
    ("--kv int8 --kv-group 128", "64 tokens of a page"),
    ("--kv int8 --kv-key-axis 1", "--kv-key-axis"),
    ("--kv-key-axis per-token", "about a quantized cache"),
    ("--kv-v int8 --kv-key-axis per-token", "not quantized"),
    ("--kv-residual 128", "about a quantized cache"), ("--kv-rule kivi", "about a quantized cache"),
    ("--kv-scheme hqq", "about a quantized cache"), ("--kv-group 32", "about a quantized cache"),
    ("--kv-k bf16 --kv-v f32", "one format, bf16 or f32"),
    ("--kv int4 --kv-rule kivi --kv-residual 0", "needs a residual"),
    ("--kv tiered --kv-rule kivi", "one quantized format"),
    ("--kv int4 --kv-rotate q", "--kv-rotate"),
    ("--kv int4 --kv-scheme exl2", "--kv-scheme"), ("--kv tiered --kv-residual 64", "do not go"),
  ]) func whatCannotBeIsRefused(flags: String, word: String) throws {
    for command in [Command.generate, .evaluate] {
      let prompt = command == .generate ? ["--prompt", "hi"] : []
      let outcome = try folder.run(
        command, ["--model", Nano.model] + prompt + flags.split(separator: " ").map(String.init))
      expectRefusal(outcome, code: 2, naming: [word])
    }
    #expect(try !folder.names().contains("runs"))
  }

  /// A model whose heads have 48 values.
  private func modelWithOddHeads() throws -> ModelCopy {
    let model = try ModelCopy(in: folder)
    try model.configure("head_dim", "48")
    for layer in 0..<3 {
      let name = "model.layers.\(layer).self_attn."
      for (part, heads) in [
        ("q_proj", 4), ("k_proj", 2), ("v_proj", 2), ("q_norm", 1), ("k_norm", 1),
      ] {
        try model.editTensor("\(name)\(part).weight") { tensor in
          guard var resized = tensor else { return }
          let added = heads * 16 * resized.data.count / resized.shape[0]
          resized.shape[0] += heads * 16
          resized.data.append(Data(count: added))
          tensor = resized
        }
      }
      try model.editTensor("\(name)o_proj.weight") { tensor in
        guard var resized = tensor else { return }
        let row = resized.shape[1] * 2
        resized.shape[1] += 4 * 16
        resized.data = stride(from: 0, to: resized.data.count, by: row).reduce(into: Data()) {
          $0 += resized.data[$1..<$1 + row] + Data(count: 4 * 16 * 2)
        }
        tensor = resized
      }
    }
    return model
  }

  @Test func headsThatDoNotSuitTheCacheAreRefused() throws {
    let model = try modelWithOddHeads().path
    #expect(try generate(["--kv", "int4"], model: model).isSuccess)
    for (flags, words) in [
      (["--kv", "int4", "--kv-group", "32"], ["groups of 32", "heads of 48"]),
      (["--kv", "int4", "--kv-rotate", "kv"], ["heads of 48", "power of two"]),
      (["--kv-k", "int8", "--kv-group", "32", "--kv-key-axis", "per-token"], ["heads of 48"]),
      (["--kv-rotate", "v"], ["heads of 48", "power of two"]),
    ] {
      expectRefusal(try generate(flags, model: model), naming: words)
      let journal = folder.path("run.jsonl")
      let run = try folder.run(
        .evaluate, ["--model", model, "--limit", "1", "--journal", journal] + flags)
      expectRefusal(run, naming: words)
    }
  }

  @Test func aPromptBeyondTheContextIsRefusedInEveryFormat() throws {
    let prompt = String(repeating: "one two three ", count: 700)
    for kv in ["bf16", "int4", "tiered"] {
      let outcome = try folder.run(
        .generate, ["--model", Nano.model, "--prompt", prompt, "--kv", kv])
      expectRefusal(outcome, naming: ["context holds 1024"])
    }
  }

  @Test(arguments: [
    "--kv int8", "--kv int4 --kv-residual 64", "--kv int2 --kv-residual 0",
    "--kv int4 --kv-rotate kv --kv-residual 64", "--kv-k int8 --kv-v int4 --kv-rotate k",
    "--kv int4 --kv-scheme hqq --kv-residual 0 --kv-evict rkv:80,buffer=16",
    "--kv int4 --kv-key-axis per-token --kv-group 32 --kv-residual 0 --kv-evict h2o:80,buffer=16",
    "--kv int4 --kv-group 32 --kv-residual 32 --kv-rule kivi", "--kv bf16 --kv-rotate kv",
  ]) func sameSeedSameTextOnAnyThreadsAndBatch(flags: String) throws {
    let words = flags.split(separator: " ").map(String.init) + ["--seed", "5"]
    let alone = try generate(words + ["--threads", "1", "--print-ids"])
    #expect(alone.isSuccess, "\(alone.errors)")
    let threads = try generate(words + ["--threads", "2", "--print-ids"])
    #expect(threads.ids == alone.ids)
    let samples = try generate(words + ["--threads", "2", "--samples", "3", "--batch", "2"])
    let one = try generate(words + ["--threads", "1", "--samples", "3", "--batch", "1"])
    #expect(samples.isSuccess && samples.output == one.output)
  }

  @Test func bitsAndRotationChangeTheText() throws {
    let texts = try [
      [], ["--kv", "int2", "--kv-residual", "0"],
      ["--kv", "int2", "--kv-residual", "0", "--kv-rotate", "kv"],
      ["--kv", "int2", "--kv-residual", "0", "--kv-scheme", "hqq"],
      ["--kv", "int2", "--kv-residual", "0", "--kv-key-axis", "per-token"],
      ["--kv", "int2", "--kv-residual", "32", "--kv-group", "32", "--kv-rule", "kivi"],
    ].map { try generate($0 + ["--seed", "5", "--print-ids"]).output }
    #expect(Set(texts).count == texts.count)
  }
}
