/// What an engine has done since it began, and has to do now.
public struct EngineStatus: Sendable, Equatable {
  /// Texts that were taken.
  public internal(set) var submitted = 0
  /// Texts that ended by themselves.
  public internal(set) var finished = 0
  /// Texts that were ended by their clients.
  public internal(set) var cancelled = 0
  /// Texts that were refused since too many wait.
  public internal(set) var refused = 0
  /// Steps that failed.
  public internal(set) var failures = 0
  /// Texts that are decoded now.
  public internal(set) var running = 0
  /// Texts that wait.
  public internal(set) var waiting = 0
  /// Bytes of KV cache that are promised.
  public internal(set) var reservedBytes = 0
  /// Bytes of KV cache that are held.
  public internal(set) var heldBytes = 0
  /// Tokens of prompts that were run.
  public internal(set) var promptTokens = 0
  /// Tokens that were drawn after the first of each text.
  public internal(set) var generatedTokens = 0
  /// Seconds that running prompts took.
  public internal(set) var promptSeconds = 0.0
  /// Seconds that drawing took.
  public internal(set) var generationSeconds = 0.0
  /// Tokens of the prompts of texts that ended.
  public internal(set) var finishedPromptTokens = 0
  /// Those of them that were not run, since others had run them.
  public internal(set) var cachedPromptTokens = 0
  /// Seconds from a text's submission to its first token.
  public internal(set) var timeToFirstToken = Histogram()

  /// Whether nothing is under way.
  public var isIdle: Bool { running == 0 && waiting == 0 }

  /// An engine that has done nothing yet.
  public init() {}
}

/// How often values up to some bounds came up.
public struct Histogram: Sendable, Equatable {
  /// The bounds, ascending.
  public static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
  /// Values up to each bound, and those up to the one before not.
  public private(set) var counts = [Int](repeating: 0, count: bounds.count)
  /// How many values there were.
  public private(set) var count = 0
  /// Their sum.
  public private(set) var sum = 0.0

  /// Counts a value.
  mutating func add(_ value: Double) {
    count += 1
    sum += value
    if let place = Self.bounds.firstIndex(where: { value <= $0 }) { counts[place] += 1 }
  }
}
