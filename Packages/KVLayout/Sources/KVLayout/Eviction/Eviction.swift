/// Which tokens stay in a cache that would grow beyond a budget.
///
/// A cache holds at most `budget` + `buffer` tokens while text is generated: new tokens are staged
/// behind the budget, and when the buffer is full (after the newest token has attended to
/// everything) the method brings each KV head of each layer back to `budget` tokens. Heads keep
/// different tokens. Keys stay rotated by their original positions.
///
/// A prompt attends to all of itself and is compressed at its end if it exceeds the budget; one
/// that exceeds the budget by `promptBuffer` tokens is also compressed on the way, so that the
/// memory stays bounded.
public struct Eviction: Sendable, Hashable {
  /// In what order the kept tokens lie in the cache, where "the last similar key" and the
  /// neighbours of a running maximum are looked for at the next compression.
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
    /// In the step after the number of tokens seen is a multiple of `buffer`, if there are `budget`
    /// or more; as the published code of R-KV does.
    case multiples
  }

  /// How the tokens that stay are chosen.
  public let method: any EvictionMethod
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
  /// - Throws: `KVPolicyError.invalidEviction` when the counts cannot be together.
  public init(
    _ method: any EvictionMethod, budget: Int, buffer: Int = defaultBuffer,
    promptBuffer: Int = defaultPromptBuffer, order: Order = .position, schedule: Schedule = .staged
  ) throws(KVPolicyError) {
    self.method = method
    self.budget = budget
    self.buffer = buffer
    self.promptBuffer = promptBuffer
    self.order = order
    self.schedule = schedule
    if let reason = problem { throw .invalidEviction(text: description, reason: reason) }
  }

  /// What the method remembers beside the tokens.
  public var needs: EvictionNeeds { method.needs(order: order) }

  private var problem: String? {
    let counts = [("budget", budget), ("buffer", buffer), ("prompt", promptBuffer)]
    for (name, value) in counts where value < 1 || value > Self.largest {
      return "\(name) \(value) is not between 1 and \(Self.largest)"
    }
    if promptBuffer < buffer { return "prompt \(promptBuffer) is below buffer \(buffer)" }
    return method.problem(budget: budget)
  }

  /// Two evictions are the same where their methods are, and their counts.
  public static func == (one: Self, other: Self) -> Bool {
    AnyHashable(one.method) == AnyHashable(other.method) && one.budget == other.budget
      && one.buffer == other.buffer && one.promptBuffer == other.promptBuffer
      && one.order == other.order && one.schedule == other.schedule
  }

  /// Hashes the method and the budget.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(AnyHashable(method))
    hasher.combine(budget)
  }
}
