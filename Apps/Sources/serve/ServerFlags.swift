import AppSupport
import ArgumentParser
import MemoryPlanner
import Serving
import TextGeneration

/// The flags that say how texts share the machine.
struct BatchFlags: ParsableArguments {
  @Option(help: "Texts decoded together; changes the speed and the memory, never a text.")
  var concurrency = 16
  @Option(
    help: "Most tokens of a prompt that are run in one step while other texts are generated.")
  var promptTokens = 64
  @Option(
    help: ArgumentHelp(
      "Most tokens of a reply where a request does not say (default: what context and memory leave).",
      valueName: "tokens"))
  var maxTokens: Int?
  @Option(
    help: ArgumentHelp(
      "Bytes of what prompts and replies begin with that are kept for requests to come, 0 for nothing (default: all that --memory leaves; without it a quarter of what the machine has free).",
      valueName: "bytes"), transform: { try $0 == "0" ? ByteCount(0) : ByteCount(parsing: $0) })
  var prefixCache: ByteCount?

  func validate() throws {
    for (name, value) in [
      ("concurrency", concurrency), ("prompt-tokens", promptTokens), ("max-tokens", maxTokens ?? 1),
    ] where !(1...1 << 20).contains(value) {
      throw ValidationError("--\(name) \(value): expected 1 to \(1 << 20)")
    }
  }

  /// The limits of a batch whose caches may take `kvByteBudget` bytes; `isGiven` says that somebody
  /// chose how many.
  func limits(kvByteBudget: Int, isGiven: Bool) -> DecodingBatch.Limits {
    DecodingBatch.Limits(
      concurrency: concurrency, kvByteBudget: kvByteBudget, promptTokens: promptTokens,
      keptPromptBytes: min(
        kvByteBudget, prefixCache?.bytes ?? (isGiven ? kvByteBudget : kvByteBudget / 4)))
  }
}

/// The flags that say where a server listens, and to whom.
struct ServerFlags: ParsableArguments {
  @Option(help: "Address to listen on; one that other machines reach asks for --api-key.")
  var host = "127.0.0.1"
  @Option(help: "Port to listen on; 0 takes any that is free.")
  var port = 8080
  @Option(
    help: ArgumentHelp(
      "Key that requests have to carry as 'Authorization: Bearer KEY'; better given as BITBUDGET_API_KEY, which no list of processes shows.",
      valueName: "key"))
  var apiKey: String?
  @Option(
    help: ArgumentHelp(
      "Origin, such as https://example.org, whose pages may use the server; may be given several times.",
      valueName: "origin"))
  var origin: [String] = []
  @Option(
    name: .customLong("served-name"),
    help: ArgumentHelp(
      "Name by which clients ask for the model (default: the model's).", valueName: "name"))
  var name: String?
  @Option(help: "Seconds that running texts get to finish when the server is asked to stop.")
  var drainSeconds = 30

  func validate() throws {
    guard (0...65535).contains(port) else {
      throw ValidationError("--port \(port): expected 0 to 65535")
    }
    guard (0...3600).contains(drainSeconds) else {
      throw ValidationError("--drain-seconds \(drainSeconds): expected 0 to 3600")
    }
    // Of colons an address of version 6 has more than one.
    if host.split(separator: ":", omittingEmptySubsequences: false).count == 2 {
      throw ValidationError("--host \(host): expected an address alone; --port has the port")
    }
    if apiKey?.isEmpty == true { throw ValidationError("--api-key: expected a key") }
    if let bad = origin.first(where: { !$0.contains("://") || $0.hasSuffix("/") }) {
      throw ValidationError("--origin \(bad): expected scheme and host, as https://example.org")
    }
    guard try configuration(ServerLimits()).isLocal || apiKey != nil else {
      throw ValidationError(
        "--host \(host) is reached by other machines; --api-key or BITBUDGET_API_KEY has to say with which key"
      )
    }
  }

  /// The server that the flags ask for.
  func configuration(_ limits: ServerLimits) throws -> ServerConfiguration {
    var configuration = ServerConfiguration()
    configuration.host = host
    configuration.port = port
    configuration.apiKey = apiKey
    configuration.origins = origin
    configuration.limits = limits
    configuration.version = "\(Program.name)-\(Program.version)"
    return configuration
  }
}

/// The flags that say what a server accepts.
struct ServerLimitFlags: ParsableArguments {
  @Option(help: "Most bytes of a request's body; 413 beyond.")
  var maxBody = ServerLimits().bodyBytes
  @Option(help: "Most bytes of a request's header; 431 beyond.")
  var maxHeader = ServerLimits().headerBytes
  @Option(help: "Most tokens of a prompt (default: what the context holds).")
  var maxPrompt: Int?
  @Option(help: "Most texts that one request may ask for.")
  var maxTexts = ServerLimits().texts
  @Option(help: "Most texts that wait for a place; 429 beyond.")
  var queue = ServerLimits().queuedTexts
  @Option(help: "Most connections at a time; others wait.")
  var maxConnections = ServerLimits().connections
  @Option(help: "Seconds in which a request's body has to arrive; 408 beyond.")
  var bodySeconds = ServerLimits().bodySeconds
  @Option(
    help:
      "Seconds after which a connection is closed on which nothing is asked, or whose client does not read."
  )
  var idleSeconds = ServerLimits().idleSeconds

  func validate() throws {
    let values = [
      ("max-body", maxBody), ("max-header", maxHeader), ("max-prompt", maxPrompt ?? 1),
      ("max-texts", maxTexts), ("max-connections", maxConnections),
      ("body-seconds", bodySeconds), ("idle-seconds", idleSeconds),
    ]
    for (name, value) in values where !(1...1 << 40).contains(value) {
      throw ValidationError("--\(name) \(value): expected at least 1")
    }
    guard (0...1 << 20).contains(queue) else {
      throw ValidationError("--queue \(queue): expected 0 to \(1 << 20)")
    }
  }

  /// The limits that the flags ask for.
  var limits: ServerLimits {
    var limits = ServerLimits()
    limits.bodyBytes = maxBody
    limits.headerBytes = maxHeader
    limits.promptTokens = maxPrompt
    limits.texts = maxTexts
    limits.queuedTexts = queue
    limits.connections = maxConnections
    limits.bodySeconds = bodySeconds
    limits.idleSeconds = idleSeconds
    return limits
  }
}
