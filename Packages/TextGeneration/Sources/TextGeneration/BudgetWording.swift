/// The words of a thinking budget; an application turns them into tokens.
public enum BudgetWording: String, Sendable, Hashable, Codable, CaseIterable {
  /// The start of a boxed answer, which ends at its closing brace (arXiv:2510.10964). The thought
  /// stays open, as the paper does not say that it is closed, unless asked for.
  case finalAnswer = "final-answer"
  /// Qwen's sentence, which closes the thought; a free answer follows (QwenLM/Qwen3, thinking
  /// budget guide).
  case earlyStop = "early-stop"

  /// What replaces an end of thought that comes too early, without a space or newline around it.
  public static let wait = "Wait"
  /// What closes a thought before the cue, where asked for.
  public static let closing = "\n</think>\n\n"

  /// What demands the answer.
  public var cue: String {
    switch self {
    case .finalAnswer: "**Final Answer**\n\\boxed{"
    case .earlyStop:
      "\n\nConsidering the limited time by the user, I have to give the solution based on the "
        + "thinking directly now.\n</think>\n\n"
    }
  }

  /// What ends the answer.
  public var answerEnd: ThinkingBudget.AnswerEnd {
    self == .finalAnswer ? .closingBrace : .stopToken
  }

  /// Most tokens of the answer when nothing else is said: what a boxed answer or a short
  /// explanation takes.
  public var answerLimit: Int { self == .finalAnswer ? 64 : 1024 }
}

extension ThinkingBudget {
  /// A checked budget in these words.
  ///
  /// - Parameters:
  ///   - tokens: T, the most tokens of thought.
  ///   - lowerBound: whether the model may think less.
  ///   - interceptsThinkEnd: whether the lower bound replaces the tag that ends a thought too.
  ///   - wording: the words.
  ///   - closesThought: whether `\n</think>\n\n` comes before the cue; it never does before one
  ///     that closes the thought itself.
  ///   - answerLimit: most tokens of the answer; nil for the wording's own.
  ///   - encode: turns text into tokens, adding none of its own.
  /// - Throws: `GenerationError.invalidOption`.
  public init(
    tokens: Int, lowerBound: LowerBound = .none, interceptsThinkEnd: Bool = true,
    wording: BudgetWording = .finalAnswer, closesThought: Bool = false, answerLimit: Int? = nil,
    encode: (String) -> [Int32]
  ) throws(GenerationError) {
    let closing = closesThought && wording == .finalAnswer ? encode(BudgetWording.closing) : []
    try self.init(
      tokens: tokens, lowerBound: lowerBound, interceptsThinkEnd: interceptsThinkEnd,
      wait: encode(BudgetWording.wait),
      cue: closing + encode(wording.cue), answerEnd: wording.answerEnd,
      answerLimit: answerLimit ?? wording.answerLimit)
  }
}
