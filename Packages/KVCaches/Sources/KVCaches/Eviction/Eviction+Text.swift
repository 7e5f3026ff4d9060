extension Eviction: CustomStringConvertible, Codable {
  /// What the text form may say, for help texts.
  public static let grammar = """
    POLICY:BUDGET[,KEY=VALUE...] where POLICY is streaming (keys: sinks), rkv (lambda, window, kernel, threshold, retain), \
    snapkv (window, kernel) or h2o (recent); every policy knows buffer, prompt, order and schedule
    """

  /// Reads a text such as `rkv:2048`, `rkv:2048,lambda=0.07,buffer=64` or `streaming:4096,sinks=4`.
  ///
  /// Without `sinks` StreamingLLM keeps half of the budget from the start, and without `recent` H2O half of it from the end.
  ///
  /// - Throws: `KVCacheError.invalidEviction` naming the text and what is wrong with it.
  public init(parsing text: String) throws(KVCacheError) {
    do throws(TextProblem) {
      var fields = try Fields(text)
      let policy: Policy
      switch fields.name {
      case "streaming":
        policy = .streaming(sinks: try fields.take("sinks", Int.init) ?? fields.budget / 2)
      case "h2o":
        policy = .h2o(recent: try fields.take("recent", Int.init) ?? max(1, fields.budget / 2))
      case "rkv":
        let usual = RKVScoring()
        policy = .rkv(
          RKVScoring(
            lambda: try fields.take("lambda", Float.init) ?? usual.lambda,
            window: try fields.take("window", Int.init) ?? usual.window,
            kernel: try fields.take("kernel", Int.init) ?? usual.kernel,
            threshold: try fields.take("threshold", Float.init) ?? usual.threshold,
            retain: try fields.take("retain", RKVScoring.Retain.init) ?? usual.retain))
      case "snapkv":
        let usual = SnapKVScoring()
        policy = .snapKV(
          SnapKVScoring(
            window: try fields.take("window", Int.init) ?? usual.window,
            kernel: try fields.take("kernel", Int.init) ?? usual.kernel))
      default:
        throw TextProblem("expected streaming, rkv, snapkv or h2o before the colon")
      }
      let buffer = try fields.take("buffer", Int.init) ?? Self.defaultBuffer
      let prompt = try fields.take("prompt", Int.init) ?? max(Self.defaultPromptBuffer, buffer)
      let order = try fields.take("order", Order.init) ?? .position
      let schedule = try fields.take("schedule", Schedule.init) ?? .staged
      try fields.expectNothingLeft()
      try self.init(
        checked: policy, budget: fields.budget, buffer: buffer, promptBuffer: prompt, order: order,
        schedule: schedule)
    } catch {
      throw .invalidEviction(text: text, reason: error.reason)
    }
  }

  private init(
    checked policy: Policy, budget: Int, buffer: Int, promptBuffer: Int, order: Order,
    schedule: Schedule
  ) throws(TextProblem) {
    do throws(KVCacheError) {
      try self.init(
        policy, budget: budget, buffer: buffer, promptBuffer: promptBuffer, order: order,
        schedule: schedule)
    } catch {
      guard case .invalidEviction(_, let reason) = error else { throw TextProblem("\(error)") }
      throw TextProblem(reason)
    }
  }

  /// The text form, which names what is not as usual.
  public var description: String {
    var text: String
    switch policy {
    case .streaming(let sinks):
      text = "streaming:\(budget)" + (sinks == budget / 2 ? "" : ",sinks=\(sinks)")
    case .h2o(let recent):
      text = "h2o:\(budget)" + (recent == max(1, budget / 2) ? "" : ",recent=\(recent)")
    case .rkv(let scoring):
      let usual = RKVScoring()
      text = "rkv:\(budget)"
      if scoring.lambda != usual.lambda { text += ",lambda=\(scoring.lambda)" }
      if scoring.window != usual.window { text += ",window=\(scoring.window)" }
      if scoring.kernel != usual.kernel { text += ",kernel=\(scoring.kernel)" }
      if scoring.threshold != usual.threshold { text += ",threshold=\(scoring.threshold)" }
      if scoring.retain != usual.retain { text += ",retain=\(scoring.retain.rawValue)" }
    case .snapKV(let scoring):
      let usual = SnapKVScoring()
      text = "snapkv:\(budget)"
      if scoring.window != usual.window { text += ",window=\(scoring.window)" }
      if scoring.kernel != usual.kernel { text += ",kernel=\(scoring.kernel)" }
    }
    if buffer != Self.defaultBuffer { text += ",buffer=\(buffer)" }
    if promptBuffer != max(Self.defaultPromptBuffer, buffer) { text += ",prompt=\(promptBuffer)" }
    if order != .position { text += ",order=\(order.rawValue)" }
    if schedule != .staged { text += ",schedule=\(schedule.rawValue)" }
    return text
  }

  /// Reads the text form.
  public init(from decoder: any Decoder) throws {
    try self.init(parsing: try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the text form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// What is wrong with a text.
private struct TextProblem: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}

/// The pieces of `name:budget,key=value,...`; keys that were asked for are gone.
private struct Fields {
  let name: String
  let budget: Int
  private var values: [(key: String, text: String)] = []

  init(_ text: String) throws(TextProblem) {
    let pieces = text.split(separator: ",", omittingEmptySubsequences: false)
    let head = pieces[0].split(separator: ":", omittingEmptySubsequences: false)
    guard head.count == 2, let budget = Int(head[1]) else {
      throw TextProblem("expected POLICY:BUDGET, such as rkv:2048")
    }
    name = String(head[0])
    self.budget = budget
    for piece in pieces.dropFirst() {
      let pair = piece.split(separator: "=", omittingEmptySubsequences: false)
      guard pair.count == 2 else { throw TextProblem("expected KEY=VALUE, found \"\(piece)\"") }
      values.append((String(pair[0]), String(pair[1])))
    }
  }

  /// The value of `key`, or nil where it is not given.
  mutating func take<Value>(
    _ key: String, _ read: (String) -> Value?
  ) throws(TextProblem) -> Value? {
    guard let index = values.firstIndex(where: { $0.key == key }) else { return nil }
    let text = values.remove(at: index).text
    guard let value = read(text) else { throw TextProblem("\(key)=\(text) is no value of \(key)") }
    return value
  }

  func expectNothingLeft() throws(TextProblem) {
    if let first = values.first { throw TextProblem("\(name) has no key \"\(first.key)\" here") }
  }
}
