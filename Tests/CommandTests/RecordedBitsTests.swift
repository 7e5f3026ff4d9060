import Foundation
import Testing

/// Texts, logits and codes are the bits that they were when `Tests/Goldens/digests.json` was
/// recorded.
///
/// Texts and logits are asked for in exact numerics, so that the default may move. With
/// `BITBUDGET_RECORD=1` the digests are recorded anew, which is right only for a change that is
/// meant to change bits.
@Suite struct RecordedBitsTests {
  private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Goldens/digests.json")

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func bitsAreAsRecorded() throws {
    var found: [String: String] = [:]
    for model in ["nano-0.15m", "nano-0.5m", "nano-1.5m", "nano-4m"] {
      found["\(model) logits"] = try logits(of: model, [])
      found["\(model) greedy"] = try text(of: model, ["--greedy", "--max-tokens", "96"])
      found["\(model) sampled"] = try text(of: model, ["--max-tokens", "64", "--seed", "5"])
    }
    for cache in Self.caches {
      found["\(Nano.model) \(cache.joined(separator: " "))"] = try text(
        of: Nano.model,
        cache + ["--max-tokens", "420", "--ignore-eos", "--temperature", "1", "--seed", "3"])
    }
    for (name, flags) in Self.storages {
      let model = folder.path(name)
      let outcome = try folder.run(
        .quantize, ["--model", Nano.model, "--output", model] + flags)
      #expect(outcome.isSuccess, "\(outcome.errors)")
      found["\(name) codes"] = try digest(.quantize, ["--inspect", model, "--json"]) {
        $0.replacingOccurrences(of: model, with: "")
      }
      for numerics in ["exact", "int8", "bf16"] {
        found["\(name) \(numerics)"] = try logits(of: model, ["--numerics", numerics])
      }
      found["\(name) head 8"] = try logits(of: model, ["--numerics", "int8", "--head-bits", "8"])
    }
    found["forced, votes"] = try text(
      of: Nano.model,
      ["--think-budget", "64", "--force", "--samples", "4", "--vote", "--temperature", "1"])
    found["budgets"] = try text(of: Nano.model, ["--think-budgets", "32,64,96", "--force"])
    try compare(found)
  }

  private static let caches: [[String]] = [
    ["--kv", "f32"], ["--kv", "bf16"], ["--kv", "int8"], ["--kv", "int4"], ["--kv", "int2"],
    ["--kv", "tiered"], ["--kv-k", "int8", "--kv-v", "int4", "--kv-group", "32"],
    ["--kv", "int4", "--kv-key-axis", "per-token", "--kv-rotate", "kv"],
    ["--kv", "int4", "--kv-rule", "kivi"],
    ["--kv-evict", "rkv:128,buffer=16"], ["--kv-evict", "streaming:128,sinks=4"],
    ["--kv-evict", "snapkv:128"], ["--kv-evict", "h2o:128"],
    ["--kv", "int4", "--kv-evict", "rkv:256,buffer=32"],
  ]

  private static let storages: [(name: String, flags: [String])] =
    [8, 4, 3, 2].map { ("rtn\($0)", ["--method", "rtn", "--bits", "\($0)"]) } + [
      ("hqq4", ["--method", "hqq", "--bits", "4", "--group-size", "64"]),
      ("asymmetric", ["--method", "rtn", "--bits", "4", "--group-size", "32", "--asymmetric"]),
      ("gptq-layout", ["--method", "rtn", "--bits", "4", "--format", "gptq"]),
    ]

  private func text(of model: String, _ flags: [String]) throws -> String {
    let exact = ["--numerics", "exact", "--head-bits", "16"]
    return try digest(
      .generate, ["--model", model, "--prompt", Nano.problem] + exact + flags)
  }

  private func logits(of model: String, _ flags: [String]) throws -> String {
    let file = folder.path("logits.npy")
    let ids = (0..<40).map { "\(1 + $0 * 7 % 90)" }.joined(separator: ",")
    let numerics = flags.contains("--numerics") ? [] : ["--numerics", "exact"]
    let head = flags.contains("--head-bits") ? [] : ["--head-bits", "16"]
    let outcome = try folder.run(
      .generate, ["--model", model, "--ids", ids, "--logits", file] + numerics + head + flags)
    #expect(outcome.isSuccess, "\(outcome.errors)")
    return Self.digest(try Data(contentsOf: URL(fileURLWithPath: file)))
  }

  private func digest(
    _ command: Command, _ arguments: [String], _ change: (String) -> String = { $0 }
  ) throws -> String {
    let outcome = try folder.run(command, arguments)
    #expect(outcome.isSuccess, "\(arguments): \(outcome.errors)")
    return Self.digest(Data(change(outcome.output).utf8))
  }

  /// FNV-1a of 64 bits.
  private static func digest(_ data: Data) -> String {
    let value = data.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return String(value, radix: 16)
  }

  private func compare(_ found: [String: String]) throws {
    if ProcessInfo.processInfo.environment["BITBUDGET_RECORD"] != nil {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try encoder.encode(found).write(to: Self.file)
    }
    let recorded = try JSONDecoder().decode(
      [String: String].self, from: Data(contentsOf: Self.file))
    #expect(found.keys.sorted() == recorded.keys.sorted())
    for (name, digest) in recorded { #expect(found[name] == digest, "\(name)") }
  }
}
