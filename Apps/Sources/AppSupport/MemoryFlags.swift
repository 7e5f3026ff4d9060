import ArgumentParser
import Foundation
import TextGeneration
import MemoryPlanner

/// The flag that says how much memory a command may take.
public struct MemoryFlags: ParsableArguments {
  /// The memory; nil for what this machine has.
  @Option(
    help: ArgumentHelp(
      "Memory that weights, KV caches and working memory may take, such as 6GiB (default: what the machine has free).",
      valueName: "bytes"),
    transform: { try ByteCount(parsing: $0) })
  public var memory: ByteCount?

  /// For ArgumentParser.
  public init() {}

  /// Bytes that are left for KV caches beside a loaded model.
  ///
  /// - Parameters:
  ///   - loaded: the model.
  ///   - sequences: texts generated together.
  /// - Returns: bytes; negative where not even the model fits.
  /// - Throws: `PlannerError` for sizes that the memory equations cannot hold.
  public func room(beside loaded: LoadedModel, sequences: Int) throws -> Int {
    let shape = try loaded.decoder.family.memoryShape(named: loaded.name)
    let load = try Load(thinkBudget: 0, answer: 0, samples: max(sequences, 1))
    let working = Accounting.actual.memory(shape, .bf16, .full, load).working
    guard let memory else { return MachineMemory.bytes - working }
    return memory.bytes - loaded.decoder.weightBytes - working
  }

  /// How many of the requests, at most `wanted`, can be generated together in `room` bytes.
  ///
  /// - Parameters:
  ///   - requests: the requests, in order.
  ///   - wanted: how many are to run together.
  ///   - room: bytes for KV caches, as `room(beside:sequences:)` gives them.
  ///   - generator: the generator that was made for the room.
  /// - Returns: how many fit, at least 1.
  /// - Throws: `UserError` with the sum when not even one fits; `GenerationError` as `BatchGenerator.run` does.
  public func fitting(
    _ requests: [GenerationRequest], wanted: Int, room: Int, generator: BatchGenerator
  ) throws -> Int {
    let fits = Result { () throws(GenerationError) in
      try generator.fitting(Array(requests.prefix(wanted)))
    }
    if case .failure(.memoryExceeded(let bytes, _, let prompt, let reply, let longest)) = fits {
      let place = memory.map { "--memory \($0)" } ?? "the \(MachineMemory.bound)"
      let left =
        room > 0
        ? "leaves \(Text.bytes(room)) beside weights and working memory"
        : "does not hold weights and working memory"
      let advice = longest > 0 ? "; --max-tokens \(longest) would fit" : ""
      throw UserError(
        "\(place) \(left); prompt \(prompt) + reply \(reply) tokens may take "
          + "\(Text.bytes(bytes)) of KV cache\(advice)")
    }
    return try fits.get()
  }
}
