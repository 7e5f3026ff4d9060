extension KVPolicy {
  /// Which tokens stay when there are more than `budget`.
  public struct Eviction: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The policy's name as in commands: `rkv`, `streaming`, `snapkv`, `h2o`.
    public let method: String
    /// T_retain: tokens that stay at a compression.
    public let budget: Int
    /// Tokens between two compressions.
    public let buffer: Int
    /// Tokens beyond the budget that a prompt may hold before it is compressed on the way.
    public let promptBuffer: Int
    /// Other settings of the policy as its text form has them, such as `lambda=0.07`.
    public let settings: [String]

    /// Tokens between two compressions when nothing else is said (R-KV's published default).
    public static let defaultBuffer = 128
    /// Tokens of a prompt beyond the budget when nothing else is said.
    public static let defaultPromptBuffer = 2048
    /// The policies there are.
    public static let methods = ["rkv", "streaming", "snapkv", "h2o"]

    /// A policy.
    ///
    /// - Throws: `PlannerError.invalid` for an unknown name and for counts not between 1 and 2^30.
    public init(
      method: String, budget: Int, buffer: Int = defaultBuffer,
      promptBuffer: Int = defaultPromptBuffer, settings: [String] = []
    ) throws(PlannerError) {
      guard Self.methods.contains(method) else {
        throw .invalid(
          name: "eviction", value: "'\(method)'",
          expected: "one of \(Self.methods.joined(separator: ", "))")
      }
      for (name, value) in [("budget", budget), ("buffer", buffer), ("prompt", promptBuffer)]
      where !(1...1 << 30).contains(value) {
        throw .invalid(
          name: "\(name) of \(method)", value: "\(value)", expected: "1 to \(1 << 30)")
      }
      self.method = method
      self.budget = budget
      self.buffer = buffer
      self.promptBuffer = promptBuffer
      self.settings = settings
    }

    /// The queries of how many last tokens the policy looks at.
    var queryWindow: Int {
      let usual = ["rkv": 8, "snapkv": 32][method] ?? 0
      return usual > 0 ? value(of: "window").flatMap { Int($0) }.map { max(0, $0) } ?? usual : 0
    }

    /// Whether it remembers what a compression found out about similar keys.
    var keepsSimilarKeys: Bool {
      method == "rkv" && value(of: "retain") != "first" && value(of: "order") != "score"
    }

    private func value(of key: String) -> Substring? {
      settings.first { $0.hasPrefix(key + "=") }?.dropFirst(key.count + 1)
    }

    /// Reads the text form: `rkv:2048`, or with settings `rkv:2048,buffer=64,lambda=0.07`.
    ///
    /// - Throws: `PlannerError.invalid` naming the part.
    public init(parsing text: String) throws(PlannerError) {
      let parts = text.split(separator: ",", omittingEmptySubsequences: false)
      let words = parts.first?.split(separator: ":", omittingEmptySubsequences: false) ?? []
      guard words.count == 2, let budget = Int(words[1]) else {
        throw .invalid(
          name: "eviction", value: "'\(text)'",
          expected: "a policy and its budget, such as rkv:2048")
      }
      var (buffer, promptBuffer) = (Self.defaultBuffer, Self.defaultPromptBuffer)
      var settings: [String] = []
      for part in parts.dropFirst() {
        let pair = part.split(separator: "=", omittingEmptySubsequences: false)
        guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty else {
          throw .invalid(
            name: "setting of \(words[0])", value: "'\(part)'", expected: "KEY=VALUE")
        }
        switch (pair[0], Int(pair[1])) {
        case ("buffer", let value?): buffer = value
        case ("prompt", let value?): promptBuffer = value
        default: settings.append(String(part))
        }
      }
      try self.init(
        method: String(words[0]), budget: budget, buffer: buffer, promptBuffer: promptBuffer,
        settings: settings)
    }

    /// The text form, such as `rkv:2048` or `rkv:2048,buffer=64`.
    public var description: String {
      var parts = ["\(method):\(budget)"]
      if buffer != Self.defaultBuffer { parts.append("buffer=\(buffer)") }
      if promptBuffer != Self.defaultPromptBuffer { parts.append("prompt=\(promptBuffer)") }
      return (parts + settings).joined(separator: ",")
    }
  }
}
