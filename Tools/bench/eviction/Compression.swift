import ArgumentParser
import Foundation
import KVCaches
import Tensors

/// Measures one R-KV compression of one layer, and the formula written out with its matrices of
/// tokens x tokens; prints one JSON object a line.
@main
struct Compression: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-eviction",
    abstract: "Time and memory of an R-KV compression, beside those of the formula written out.")

  @Option(help: "Tokens kept.")
  var budget = 8192
  @Option(help: "Tokens staged behind them.")
  var buffer = 128
  @Option(name: .customLong("kv-heads"), help: "Key/value heads.")
  var kvHeads = 8
  @Option(help: "Query heads that share one.")
  var group = 2
  @Option(help: "Values in a key.")
  var dimension = 128
  @Option(
    help:
      "What neighbouring keys have in common, 0...0.99. 0 is the worst case: no key is similar to any other."
  )
  var likeness: Float = 0
  @Option(help: "Threads.")
  var threads = ProcessInfo.processInfo.activeProcessorCount
  @Option(help: "Compressions after the first.")
  var later = 1
  @Flag(help: "Leave out the formula.")
  var only = false

  func validate() throws {
    for (name, value) in [
      ("budget", budget), ("buffer", buffer), ("kv-heads", kvHeads), ("group", group),
      ("dimension", dimension), ("threads", threads), ("later", later),
    ] where value < 1 {
      throw ValidationError("--\(name) \(value): expected at least 1")
    }
    guard (0..<1).contains(likeness) else {
      throw ValidationError("--likeness \(likeness): expected 0 to 0.99")
    }
  }

  func run() throws {
    let pool = try ThreadPool(workers: threads)
    let eviction = try Eviction(
      RKV(), budget: budget, buffer: buffer, promptBuffer: max(2048, buffer))
    var cache = try KVCache(
      shape: KVShape(layers: 1, kvHeads: kvHeads, headDimension: dimension),
      policy: KVPolicy(eviction: eviction), meter: KVMeter())
    cache.endPrompt(at: 1)
    let tokens = budget + buffer
    let (width, queryWidth) = (kvHeads * dimension, kvHeads * group * dimension)
    let keys = randomKeys(tokens + later * buffer)
    let queries = Noise.floats((tokens + later * buffer) * queryWidth)
    try keys.withUnsafeBufferPointer { keys in
      try queries.withUnsafeBufferPointer { queries in
        guard let keys = keys.baseAddress, let queries = queries.baseAddress else { return }
        /// Appends the tokens up to `end`, the last one by itself, and returns the seconds that its
        /// compression takes.
        func compress(_ name: String, at end: Int) throws -> Double {
          for part in [cache.position..<end - 1, end - 1..<end] {
            let (at, from) = (part.lowerBound * width, queries + part.lowerBound * queryWidth)
            try cache.append(
              keys: keys + at, values: keys + at, tokens: part.count, layer: 0)
            if part.upperBound == end {
              return try measure(name) {
                try cache.compactIfDue(
                  queries: from, tokens: part.count, heads: kvHeads * group, layer: 0, on: pool)
              }
            }
            try cache.compactIfDue(
              queries: from, tokens: part.count, heads: kvHeads * group, layer: 0, on: pool)
          }
          return 0
        }
        let fast = try compress("first", at: tokens)
        for index in 1...later { _ = try compress("next", at: tokens + index * buffer) }
        precondition(cache.count == budget, "nothing was compressed")
        if only { return }
        let plain = try measure("formula") {
          let written = WrittenOut(
            tokens: tokens, heads: kvHeads, dimension: dimension, threshold: 0.5)
          try written.redundancy(keys, on: pool)
        }
        print(String(format: "{\"speedup\": %.2f}", plain / fast))
      }
    }
  }

  /// `[tokens, kvHeads, dimension]`.
  private func randomKeys(_ tokens: Int) -> [Float] {
    var keys = Noise.floats(tokens * kvHeads * dimension)
    let width = kvHeads * dimension
    if likeness > 0 {
      for index in width..<keys.count { keys[index] += likeness * keys[index - width] }
    }
    return keys
  }

  /// Runs `body` and reports its time and by how much the process grew; returns the seconds.
  private func measure(_ name: String, _ body: () throws -> Void) throws -> Double {
    let before = ProcessMemory.peakBytes
    let seconds = try ContinuousClock().measure(body) / .seconds(1)
    let grown = ProcessMemory.peakBytes - before
    print(
      "{\"what\": \"\(name)\", \"budget\": \(budget), \"tokens\": \(budget + buffer), \"kv_heads\": \(kvHeads), "
        + "\"dimension\": \(dimension), \"likeness\": \(likeness), \"threads\": \(threads), "
        + String(
          format: "\"seconds\": %.4f, \"peak_grew_mib\": %.1f}", seconds, Double(grown) / 1048576))
    return seconds
  }
}

/// Pseudo-random numbers in -0.5...0.5.
enum Noise {
  static func floats(_ count: Int) -> [Float] {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    return (0..<count).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Float(state >> 40) / Float(1 << 24) - 0.5
    }
  }
}

/// The most memory this process has held.
enum ProcessMemory {
  static var peakBytes: Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM") }),
      let kilobytes = line.split(separator: " ").compactMap({ Int($0) }).first
    else { return 0 }
    return kilobytes * 1024
  }
}
