import KVLayout

/// What is asked.
public enum TaskKind: String, Sendable, Hashable, Codable, CaseIterable {
  /// Reasoning over many steps (the paper's AIME25).
  case math
  /// Reasoning that leans on knowledge (the paper's GPQA-Diamond).
  case knowledge
}

/// One way to spend memory: model, weight bits, KV policy, thinking length and votes.
public struct Configuration: Sendable, Hashable, CustomStringConvertible {
  /// The model.
  public let model: ModelShape
  /// Its weights.
  public let precision: WeightPrecision
  /// Its KV cache.
  public let kv: KVPolicy
  /// Tokens per sequence, samples that vote, questions at a time.
  public let load: Load
  /// The rule that ends a vote, as `--stop-when` has it; nil where all samples answer.
  public let voteRule: String?
  /// The rule that ends a thought, as `--stop-thinking` has it; nil where it takes its budget.
  public let thoughtRule: String?
  /// The weights' bytes as the paper's thresholds count them.
  public let effectiveSize: Int

  /// A configuration of these parts.
  public init(
    model: ModelShape, precision: WeightPrecision, kv: KVPolicy, load: Load,
    voteRule: String? = nil, thoughtRule: String? = nil
  ) {
    self.voteRule = voteRule
    self.thoughtRule = thoughtRule
    self.model = model
    self.precision = precision
    self.kv = kv
    self.load = load
    effectiveSize = Accounting.paperTable.weights(model, precision)
  }

  /// The bytes it takes.
  public func memory(_ accounting: Accounting = .actual) -> MemoryUse {
    accounting.memory(model, precision, kv, load)
  }

  /// Its rules by what they end.
  public var rules: [(part: TokenSaving.Part, rule: String)] {
    [voteRule.map { (.votes, $0) }, thoughtRule.map { (.thought, $0) }].compactMap(\.self)
  }

  /// Such as `4b at 8 bits, KV rkv:8192, 30000 tokens of thought, 1 sample`.
  public var description: String {
    "\(model.name) at \(precision.title), KV \(kv), \(load.thinkBudget) tokens of thought, "
      + "\(load.samples) sample\(load.samples == 1 ? "" : "s")"
      + (load.batch > 1 ? ", batch \(load.batch)" : "")
      + rules.map { ", stop \($0.part == .votes ? "votes" : "thoughts") at \($0.rule)" }.joined()
  }
}
