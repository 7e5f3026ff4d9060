import AppSupport
import ArgumentParser
import Foundation
import ModelLoader
import KVCaches
import Serving
import Synchronization
import TextGeneration

/// `serve`: a model behind HTTP, in the OpenAI dialect.
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.called("serve"),
    abstract: "Serves a model to editors, agents and pages, in the OpenAI dialect.",
    discussion: """
      Only this machine is served unless --host says otherwise, which asks for a key. The same seed gives the same \
      text as 'generate' does, whatever else is served at the time. Ctrl-C or termination lets running texts finish.
      """,
    version: Program.version)

  @OptionGroup(title: "Model") var model: ModelFlags
  @OptionGroup(title: "Memory") var memory: MemoryFlags
  @OptionGroup(title: "Batch") var batch: BatchFlags
  @OptionGroup(title: "Speculation") var speculation: SpeculationFlags
  @OptionGroup(title: "Server") var server: ServerFlags
  @OptionGroup(title: "Limits") var limits: ServerLimitFlags

  mutating func run() throws {
    // Clients may go away while they are written to.
    signal(SIGPIPE, SIG_IGN)
    let configuration = try server.configuration(limits.limits)
    do { try configuration.checkAddress() } catch { throw Self.refusal(configuration, error) }
    let checkpoint = try Checkpoint(model)
    try model.takePolicyFile(for: checkpoint)
    let loaded = try LoadedModel(model, checkpoint)
    let kv = try model.kvPolicy()
    _ = try loaded.decoder.makeCache(kv, meter: KVMeter())
    let proposer = try speculation.proposer(for: loaded, model)
    let kvByteBudget = try memory.kvByteBudget(
      beside: loaded, kv: kv, sequences: batch.concurrency, proposer: proposer)
    try memory.checkRoom(kvByteBudget: kvByteBudget)
    var served = try loaded.served(kv: kv, replyTokens: batch.maxTokens, name: server.name)
    served.memory = loaded.memory(
      kv: kv, total: memory.total, kvByteBudget: kvByteBudget)
    let engine = try loaded.engine(
      kv: kv,
      limits: batch.limits(kvByteBudget: kvByteBudget, isGiven: memory.memory != nil),
      queuedTexts: limits.queue,
      proposer: proposer)
    let inference = InferenceServer(served, engine, configuration)
    Console.note(
      """
      model       \(served.name), context \(served.context) tokens
      weights     \(Text.bytes(loaded.decoder.weightBytes)) (\(loaded.decoder.formatName)), loaded in \
      \(String(format: "%.2f", loaded.loadSeconds)) s
      KV cache    \(kv), up to \(Text.bytes(kvByteBudget)) for \(batch.concurrency) texts at a time
      """)
    try serve(inference, configuration)
    drain(engine, inference)
  }

  /// Serves until the process is asked to stop.
  private func serve(_ server: InferenceServer, _ configuration: ServerConfiguration) throws {
    let failure = Mutex<(any Error)?>(nil)
    let ended = Atomic(false)
    let host = Self.host(configuration)
    let task = Task {
      do {
        try await server.run { port in Console.note("listening   http://\(host):\(port)") }
      } catch {
        failure.withLock { $0 = error }
      }
      ended.store(true, ordering: .releasing)
    }
    while !Interrupts.isPending && !ended.load(ordering: .acquiring) { usleep(20_000) }
    guard ended.load(ordering: .acquiring) else { return }
    task.cancel()
    throw Self.refusal(configuration, failure.withLock { $0 })
  }

  /// The host as addresses have it.
  private static func host(_ configuration: ServerConfiguration) -> String {
    configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
  }

  /// Why nobody can be served.
  private static func refusal(
    _ configuration: ServerConfiguration, _ error: (any Error)?
  ) -> UserError {
    let isTaken = error as? ListeningFault == .system(EADDRINUSE)
    return UserError(
      "\(host(configuration)):\(configuration.port): cannot be served: "
        + (error.map { "\($0)" } ?? "it ended")
        + (isTaken ? "; --port names another port, and 0 any that is free" : ""))
  }

  /// Lets what runs finish, as long as that takes no longer than was said.
  private func drain(_ engine: TextEngine, _ inference: InferenceServer) {
    Interrupts.postpone(seconds: server.drainSeconds + 5)
    engine.drain()
    let status = engine.status
    if !status.isIdle {
      Console.note("ending      \(status.running + status.waiting) texts are still to be finished")
    }
    let end = ContinuousClock.now + .seconds(server.drainSeconds)
    while !(engine.status.isIdle && inference.hasAnswered) && ContinuousClock.now < end {
      usleep(20_000)
    }
    // What was written last is on its way.
    usleep(200_000)
    engine.stop()
  }
}
