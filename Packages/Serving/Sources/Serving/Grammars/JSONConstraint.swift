import Synchronization
import TextGeneration
import Tokenizer

/// The bytes of a vocabulary's tokens, in the order of the bytes, so that tokens that begin alike stand together.
final class TokenBytes: Sendable {
  let ids: [Int32]
  let bytes: [[UInt8]]
  /// Bytes that each token shares with the one before it.
  let shared: [Int]
  let vocabulary: Int

  init(_ tokenizer: TextTokenizer) {
    vocabulary = tokenizer.vocabularySize
    let tokens = (0..<Int32(vocabulary)).map { ($0, tokenizer.bytes(of: $0)) }
      .filter { !$1.isEmpty && !tokenizer.specialIDs.contains($0) }
      .sorted { $0.1.lexicographicallyPrecedes($1.1) }
    ids = tokens.map(\.0)
    bytes = tokens.map(\.1)
    shared = tokens.indices.map { index in
      index == 0 ? 0 : zip(tokens[index].1, tokens[index - 1].1).prefix { $0 == $1 }.count
    }
  }
}

/// A grammar over a vocabulary: which tokens may follow a state.
final class TokenGrammar: Sendable {
  let grammar: JSONGrammar
  let tokens: TokenBytes
  private let masks = Mutex<[JSONGrammar.State: [UInt64]]>([:])
  private static let mostMasks = 256

  init(_ grammar: JSONGrammar, _ tokens: TokenBytes) {
    self.grammar = grammar
    self.tokens = tokens
  }

  /// A bit for every token all of whose bytes the grammar allows after a state.
  func mask(_ state: JSONGrammar.State) -> [UInt64] {
    if let mask = masks.withLock({ $0[state] }) { return mask }
    var mask = [UInt64](repeating: 0, count: (tokens.vocabulary + 63) / 64)
    // States after each byte of the token before; from `dead` bytes on there are none.
    var path = [state]
    var dead = Int.max
    for (index, bytes) in tokens.bytes.enumerated() {
      let common = tokens.shared[index]
      if common >= dead { continue }
      dead = .max
      path.removeSubrange(min(common + 1, path.count)...)
      for byte in bytes[common...] {
        let next = grammar.step(path[path.count - 1], byte)
        if next.isEmpty {
          dead = path.count
          break
        }
        path.append(next)
      }
      if dead == .max {
        let id = Int(tokens.ids[index])
        mask[id >> 6] |= 1 << (id & 63)
      }
    }
    masks.withLock { masks in
      if masks.count >= Self.mostMasks { masks = [:] }
      masks[state] = mask
    }
    return mask
  }
}

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
  private var state: JSONGrammar.State

  /// The constraint of the text that follows a prompt; `thinks` says whether a thought may come first.
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
    if state == grammar.grammar.start, bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0A }) { return }
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
    var mask = grammar.mask(state)
    func allow(_ id: Int32) {
      if id >= 0, Int(id) >> 6 < mask.count { mask[Int(id) >> 6] |= 1 << (Int(id) & 63) }
    }
    if part == .start, let tags { allow(tags.open) }
    if JSONGrammar.isComplete(state) || mask.allSatisfy({ $0 == 0 }) { stopTokens.forEach(allow) }
    return mask
  }
}
