import TextGeneration

/// Keeps the answer of a text to a grammar; its thought is free.
struct JSONConstraint: TokenConstraint {
  private enum Part {
    /// The answer has not begun; a thought may.
    case start
    case thought
    case answer
  }

  private let grammar: TokenGrammar
  private let tags: ThinkingTags?
  private let stopTokens: Set<Int32>
  private let bytes: @Sendable (Int32) -> [UInt8]
  private var part: Part
  private var hasBlanks = false
  private var state: JSONGrammar.State

  /// The constraint of the text that follows a prompt; `thinks` says whether a thought may come
  /// first.
  init(
    _ grammar: TokenGrammar, _ model: ServedModel, prompt: [Int32], stopTokens: Set<Int32>,
    thinks: Bool
  ) {
    self.grammar = grammar
    self.stopTokens = stopTokens
    tags = model.tags
    let tokenizer = model.tokenizer
    bytes = { tokenizer.bytes(of: $0) }
    state = grammar.grammar.start
    part = model.tags?.isOpen(after: prompt) == true ? .thought : thinks ? .start : .answer
  }

  mutating func take(_ id: Int32) {
    if let tags, id == tags.open || id == tags.close {
      part = id == tags.open ? .thought : .answer
      return
    }
    guard part != .thought else { return }
    part = .answer
    let bytes = bytes(id)
    // Blank text that closes a thought comes before the answer.
    if state == grammar.grammar.start, bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0A }) {
      hasBlanks = true
      return
    }
    for byte in bytes { state = grammar.grammar.step(state, byte) }
  }

  func allowed() -> [UInt64]? {
    if part == .thought {
      // A text that ended within its thought would have no answer.
      var all = [UInt64](repeating: .max, count: (grammar.tokens.vocabulary + 63) / 64)
      for id in stopTokens where id >= 0 && Int(id) >> 6 < all.count {
        all[Int(id) >> 6] &= ~(1 << (Int(id) & 63))
      }
      return all
    }
    let isBehindBlanks = hasBlanks && state == grammar.grammar.start
    var mask = grammar.mask(isBehindBlanks ? grammar.grammar.startBehindBlanks : state)
    func set(_ id: Int32, _ isAllowed: Bool) {
      guard id >= 0, Int(id) >> 6 < mask.count else { return }
      mask[Int(id) >> 6] &= ~(1 << (Int(id) & 63))
      if isAllowed { mask[Int(id) >> 6] |= 1 << (Int(id) & 63) }
    }
    if let tags {
      // A tag is no text of the answer, whatever its letters are.
      set(tags.open, part == .start)
      set(tags.close, false)
    }
    if JSONGrammar.isComplete(state) || mask.allSatisfy({ $0 == 0 }) {
      for id in stopTokens { set(id, true) }
    }
    return mask
  }
}
