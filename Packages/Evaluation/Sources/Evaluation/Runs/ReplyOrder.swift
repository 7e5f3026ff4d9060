import TextGeneration

/// Replies to a question, as a server is asked for them that gives the engine's own.
public struct ReplyOrder: Sendable, Hashable, Codable {
  /// The name of the model that is asked; nil for whichever is served.
  public let model: String?
  /// Whether the reply thinks for exactly its thinking budget.
  public let forced: Bool
  /// What the KV cache keeps, in the words of `--kv`; nil for what the server's caches keep.
  public let kv: String?
  /// What is asked. Budgets that it lists besides its own are asked for one by one.
  public let request: SampleRequest
  /// Which other replies to the same question are wanted too; absent where one is, which is then
  /// answered alone and not in a list.
  public let others: [Other]?

  /// Another reply to the question.
  public struct Other: Sendable, Hashable, Codable {
    /// Which reply to the item this is, from 0.
    public let sample: Int
    /// Its seed.
    public let seed: UInt64
  }

  /// An order of replies to one question, of which there is at least one.
  public init(
    model: String?, forced: Bool, kv: String? = nil, request: SampleRequest,
    others: [SampleRequest] = []
  ) {
    self.model = model
    self.kv = kv
    self.forced = forced
    self.request = request
    self.others =
      others.isEmpty ? nil : others.map { Other(sample: $0.sample, seed: $0.seed) }
  }

  /// All that is asked for, a request for each reply.
  public var requests: [SampleRequest] {
    [request] + (others ?? []).map { request.sibling(sample: $0.sample, seed: $0.seed) }
  }

  /// Why nothing can be generated for it, or nil: a client's numbers may be any.
  public var fault: String? {
    if request.index < 0 || requests.contains(where: { $0.sample < 0 }) {
      return "sample and index are 0 or more"
    }
    let stops = request.question.stops
    if stops.count > 64 || stops.contains(where: { $0.utf8.count > StopStrings.longest }) {
      return "there are more than 64 stop strings, or one of more than \(StopStrings.longest) bytes"
    }
    if request.question.isScored { return "candidates are scored by /v1/completions" }
    return nil
  }
}

/// What decides a server's replies besides the questions, as a scenario records it.
public struct ReplyFacts: Sendable, Hashable, Codable {
  /// What the app knows of the model; see ``Scenario/engine``.
  public let engine: [String: String]
  /// The JSON text of the model's `generation_config.json`; nil where it has none.
  public let generationConfig: String?

  /// Facts; see the members.
  public init(engine: [String: String], generationConfig: String?) {
    self.engine = engine
    self.generationConfig = generationConfig
  }
}
