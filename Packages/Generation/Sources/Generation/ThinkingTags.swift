/// The tokens that open and close a model's thinking.
public struct ThinkingTags: Sendable, Hashable {
  /// `<think>`.
  public let open: Int32
  /// `</think>`.
  public let close: Int32

  /// Tags of a model.
  public init(open: Int32, close: Int32) {
    self.open = open
    self.close = close
  }

  /// Whether a prompt ends inside an open thought, as templates that open it themselves leave it.
  public func isOpen(after prompt: [Int32]) -> Bool {
    guard let last = prompt.lastIndex(where: { $0 == open || $0 == close }) else { return false }
    return prompt[last] == open
  }
}

/// Follows a text token by token and tells thought from answer.
public struct ThoughtTracker: Sendable {
  /// The part of a text that a token belongs to.
  public enum Part: Sendable, Hashable {
    case thought
    case answer
    /// A tag itself, shown to nobody.
    case tag
  }

  /// Tokens between the tags so far.
  public private(set) var thoughtTokens = 0
  /// Tokens outside the tags so far.
  public private(set) var answerTokens = 0
  private let tags: ThinkingTags?
  private var isThinking: Bool

  /// A tracker for the text that follows `prompt`; without tags everything is answer.
  public init(tags: ThinkingTags?, prompt: [Int32]) {
    self.tags = tags
    isThinking = tags?.isOpen(after: prompt) ?? false
  }

  /// Takes the next token of the text.
  public mutating func take(_ id: Int32) -> Part {
    if let tags, id == tags.open || id == tags.close {
      isThinking = id == tags.open
      return .tag
    }
    if isThinking {
      thoughtTokens += 1
      return .thought
    }
    answerTokens += 1
    return .answer
  }
}
