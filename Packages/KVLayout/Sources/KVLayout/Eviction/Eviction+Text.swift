extension Eviction: CustomStringConvertible, Codable {
  /// What the text form may say, for help texts.
  public static var grammar: String { EvictionCatalog.standard.grammar }

  /// Reads a text such as `rkv:2048`, `rkv:2048,lambda=0.07,buffer=64` or `streaming:4096,sinks=4`.
  ///
  /// Without `sinks` StreamingLLM keeps half of the budget from the start, and without `recent` H2O
  /// half of it from the end.
  ///
  /// - Throws: `KVPolicyError.invalidEviction` naming the text and what is wrong with it.
  public init(
    parsing text: String, evictions: EvictionCatalog = .standard
  ) throws(KVPolicyError) {
    do throws(EvictionProblem) {
      var settings = try EvictionSettings(text)
      guard let kind = evictions.method(named: settings.name) else {
        let names = evictions.names.joined(separator: ", ")
        throw EvictionProblem("\"\(settings.name)\" is no eviction; expected \(names)")
      }
      let budget = settings.budget
      let method = try kind.init(&settings, budget: budget)
      let buffer = try settings.take("buffer", Int.init) ?? Self.defaultBuffer
      let prompt =
        try settings.take("prompt", Int.init) ?? max(Self.defaultPromptBuffer, buffer)
      let order = try settings.take("order", Order.init) ?? .position
      let schedule = try settings.take("schedule", Schedule.init) ?? .staged
      try settings.expectNothingLeft(
        known: kind.keys + ["buffer", "prompt", "order", "schedule"])
      do throws(KVPolicyError) {
        try self.init(
          method, budget: budget, buffer: buffer, promptBuffer: prompt, order: order,
          schedule: schedule)
      } catch {
        guard case .invalidEviction(_, let reason) = error else {
          throw EvictionProblem("\(error)")
        }
        throw EvictionProblem(reason)
      }
    } catch {
      throw .invalidEviction(text: text, reason: error.reason)
    }
  }

  /// The text form, which names what is not as usual.
  public var description: String {
    var text = "\(type(of: method).name):\(budget)"
    for (key, value) in method.settings(budget: budget) { text += ",\(key)=\(value)" }
    if buffer != Self.defaultBuffer { text += ",buffer=\(buffer)" }
    if promptBuffer != max(Self.defaultPromptBuffer, buffer) { text += ",prompt=\(promptBuffer)" }
    if order != .position { text += ",order=\(order.rawValue)" }
    if schedule != .staged { text += ",schedule=\(schedule.rawValue)" }
    return text
  }

  /// Reads the text form; see `KVPolicy.init(from:)` for methods that are not the usual ones.
  public init(from decoder: any Decoder) throws {
    try self.init(
      parsing: try decoder.singleValueContainer().decode(String.self),
      evictions: EvictionCatalog(decoder))
  }

  /// Writes the text form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
