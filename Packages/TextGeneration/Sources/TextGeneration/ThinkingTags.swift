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

  /// Tokens of `reply` that belong to its thought, tags included: all up to the last closing tag,
  /// everything where a thought was opened and not closed, nothing without one.
  public func thoughtLength(of reply: [Int32], after prompt: [Int32]) -> Int {
    if let end = reply.lastIndex(of: close) { return end + 1 }
    return reply.contains(open) || isOpen(after: prompt) ? reply.count : 0
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
    return isThinking ? .thought : .answer
  }

  /// Ends the thought where a cue for the answer is injected.
  public mutating func endThought() { isThinking = false }
}
