/// What a KV cache keeps, and how.
public struct KVPolicy: Sendable, Hashable, Codable, CustomStringConvertible {
  /// How a value is stored.
  public enum Format: String, Sendable, Hashable, Codable, CaseIterable {
    /// Four bytes.
    case f32
    /// Two bytes, the paper's full precision.
    case bf16
    /// Codes in groups with a scale each.
    case int8, int4, int2

    /// Bits of a value or a code.
    public var bits: Int {
      switch self {
      case .f32: 32
      case .bf16: 16
      case .int8: 8
      case .int4: 4
      case .int2: 2
      }
    }
    /// Whether values are codes.
    public var isQuantized: Bool { bits < 16 }
  }

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
    /// Other settings of the policy as its text form has them, such as `lambda=0.07`; they take no bytes.
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

  /// How keys are stored.
  public let keys: Format
  /// How values are stored.
  public let values: Format
  /// Which tokens stay; nil for all.
  public let eviction: Eviction?
  /// Values that share a scale where they are quantized.
  public let groupSize: Int
  /// Most recent tokens that stay in 16 bits where the others are quantized.
  public let residual: Int

  /// Everything stays in BF16.
  public static let full = KVPolicy(uncheckedKeys: .bf16, values: .bf16)

  private init(uncheckedKeys keys: Format, values: Format) {
    self.keys = keys
    self.values = values
    eviction = nil
    groupSize = 64
    residual = 128
  }

  /// A policy of these parts; the defaults of group and residual are the paper's.
  ///
  /// - Throws: `PlannerError.invalid` for a group or residual out of range.
  public init(
    keys: Format = .bf16, values: Format = .bf16, eviction: Eviction? = nil, groupSize: Int = 64,
    residual: Int = 128
  ) throws(PlannerError) {
    guard (1...65_536).contains(groupSize) else {
      throw .invalid(name: "KV group", value: "\(groupSize)", expected: "1 to 65536")
    }
    guard (0...1 << 30).contains(residual) else {
      throw .invalid(name: "KV residual", value: "\(residual)", expected: "0 to \(1 << 30)")
    }
    self.keys = keys
    self.values = values
    self.eviction = eviction
    self.groupSize = groupSize
    self.residual = residual
  }

  /// Reads the text form: `bf16`, `int8`, `int8/int4` (keys/values), `rkv:2048`, `rkv:2048+int8`.
  ///
  /// - Throws: `PlannerError.invalid` naming the text.
  public init(parsing text: String) throws(PlannerError) {
    let problem = PlannerError.invalid(
      name: "KV policy", value: "'\(text)'",
      expected:
        "a format (bf16, int8, int4, int2, or keys/values), an eviction such as rkv:2048, or both joined by +"
    )
    let parts = text.split(separator: "+", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count) else { throw problem }
    var eviction: Eviction?
    var formats: [Format]?
    for part in parts {
      if part.contains(":"), eviction == nil {
        eviction = try Eviction(parsing: String(part))
        continue
      }
      let names = part.split(separator: "/", omittingEmptySubsequences: false)
      let found = names.compactMap { Format(rawValue: String($0)) }
      guard formats == nil, found.count == names.count, (1...2).contains(found.count) else {
        throw problem
      }
      formats = found
    }
    try self.init(
      keys: formats?.first ?? .bf16, values: formats?.last ?? .bf16, eviction: eviction)
  }

  /// The text form.
  public var description: String {
    let format = keys == values ? keys.rawValue : "\(keys.rawValue)/\(values.rawValue)"
    guard let eviction else { return format }
    return keys == .bf16 && values == .bf16 ? "\(eviction)" : "\(eviction)+\(format)"
  }

  /// Whether keys or values are quantized.
  public var isQuantized: Bool { keys.isQuantized || values.isQuantized }
}
