/// Which tokens stay in a cache that would grow beyond a budget.
///
/// A cache holds at most `budget` + `buffer` tokens while text is generated: new tokens are staged behind the budget, and
/// when the buffer is full (after the newest token has attended to everything) the policy brings each KV head of each
/// layer back to `budget` tokens. Heads keep different tokens. Keys stay rotated by their original positions.
///
/// A prompt attends to all of itself and is compressed at its end if it exceeds the budget; one that exceeds the budget by
/// `promptBuffer` tokens is also compressed on the way, so that the memory stays bounded.
public struct Eviction: Sendable, Hashable {
  /// How the tokens that stay are chosen.
  public enum Policy: Sendable, Hashable {
    /// The first `sinks` tokens and the most recent ones (StreamingLLM, arXiv:2309.17453). The original keeps 4 sinks; half
    /// of the budget is what arXiv:2510.10964 measures. Positions are not shifted.
    case streaming(sinks: Int)
    /// Importance to the last queries against similarity among keys (R-KV, arXiv:2505.24133).
    case rkv(RKVScoring)
    /// Importance to the last queries (SnapKV, arXiv:2404.14469), at the end of the prompt and whenever the buffer is full.
    case snapKV(SnapKVScoring)
    /// The `recent` last tokens and those that gathered most attention since they were seen (H2O, arXiv:2306.14048).
    case h2o(recent: Int)
  }

  /// In what order the kept tokens lie in the cache, where "the last similar key" and the neighbours of a running
  /// maximum are looked for at the next compression.
  public enum Order: String, Sendable, Hashable {
    /// That of the text.
    case position
    /// By falling score, as the published code of R-KV leaves them.
    case score
  }

  /// When a cache is compressed after the prompt.
  public enum Schedule: String, Sendable, Hashable {
    /// When `buffer` tokens are staged behind the budget.
    case staged
    /// In the step after the number of tokens seen is a multiple of `buffer`, if there are `budget` or more; as the published
    /// code of R-KV does.
    case multiples
  }

  /// How the tokens that stay are chosen.
  public let policy: Policy
  /// Tokens a KV head keeps at a compression.
  public let budget: Int
  /// Tokens between two compressions.
  public let buffer: Int
  /// Tokens beyond the budget that a prompt may hold before it is compressed on the way.
  public let promptBuffer: Int
  /// The order of the kept tokens.
  public let order: Order
  /// When compressions take place.
  public let schedule: Schedule

  /// Tokens between two compressions when nothing else is said (R-KV's published default).
  public static let defaultBuffer = 128
  /// Tokens of a prompt beyond the budget when nothing else is said.
  public static let defaultPromptBuffer = 2048
  /// The most tokens any of the counts may name.
  static let largest = 1 << 30

  /// Describes an eviction.
  ///
  /// - Throws: `KVCacheError.invalidEviction` when the counts cannot be together.
  public init(
    _ policy: Policy, budget: Int, buffer: Int = defaultBuffer,
    promptBuffer: Int = defaultPromptBuffer, order: Order = .position, schedule: Schedule = .staged
  ) throws(KVCacheError) {
    self.policy = policy
    self.budget = budget
    self.buffer = buffer
    self.promptBuffer = promptBuffer
    self.order = order
    self.schedule = schedule
    if let reason = problem { throw .invalidEviction(text: description, reason: reason) }
  }

  /// The queries of how many last tokens the policy looks at.
  public var queryWindow: Int {
    switch policy {
    case .streaming, .h2o: 0
    case .rkv(let scoring): scoring.window
    case .snapKV(let scoring): scoring.window
    }
  }

  private var problem: String? {
    let counts = [("budget", budget), ("buffer", buffer), ("prompt", promptBuffer)]
    for (name, value) in counts where value < 1 || value > Self.largest {
      return "\(name) \(value) is not between 1 and \(Self.largest)"
    }
    if promptBuffer < buffer { return "prompt \(promptBuffer) is below buffer \(buffer)" }
    switch policy {
    case .streaming(let sinks):
      if sinks < 0 { return "sinks \(sinks) is negative" }
      if sinks >= budget { return "budget \(budget) leaves no recent token beside \(sinks) sinks" }
    case .h2o(let recent):
      if recent < 1 { return "recent \(recent) is below 1" }
      if recent >= budget {
        return "budget \(budget) leaves nothing beside \(recent) recent tokens"
      }
    case .rkv(let scoring): return scoring.problem ?? windowProblem
    case .snapKV(let scoring): return scoring.problem ?? windowProblem
    }
    return nil
  }

  private var windowProblem: String? {
    budget <= queryWindow ? "budget \(budget) is not above the window of \(queryWindow)" : nil
  }
}
