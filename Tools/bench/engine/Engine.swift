import ArgumentParser
import Foundation
import Kernels
import KVCaches
import DecoderModels
import Tensors

extension Numerics: ExpressibleByArgument {}
extension HeadBits: ExpressibleByArgument {}
extension KVKeyAxis: ExpressibleByArgument {}

/// Measures prompt and generation speed with random weights; prints one JSON object a line.
@main
struct Engine: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-engine",
    abstract:
      "Prompt and generation speed at published shapes, beside a reading of the memory's speed.")

  @Option(
    help:
      "Shape: 0.6b, 1.7b, 30b-a3b, qwen3.5-0.8b, qwen3.5-4b, qwen3.5-9b or qwen3.5-35b-a3b.")
  var shape = "0.6b"
  @Option(help: "Layers, where fewer than the shape has.")
  var layers: Int?
  @Option(
    help: "Formats of the weights, separated by commas: bf16, int8, int4, w8a8, w8a8-fp, w4a4.")
  var formats = "bf16,int8,int4"
  @Option(
    help:
      "How weights meet activations: exact, int16, int8, bf16, int8-tiles or bf16-tiles (default: by the format)."
  )
  var numerics: Numerics?
  @Option(help: "Bits of the output head: 16, 12 or 8 (default: by the format).")
  var headBits: HeadBits?
  @Option(help: "Tokens of the prompt.")
  var prompt = 128
  @Option(help: "Tokens generated in each repetition.")
  var tokens = 16
  @Option(help: "Tokens that the cache holds before the prompt, or before what is generated.")
  var depth = 0
  @Option(
    help: "Formats of caches, separated by commas, measured in turns: bf16, int8, int4, int2.")
  var kv = "bf16"
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
  @Option(
    help:
      "Compare a text with proposals, of which this share is accepted, with one without instead.")
  var accept: Double?
  @Option(
    help: "With --accept: the shape of a model that drafts; its time counts, its tokens do not.")
  var draft: String?
  @Option(help: "Repetitions; the median is printed.")
  var repetitions = 3
  @Flag(help: "Repeat once for each line of input, and print every repetition.")
  var onRequest = false
  @Option(help: "Threads.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    guard RandomModel.names.contains(shape) else {
      throw ValidationError(
        "--shape \(shape): expected \(RandomModel.names.joined(separator: ", "))")
    }
    for (name, value) in [
      ("prompt", prompt), ("tokens", tokens), ("batch", batch), ("repetitions", repetitions),
      ("threads", threads), ("samples", samples ?? 1), ("layers", layers ?? 1),
    ] where value < 1 {
      throw ValidationError("--\(name) \(value): expected at least 1")
    }
    guard !onRequest || (samples == nil && !formats.contains(",")) else {
      throw ValidationError("--on-request: expected one of --formats, and no --samples")
    }
    if let accept, !(0...1).contains(accept) || samples != nil || onRequest {
      throw ValidationError(
        "--accept \(accept): expected 0 to 1, and neither --samples nor --on-request")
    }
    guard draft == nil || (accept != nil && RandomModel.names.contains(draft ?? "")) else {
      throw ValidationError("--draft: expected --accept, and a shape as --shape takes it")
    }
    guard depth >= 0 else { throw ValidationError("--depth \(depth): expected at least 0") }
  }

  func run() throws {
    if let isa = ProcessInfo.processInfo.environment["BITBUDGET_ISA"],
      let problem = bb_choose_isa(isa)
    {
      throw ValidationError("BITBUDGET_ISA=\(isa): \(String(cString: problem))")
    }
    let kv = try list("kv", kv, of: KVFormat.self).map {
      try KVPolicy(keys: $0, values: $0, keyAxis: keyAxis, eviction: kvEvict)
    }
    let pool = try ThreadPool(workers: threads)
    for format in try list("formats", formats, of: WeightFormat.self) {
      let standard = ComputePrecision.standard(
        forWeightsOf: format.bits, roundingActivations: format.roundsActivations)
      let precision = ComputePrecision(
        numerics: numerics ?? standard.numerics, headBits: headBits ?? standard.headBits)
      guard
        let decoder = try RandomModel.make(
          shape, layers: layers, format, headBits: precision.headBits)
      else { return }
      let pass = ForwardPass(decoder, pool: pool, numerics: precision.numerics)
      if let samples {
        let group = SampleGroup(pass: pass, prompt: prompt, tokens: tokens)
        let facts: [String: Any] = [
          "shape": shape, "weights": format.rawValue, "threads": threads, "commit": commit,
        ]
        report(try group.report(count: samples).merging(facts) { $1 })
        continue
      }
      if let accept {
        try report(speculating(pass, accept, format, precision, on: pool))
        continue
      }
      let turns = try SpeedTurns(
        pass, kv, .init(batch: batch, depth: depth, prompt: prompt, tokens: tokens), pool: pool)
      if onRequest {
        while readLine() != nil { report(try turns.measure(), kv, format, precision, decoder) }
      } else {
        let all = try (0..<repetitions).map { _ in try turns.measure() }
        let medians = kv.indices.map { index in all.map { $0[index] }.median }
        report(medians, kv, format, precision, decoder)
      }
    }
  }

  /// What proposals of a given rate bring.
  private func speculating(
    _ pass: ForwardPass, _ rate: Double, _ format: WeightFormat, _ precision: ComputePrecision,
    on pool: ThreadPool
  ) throws -> [String: Any] {
    let drafting = try draft.flatMap {
      try RandomModel.make($0, layers: nil, format, headBits: precision.headBits)
    }
    let turns = SpeculationTurns(
      pass: pass,
      draft: drafting.map { ForwardPass($0, pool: pool, numerics: precision.numerics) },
      rate: rate, prompt: prompt, tokens: tokens)
    let facts: [String: Any] = [
      "shape": shape, "layers": pass.decoder.shape.layers, "weights": format.rawValue,
      "numerics": precision.numerics.rawValue, "head_bits": precision.headBits.rawValue,
      "draft": draft ?? "none", "threads": threads, "commit": commit,
    ]
    return try turns.report(repetitions: repetitions).merging(facts) { $1 }
  }

  private func report(
    _ speeds: [SpeedTurns.Speed], _ kv: [KVPolicy], _ format: WeightFormat,
    _ precision: ComputePrecision, _ decoder: Decoder
  ) {
    let read = decoder.bytesRead(batch: batch)
    let states = decoder.shape.cacheShape.fixedBytes
    for (kv, speed) in zip(kv, speeds) {
      // Sequences share the pages of the cache; each has fixed states of its own.
      let bytes = read + speed.cacheBytes + (batch - 1) * states
      let limit = speed.memory / Double(bytes) * Double(batch)
      report([
        "shape": shape, "layers": decoder.shape.layers, "weights": format.rawValue,
        "numerics": precision.numerics.rawValue, "head_bits": precision.headBits.rawValue,
        "threads": threads, "batch": batch,
        "depth": depth, "kv": kv.description, "prompt_tokens": prompt,
        "weight_bytes": decoder.weightBytes, "weight_bytes_read": read,
        "kv_bytes": speed.cacheBytes - states, "state_bytes": states,
        "prompt_tokens_per_second": speed.prompt, "tokens_per_second": speed.generation,
        "memory_bytes_per_second": speed.memory,
        "share_of_memory_limit": speed.generation / limit, "commit": commit,
      ])
    }
  }

  /// The formats that an option names.
  private func list<Format: RawRepresentable<String> & CaseIterable>(
    _ option: String, _ text: String, of: Format.Type
  ) throws -> [Format] {
    try text.split(separator: ",").map { name in
      if let format = Format(rawValue: String(name)) { return format }
      let known = Format.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--\(option) \(name): expected some of \(known)")
    }
  }

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
    fflush(nil)
  }
}
