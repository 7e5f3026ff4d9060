import ArgumentParser
import Foundation
import KVLayout
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

  /// Bytes that all of it may take: those given, or those that the machine has free and the process
  /// holds.
  public var total: Int {
    memory?.bytes ?? Saturating.sum(MachineMemory.bytes, ProcessMemory.residentBytes)
  }

  /// Bytes that are left for KV caches beside a loaded model, so that the process stays within the
  /// memory at its peak.
  ///
  /// - Parameters:
  ///   - loaded: the model.
  ///   - kv: what the caches keep.
  ///   - sequences: texts generated together.
  ///   - proposer: what proposes their tokens, which is loaded too; nil for nothing.
  /// - Returns: bytes; negative where not even the model fits.
  /// - Throws: `PlannerError` for sizes that the memory equations cannot hold.
  public func kvByteBudget(
    beside loaded: LoadedModel, kv: KVPolicy, sequences: Int, proposer: LoadedProposer? = nil
  ) throws -> Int {
    let shape = try loaded.decoder.family.memoryShape(named: loaded.name)
    let load = try Load(thinkBudget: 0, answer: 0, samples: max(sequences, 1))
    let weights = loaded.decoder.weightBytes + (proposer?.weightBytes ?? 0)
    let resident = ProcessMemory.residentBytes
    let working = try proposer?.workingBytes(sequences: sequences) ?? 0
    return LoadedMemory(shape, kv, weights: weights, resident: resident)
      .cacheBytes(in: total - working, load)
  }

  /// Refuses memory that does not even hold a model and its working memory.
  ///
  /// - Parameter kvByteBudget: what is left for KV caches, as
  ///   `kvByteBudget(beside:kv:sequences:)` gives it.
  /// - Throws: `UserError` with what these take.
  public func checkRoom(kvByteBudget: Int) throws {
    guard kvByteBudget <= 0 else { return }
    throw UserError(
      "\(place) does not hold weights and working memory, which take \(Text.bytes(total - kvByteBudget))"
    )
  }

  /// What bounds the memory, for messages.
  private var place: String { memory.map { "--memory \($0)" } ?? "the \(MachineMemory.bound)" }

  /// The requests with replies no longer than fit into the memory where nobody said how long they
  /// may be: at least as long as their thinking budgets need.
  public func limitingReplies(
    _ requests: [GenerationRequest], wanted: Int, generator: BatchGenerator
  ) throws(GenerationError) -> [GenerationRequest] {
    guard memory != nil, let budget = requests.first?.budget else { return requests }
    func fits(_ tokens: Int) throws(GenerationError) -> Bool {
      do {
        return try generator.fitting(limited(tokens).prefix(wanted).map { $0 }) >= wanted
      } catch {
        guard case .memoryExceeded = error else { throw error }
        return false
      }
    }
    func limited(_ tokens: Int) -> [GenerationRequest] {
      requests.map { request in
        var request = request
        request.maxTokens = min(request.maxTokens, tokens)
        return request
      }
    }
    let least = budget.tokens + budget.cue.count + budget.answerLimit
    if try fits(.max) { return requests }
    var (fitting, beyond) = (least, least + 1)
    while try fits(beyond) {
      fitting = beyond
      beyond = least + 2 * (beyond - least)
    }
    while fitting + 1 < beyond {
      let middle = (fitting + beyond) / 2
      if try fits(middle) { fitting = middle } else { beyond = middle }
    }
    return limited(fitting)
  }

  /// By how much what a process holds before it begins differs from run to run; what a refusal says
  /// would do, does so with this much less.
  private static let variation = 512 << 10

  /// How many of the requests, at most `wanted`, can be generated together in `kvByteBudget` bytes.
  ///
  /// - Parameters:
  ///   - requests: the requests, in order.
  ///   - wanted: how many are to run together.
  ///   - kvByteBudget: bytes for KV caches, as `kvByteBudget(beside:kv:sequences:)` gives them.
  ///   - generator: the generator that was made for them.
  /// - Returns: how many fit, at least 1.
  /// - Throws: `UserError` with the sum when not even one fits; `GenerationError` as
  ///   `BatchGenerator.run` does.
  public func fitting(
    _ requests: [GenerationRequest], wanted: Int, kvByteBudget: Int, generator: BatchGenerator
  ) throws -> Int {
    let requests = Array(requests.prefix(wanted))
    let fits = Result { () throws(GenerationError) in try generator.fitting(requests) }
    guard case .failure(.memoryExceeded(let bytes, _, let prompt, let reply, _)) = fits else {
      return try fits.get()
    }
    let left =
      kvByteBudget > 0
      ? "leaves \(Text.bytes(kvByteBudget)) beside weights and working memory"
      : "does not hold weights and working memory"
    var advice: [String] = []
    let spared = Result { () throws(GenerationError) in
      try generator.fitting(requests, sparing: Self.variation)
    }
    if case .failure(.memoryExceeded(_, _, _, _, let longest)) = spared, longest > 0 {
      advice.append("--max-tokens \(longest)")
    }
    if memory != nil {
      let least = Saturating.sum(total - kvByteBudget, Saturating.sum(bytes, Self.variation))
      advice.append("--memory \((least - 1) / (1 << 20) + 1)MiB")
    }
    let end = advice.isEmpty ? "" : "; \(advice.joined(separator: " or ")) would do"
    throw UserError(
      "\(place) \(left); prompt \(prompt) + reply \(reply) tokens may take "
        + "\(Text.bytes(bytes)) of KV cache\(end)")
  }

  /// Refuses to generate so many texts together where the memory was given and fewer fit.
  ///
  /// - Throws: `UserError` naming how many do.
  public func refuse(
    _ requests: [GenerationRequest], wanted: Int, generator: BatchGenerator
  ) throws {
    guard let memory else { return }
    let together = Array(requests.prefix(wanted))
    let fits = max(1, (try? generator.fitting(together, sparing: Self.variation)) ?? 1)
    throw UserError(
      "--memory \(memory) does not hold \(wanted) samples at once; --samples \(fits) fits, and --batch \(fits) "
        + "generates \(requests.count) in turns")
  }
}
