/// A rule that ends votes or thoughts before all of their tokens are spent, and what it is known to
/// save.
public struct TokenSaving: Sendable, Hashable, Codable {
  /// What it ends.
  public enum Part: String, Sendable, Hashable, Codable {
    /// The samples of a vote: `--stop-when`.
    case votes
    /// A thought: `--stop-thinking`.
    case thought
  }

  /// What it ends.
  public let part: Part
  /// As its flag has it: `decided`, `beta:0.95`, `stable:4`.
  public let rule: String
  /// The part of the tokens that are not generated, 0 to 1, those of probes counted.
  public let saved: Double
  /// The part of the accuracy that stays.
  public let recovery: Double
  /// One standard deviation of that part.
  public let error: Double
  /// What it was measured on, and where that stands.
  public let source: String

  /// What was measured.
  public init(
    part: Part, rule: String, saved: Double, recovery: Double, error: Double, source: String
  ) {
    self.part = part
    self.rule = rule
    self.saved = saved
    self.recovery = recovery
    self.error = error
    self.source = source
  }

  /// Such as `stop when decided: 29 % fewer tokens`.
  public var text: String {
    let verb = part == .votes ? "when" : "thinking when"
    return "stop \(verb) \(rule): \(Int((100 * saved).rounded())) % fewer tokens"
  }

  /// The rule of a vote that cannot change its winner, which is on offer wherever samples vote.
  public static let exact = "decided"

  /// What is known of a rule without a study; nil where nothing is.
  ///
  /// - Parameters:
  ///   - part: what it ends.
  ///   - rule: as its flag has it.
  ///   - task: what is asked.
  ///   - samples: that vote.
  /// - Returns: of the largest group that was measured and is no larger.
  public static func known(
    _ part: Part, _ rule: String, _ task: TaskKind, samples: Int
  ) -> TokenSaving? {
    switch part {
    case .votes:
      guard let row = votes.last(where: { $0.samples <= samples }),
        let figure = (task == .math ? row.math : row.facts)[rule]
      else { return nil }
      let bench = task == .math ? "nano-math" : "nano-facts"
      return TokenSaving(
        part: .votes, rule: rule, saved: figure.saved, recovery: figure.recovery,
        error: figure.error,
        source: "\(row.samples) votes of nano-0.5m on \(bench), docs/thinking.md")
    case .thought:
      guard task == .math, let figure = thoughts[rule] else { return nil }
      return TokenSaving(
        part: .thought, rule: rule, saved: figure.saved, recovery: figure.recovery,
        error: figure.error, source: "nano-0.5m on nano-math, docs/thinking.md")
    }
  }

  private struct Figure {
    let saved: Double
    let recovery: Double
    let error: Double

    init(_ saved: Double, _ recovery: Double = 1, error: Double = 0) {
      (self.saved, self.recovery, self.error) = (saved, recovery, error)
    }
  }

  /// Votes over stored replies of 96 forced tokens, by the samples that vote. Nothing that was lost
  /// exceeds its error.
  private static let votes: [(samples: Int, math: [String: Figure], facts: [String: Figure])] = [
    (
      samples: 3,
      math: [
        "decided": Figure(0.21), "beta:0.99": Figure(0.00),
        "beta:0.95": Figure(0.00), "beta:0.9": Figure(0.00),
      ], facts: [:]
    ),
    (
      samples: 4,
      math: [
        "decided": Figure(0.13), "beta:0.99": Figure(0.00),
        "beta:0.95": Figure(0.00), "beta:0.9": Figure(0.13),
      ], facts: [:]
    ),
    (
      samples: 6,
      math: [
        "decided": Figure(0.20), "beta:0.99": Figure(0.00),
        "beta:0.95": Figure(0.16), "beta:0.9": Figure(0.27),
      ], facts: [:]
    ),
    (
      samples: 8,
      math: [
        "decided": Figure(0.24), "beta:0.99": Figure(0.11),
        "beta:0.95": Figure(0.25), "beta:0.9": Figure(0.36, 0.782 / 0.783, error: 0.001),
      ], facts: [:]
    ),
    (
      samples: 12,
      math: [
        "decided": Figure(0.27), "beta:0.99": Figure(0.22),
        "beta:0.95": Figure(0.37), "beta:0.9": Figure(0.48, 0.796 / 0.797, error: 0.001),
      ], facts: [:]
    ),
    (
      samples: 16,
      math: [
        "decided": Figure(0.29), "beta:0.99": Figure(0.30),
        "beta:0.95": Figure(0.45), "beta:0.9": Figure(0.55, 0.818 / 0.82, error: 0.001),
      ], facts: ["decided": Figure(0.14), "beta:0.95": Figure(0.15)]
    ),
  ]

  /// Forced thoughts of 384 tokens, probed ten times: 93.5 % without a rule.
  private static let thoughts: [String: Figure] = [
    "stable:2": Figure(0.70, 0.722 / 0.935, error: 0.031),
    "stable:3": Figure(0.56, 0.808 / 0.935, error: 0.027),
    "stable:4": Figure(0.40, 0.912 / 0.935, error: 0.014),
  ]
}
