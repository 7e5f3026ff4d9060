import ArgumentParser
import Foundation
import KVCaches
import Models
import Tensors

extension Numerics: ExpressibleByArgument {}
extension HeadBits: ExpressibleByArgument {}
extension KVFormat: ExpressibleByArgument {}
extension KVKeyAxis: ExpressibleByArgument {}

/// Measures prompt and generation speed with random weights; prints one JSON object a line.
@main
struct Engine: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-engine",
    abstract:
      "Prompt and generation speed at published shapes, beside a reading of the memory's speed.")

  @Option(help: "Shape: 0.6b or 1.7b.")
  var shape = "0.6b"
  @Option(help: "Formats of the weights, separated by commas: bf16, int8, int4.")
  var formats = "bf16,int8,int4"
  @Option(help: "How weights meet activations: exact, int8 or bf16.")
  var numerics = Numerics.exact
  @Option(help: "Bits of the output head: 16 or 8.") var headBits = HeadBits.stored
  @Option(help: "Tokens of the prompt.")
  var prompt = 128
  @Option(help: "Tokens generated in each repetition.")
  var tokens = 16
  @Option(help: "Tokens that the cache holds before the prompt, or before what is generated.")
  var depth = 0
  @Option(help: "Format of the cache's keys: bf16, int8, int4, int2.")
  var keys = KVFormat.bf16
  @Option(help: "Format of the cache's values.")
  var values = KVFormat.bf16
  @Option(help: "What keys share a scale over: per-channel or per-token.")
  var keyAxis = KVKeyAxis.perChannel
  @Option(
    name: .customLong("kv-evict"),
    help: "Keep the cache within a number of tokens, such as rkv:2048; see generate --help.",
    transform: { try Eviction(parsing: $0) })
  var kvEvict: Eviction?
  @Option(help: "Sequences generated together; they share what the cache holds before.")
  var batch = 1
  @Option(help: "Compare so many samples of one prompt with single runs instead.")
  var samples: Int?
  @Option(help: "Repetitions; the median is printed.")
  var repetitions = 3
  @Option(help: "Threads.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    guard RandomModel.shapes[shape] != nil else {
      throw ValidationError("--shape \(shape): expected 0.6b or 1.7b")
    }
    for (name, value) in [
      ("prompt", prompt), ("tokens", tokens), ("batch", batch), ("repetitions", repetitions),
      ("threads", threads), ("samples", samples ?? 1),
    ] where value < 1 {
      throw ValidationError("--\(name) \(value): expected at least 1")
    }
    guard depth >= 0 else { throw ValidationError("--depth \(depth): expected at least 0") }
  }

  func run() throws {
    guard let config = RandomModel.shapes[shape] else { return }
    let kv = try KVConfiguration(
      keys: keys, values: values, keyAxis: keyAxis, eviction: kvEvict)
    let pool = try ThreadPool(workers: threads)
    for name in formats.split(separator: ",") {
      guard let format = WeightFormat(rawValue: String(name)) else {
        throw ValidationError("--formats \(name): expected bf16, int8 or int4")
      }
      let decoder = try RandomModel.make(config, format, headBits: headBits)
      if let samples {
        let pass = ForwardPass(decoder, pool: pool, numerics: numerics)
        let group = SampleGroup(pass: pass, prompt: prompt, tokens: tokens)
        let facts: [String: Any] = [
          "shape": shape, "weights": format.rawValue, "threads": threads, "commit": commit,
        ]
        report(try group.report(count: samples).merging(facts) { $1 })
        continue
      }
      let bandwidth = try MemoryBandwidth.read(pool)
      let speed = try measure(decoder, kv, pool)
      let limit = bandwidth / Double(decoder.weightBytes) * Double(batch)
      report([
        "shape": shape, "weights": format.rawValue, "numerics": numerics.rawValue,
        "head_bits": headBits.rawValue,
        "threads": threads, "batch": batch,
        "depth": depth, "kv": kv.description, "prompt_tokens": prompt,
        "weight_bytes": decoder.weightBytes,
        "prompt_tokens_per_second": speed.prompt, "tokens_per_second": speed.generation,
        "memory_bytes_per_second": bandwidth, "share_of_memory_limit": speed.generation / limit,
        "commit": commit,
      ])
    }
  }

  /// Median tokens a second of the prompt and of generation, each from a cache of `depth` tokens.
  private func measure(
    _ decoder: Decoder, _ kv: KVConfiguration, _ pool: ThreadPool
  ) throws -> (prompt: Double, generation: Double) {
    let pass = ForwardPass(decoder, pool: pool, numerics: numerics)
    let filled = try filledCache(pass, kv, on: pool)
    let ids = (0..<prompt).map { Int32($0 * 37 % 1000) }
    let clock = ContinuousClock()
    /// Seconds of feeding `steps` tokens at a time to every sequence, all tokens of `ids`.
    func time(_ ids: [Int32], step: Int) throws -> Double {
      var caches = [KVCache](repeating: filled, count: batch)
      return try clock.measure {
        for start in stride(from: 0, to: ids.count, by: step) {
          let tokens = Array(ids[start..<min(start + step, ids.count)])
          let runs = (0..<batch).map { TokenRun(cache: $0, tokens: tokens) }
          try pass.run(runs, caches: &caches, rows: .last) { _, _, _ in }
        }
      } / .seconds(1)
    }
    let next = Array(repeating: Int32(7), count: tokens)
    _ = try time([1, 2], step: 1)
    let prompts = try (0..<repetitions).map { _ in try time(ids, step: prompt) }
    let generations = try (0..<repetitions).map { _ in try time(next, step: 1) }
    return (
      Double(prompt * batch) / median(prompts), Double(tokens * batch) / median(generations)
    )
  }

  /// A cache that has seen `depth` random entries and, where it evicts, as many random queries.
  private func filledCache(
    _ pass: ForwardPass, _ kv: KVConfiguration, on pool: ThreadPool
  ) throws -> KVCache {
    var cache = try pass.makeCache(kv, meter: KVMeter())
    var random = Xorshift()
    let width = cache.shape.kvHeads * cache.shape.headDimension
    let heads = pass.decoder.config.heads
    while cache.position < depth {
      let count = min(256, depth - cache.position, cache.room)
      let queries = random.floats(count * heads * cache.shape.headDimension)
      for layer in 0..<cache.shape.layers {
        let (keys, values) = (random.floats(count * width), random.floats(count * width))
        try cache.append(keys: keys, values: values, tokens: count, layer: layer)
        try cache.settle(queries: queries, tokens: count, heads: heads, layer: layer, on: pool)
      }
    }
    return cache
  }

  private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  private var commit: String {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git", "rev-parse", "--short", "HEAD"]
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return "unknown" }
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    return output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private func report(_ values: [String: Any]) {
    guard
      let data = try? JSONSerialization.data(
        withJSONObject: values, options: [.sortedKeys, .withoutEscapingSlashes])
    else { return }
    print(String(decoding: data, as: UTF8.self))
  }
}

/// A reading of how fast this machine reads memory right now.
enum MemoryBandwidth {
  /// Bytes a second that all threads together read from a block far larger than any cache.
  static func read(_ pool: ThreadPool) throws -> Double {
    let count = 512 << 20
    let bytes = try AlignedBytes(count: count)
    bytes.withMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 1) }
    var sums = [UInt64](repeating: 0, count: pool.workers)
    var best = 0.0
    for _ in 0..<3 {
      let time = ContinuousClock().measure {
        bytes.withBytes { block in
          sums.withUnsafeMutableBufferPointer { sums in
            let words = block.bindMemory(to: SIMD8<UInt64>.self)
            pool.run { worker in
              let share = words.count / pool.workers
              var (a, b) = (SIMD8<UInt64>.zero, SIMD8<UInt64>.zero)
              for index in stride(from: worker * share, to: (worker + 1) * share - 1, by: 2) {
                a &+= words[index]
                b &+= words[index + 1]
              }
              sums[worker] &+= (a &+ b).wrappedSum()
            }
          }
        }
      }
      best = max(best, Double(count) / (time / .seconds(1)))
    }
    precondition(sums.allSatisfy { $0 > 0 }, "nothing was read")
    return best
  }
}
