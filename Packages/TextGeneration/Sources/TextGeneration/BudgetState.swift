/// Follows one text under a thinking budget: takes each drawn token and says what becomes of it.
///
/// What it says depends on the tokens taken alone, so a smaller budget says the same until it is
/// used up.
public struct BudgetState: Sendable {
  /// What to do, in order, after a token was drawn.
  public enum Action: Sendable, Hashable {
    /// Append the drawn token.
    case emit(Int32)
    /// Append these in place of the drawn token: it would have ended the thought too early.
    case wait([Int32])
    /// Append these: the budget is used up.
    case cue([Int32])
    /// The text is complete.
    case finish(FinishReason)
  }

  private enum Phase {
    case thinking
    /// The model ended its thought itself.
    case answering
    /// The cue was injected.
    case concluding
  }

  /// The budget that is followed.
  public private(set) var budget: ThinkingBudget
  /// Tokens of the thought so far, injected ones included; never more than the budget.
  public private(set) var thoughtTokens = 0
  /// Those of them that were injected.
  public private(set) var waitTokens = 0
  /// Tokens of the cue; 0 until it is injected.
  public private(set) var cueTokens = 0
  /// Tokens of the answer so far.
  public private(set) var answerTokens = 0

  private let thinkEnd: Int32?
  private let stopTokens: Set<Int32>
  private var phase = Phase.thinking
  private var replacedEnds = 0
  private var braces = BraceDepth()

  /// The state at the start of a text.
  ///
  /// - Parameters:
  ///   - budget: what to hold the text to.
  ///   - thinkEnd: the tag that ends a thought; nil for models without.
  ///   - stopTokens: tokens that end the text.
  public init(_ budget: ThinkingBudget, thinkEnd: Int32?, stopTokens: Set<Int32>) {
    self.budget = budget
    self.thinkEnd = thinkEnd
    self.stopTokens = stopTokens
  }

  /// Whether the cue was injected.
  public var isConcluding: Bool { phase == .concluding }

  /// Takes the token drawn next.
  ///
  /// - Parameters:
  ///   - token: the token.
  ///   - text: the text of a token; asked for in answers after a cue only.
  /// - Returns: what to do; nothing may be taken after `.finish`.
  public mutating func take(_ token: Int32, text: (Int32) -> String) -> [Action] {
    let isStop = stopTokens.contains(token)
    switch phase {
    case .thinking:
      return think(token, isStop: isStop)
    case .answering:
      if isStop { return [.finish(.stop)] }
      answerTokens += 1
      return [.emit(token)]
    case .concluding:
      if isStop { return [.finish(.budget)] }
      answerTokens += 1
      if budget.answerEnd == .closingBrace, braces.closes(in: text(token)) {
        return [.emit(token), .finish(.budget)]
      }
      return answerTokens < budget.answerLimit
        ? [.emit(token)] : [.emit(token), .finish(.length)]
    }
  }

  private mutating func think(_ token: Int32, isStop: Bool) -> [Action] {
    let isThinkEnd = token == thinkEnd
    if isStop || (isThinkEnd && budget.interceptsThinkEnd), replacesNextEnd {
      let words = Array(budget.wait.prefix(budget.tokens - thoughtTokens))
      replacedEnds += 1
      waitTokens += words.count
      thoughtTokens += words.count
      return [.wait(words)] + conclusion()
    }
    if isStop { return [.finish(.stop)] }
    thoughtTokens += 1
    if isThinkEnd, budget.lowerBound != .budget {
      phase = .answering
      return [.emit(token)]
    }
    return [.emit(token)] + conclusion()
  }

  private var replacesNextEnd: Bool {
    switch budget.lowerBound {
    case .none: false
    case .budget: true
    case .ends(let count): replacedEnds < count
    }
  }

  private mutating func conclusion() -> [Action] {
    guard thoughtTokens == budget.tokens else { return [] }
    phase = .concluding
    cueTokens = budget.cue.count
    return [.cue(budget.cue)]
  }

  /// The state of the same text under a smaller budget that is not used up yet.
  func shortened(to tokens: Int) -> BudgetState {
    var state = self
    state.budget = budget.shortened(to: tokens)
    return state
  }
}

/// Finds the brace that closes one already opened, across tokens; a backslash takes the meaning
/// from what follows it.
struct BraceDepth: Sendable {
  private var depth = 1
  private var isEscaped = false

  /// Reads on; true when the matching brace is in `text`.
  mutating func closes(in text: String) -> Bool {
    for byte in text.utf8 {
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "{") {
        depth += 1
      } else if byte == UInt8(ascii: "}") {
        depth -= 1
        if depth == 0 { return true }
      }
    }
    return false
  }
}
