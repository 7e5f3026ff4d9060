import ArgumentParser
import Evaluation
import Foundation
import ModelHub

/// The flags that say where endpoints are and how long they are waited for.
public struct EndpointPlaceFlags: ParsableArguments {
  /// Addresses.
  @Option(
    help: ArgumentHelp(
      "Ask a server instead of a model in this process, such as http://127.0.0.1:8080; may be given several times, and requests are spread over all.",
      valueName: "url"))
  public var endpoint: [String] = []
  /// Name of the model.
  @Option(help: "Name of the model there (default: the only one that the endpoint lists).")
  public var modelName: String?
  /// Key.
  @Option(
    help: ArgumentHelp(
      "Key that requests carry as 'Authorization: Bearer KEY'; better given as BITBUDGET_API_KEY or OPENAI_API_KEY, which no list of processes shows.",
      valueName: "key"))
  public var apiKey: String?
  /// Seconds without a byte.
  @Option(
    help:
      "Seconds without a byte after which a request to the endpoint has failed (default: 600).")
  public var timeout: Double?

  /// For ArgumentParser.
  public init() {}

  /// Whether an endpoint was named.
  public var isGiven: Bool { !endpoint.isEmpty }
  /// Seconds without a byte that are waited for.
  public var patience: Double { timeout ?? 600 }

  /// Checks the flags.
  public func validate() throws {
    if let timeout, !(timeout > 0 && timeout <= 86400) {
      throw ValidationError("--timeout \(timeout): expected seconds above 0, at most 86400")
    }
    if !isGiven, modelName != nil { throw ValidationError("--model-name needs --endpoint") }
    if !isGiven, timeout != nil { throw ValidationError("--timeout needs --endpoint") }
    if !isGiven, apiKey != nil { throw ValidationError("--api-key needs --endpoint") }
    for address in endpoint where Self.base(address) == nil {
      throw ValidationError(
        "--endpoint \(address): expected an address such as http://127.0.0.1:8080")
    }
  }

  /// The clients of the addresses, in their order.
  public func clients() -> [EndpointClient] {
    let key = [apiKey, ProcessInfo.processInfo.environment["OPENAI_API_KEY"]]
      .compactMap { $0 }.first { !$0.isEmpty }
    let transport = CurlTransport()
    return endpoint.compactMap(Self.base).map {
      EndpointClient(base: $0, key: key, timeout: patience, transport: transport)
    }
  }

  /// The address under which the paths of the dialect lie: one without a path gets `/v1`.
  static func base(_ address: String) -> URL? {
    var address = address
    while address.hasSuffix("/") { address.removeLast() }
    guard let url = URL(string: address), ["http", "https"].contains(url.scheme?.lowercased()),
      url.host?.isEmpty == false, url.query == nil, url.fragment == nil
    else { return nil }
    return url.path.isEmpty ? URL(string: address + "/v1") : url
  }
}

/// The flags that say which endpoint answers the questions of benchmarks in the place of a model in
/// this process, and how it is asked.
public struct EndpointFlags: ParsableArguments {
  /// Where it is.
  @OptionGroup(title: "Endpoint")
  public var place: EndpointPlaceFlags
  /// Dialect.
  @Option(
    help:
      "How the endpoint is asked: bitbudget (our own server, which gives the bits of a model in this process), chat or completions (default: bitbudget where it can, else by the form of the benchmark)."
  )
  public var dialect: EndpointDialect?
  /// Name of the field that holds the thinking budget.
  @Option(
    help: ArgumentHelp(
      "Field that holds --think-budget in the dialect chat: \(ThinkingField.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "field"))
  public var thinkingField: ThinkingField?
  /// How hard to think.
  @Option(help: "Word sent as reasoning_effort in the dialect chat.")
  public var reasoningEffort: String?
  /// Attempts.
  @Option(
    help:
      "How often a request to the endpoint is sent before its reply counts as failed; pauses double from half a second, or are as long as the endpoint asks (default: 5)."
  )
  public var attempts: Int?

  /// For ArgumentParser.
  public init() {}

  /// Long names of the flags that have an effect with `--endpoint` alone.
  static let dependent: Set = [
    "model-name", "api-key", "timeout", "dialect", "thinking-field", "reasoning-effort", "attempts",
  ]

  /// Whether an endpoint was named.
  public var isGiven: Bool { place.isGiven }

  /// Checks the flags.
  public func validate() throws {
    if let attempts, !(1...100).contains(attempts) {
      throw ValidationError("--attempts \(attempts): expected 1 to 100")
    }
    let others = [
      ("dialect", dialect != nil), ("thinking-field", thinkingField != nil),
      ("reasoning-effort", reasoningEffort != nil), ("attempts", attempts != nil),
    ]
    if !isGiven, let flag = others.first(where: \.1)?.0 {
      throw ValidationError("--\(flag) needs --endpoint")
    }
  }
}

/// How an endpoint is asked.
public enum EndpointDialect: String, CaseIterable, Sendable, ExpressibleByArgument {
  /// `/v1/replies` of our own server: the questions and replies of journals.
  case bitbudget
  /// `/v1/chat/completions`.
  case chat
  /// `/v1/completions`.
  case completions
}

/// Names under which servers take a thinking budget in `/v1/chat/completions`.
public enum ThinkingField: String, CaseIterable, Sendable, ExpressibleByArgument {
  /// vLLM, and our own server.
  case vllm = "thinking_token_budget"
  /// llama.cpp, and our own server.
  case llamaCPP = "thinking_budget_tokens"
  /// DashScope and others, beside `enable_thinking`.
  case dashScope = "thinking_budget"
}
