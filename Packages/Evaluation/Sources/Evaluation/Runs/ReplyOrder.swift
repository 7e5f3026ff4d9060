/// A reply as a server is asked for it that gives the engine's own.
public struct ReplyOrder: Sendable, Hashable, Codable {
  /// The name of the model that is asked; nil for whichever is served.
  public let model: String?
  /// Whether the reply thinks for exactly its thinking budget.
  public let forced: Bool
  /// What is asked. Budgets that it lists besides its own are asked for one by one.
  public let request: SampleRequest

  /// An order.
  public init(model: String?, forced: Bool, request: SampleRequest) {
    self.model = model
    self.forced = forced
    self.request = request
  }

  /// Why nothing can be generated for it, or nil: a client's numbers may be any.
  public var fault: String? {
    if request.sample < 0 || request.index < 0 { return "sample and index are 0 or more" }
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
