/// How long a model thinks before it has to answer, and what is put into its text to hold it to
/// that.
///
/// The budget T counts every token after the prompt that belongs to the thought: tags and put-in
/// words included, the cue and the answer not. Once T is reached while the model still thinks, the
/// cue is injected and the answer follows (budget forcing: arXiv:2501.19393, section 3;
/// arXiv:2510.10964, section 3).
public struct ThinkingBudget: Sendable, Hashable, Codable {
  /// What happens when the model wants to end its thought before T.
  public enum LowerBound: Sendable, Hashable, Codable {
    /// It may.
    case none
    /// It never may: every end is replaced by `wait` until T is reached (arXiv:2510.10964).
    case budget
    /// Its first so many ends are replaced by `wait` (s1's ignored ends, arXiv:2501.19393).
    case ends(Int)
  }

  /// What ends an answer that follows the cue, besides its limit.
  public enum AnswerEnd: String, Sendable, Hashable, Codable {
    /// The brace that matches the one the cue ends with, or a stop token.
    case closingBrace
    /// A stop token alone.
    case stopToken
  }

  /// T, the most tokens of thought.
  public private(set) var tokens: Int
  /// Whether the model may think less.
  public let lowerBound: LowerBound
  /// Whether the lower bound replaces the tag that ends a thought too, or stop tokens alone (the
  /// paper read literally).
  public let interceptsThinkEnd: Bool
  /// What takes the place of an end that comes too early; cut where T is reached.
  public let wait: [Int32]
  /// What is injected once T is reached, and demands the answer.
  public let cue: [Int32]
  /// What ends the answer.
  public let answerEnd: AnswerEnd
  /// Most tokens of the answer after the cue.
  public let answerLimit: Int

  /// The largest T and the largest limit of an answer; sums of them cannot overflow.
  public static let longest = 1 << 30

  /// A checked budget.
  ///
  /// - Throws: `GenerationError.invalidOption` for a number out of range and for words that are
  ///   needed and missing.
  public init(
    tokens: Int, lowerBound: LowerBound = .none, interceptsThinkEnd: Bool = true, wait: [Int32],
    cue: [Int32], answerEnd: AnswerEnd = .closingBrace, answerLimit: Int = 64
  ) throws(GenerationError) {
    for (name, value) in [("think-budget", tokens), ("answer-tokens", answerLimit)] {
      guard (1...Self.longest).contains(value) else {
        throw .invalidOption(name: name, value: "\(value)", expected: "1 to \(Self.longest)")
      }
    }
    if case .ends(let count) = lowerBound, count < 1 {
      throw .invalidOption(name: "waits", value: "\(count)", expected: "at least 1")
    }
    guard lowerBound == .none || !wait.isEmpty else {
      throw .invalidOption(name: "wait", value: "empty", expected: "at least one token")
    }
    guard !cue.isEmpty else {
      throw .invalidOption(name: "cue", value: "empty", expected: "at least one token")
    }
    self.tokens = tokens
    self.lowerBound = lowerBound
    self.interceptsThinkEnd = interceptsThinkEnd
    self.wait = wait
    self.cue = cue
    self.answerEnd = answerEnd
    self.answerLimit = answerLimit
  }

  /// Reads a budget and checks it.
  ///
  /// - Throws: `DecodingError`, or `GenerationError.invalidOption` as the other initializer does.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      tokens: values.decode(Int.self, forKey: .tokens),
      lowerBound: values.decode(LowerBound.self, forKey: .lowerBound),
      interceptsThinkEnd: values.decode(Bool.self, forKey: .interceptsThinkEnd),
      wait: values.decode([Int32].self, forKey: .wait),
      cue: values.decode([Int32].self, forKey: .cue),
      answerEnd: values.decode(AnswerEnd.self, forKey: .answerEnd),
      answerLimit: values.decode(Int.self, forKey: .answerLimit))
  }

  /// The same budget with a smaller T; `tokens` must be at least 1 and at most this one's.
  func shortened(to tokens: Int) -> ThinkingBudget {
    var budget = self
    budget.tokens = tokens
    return budget
  }
}
