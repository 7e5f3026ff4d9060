import Synchronization
import Tokenizer

/// The bytes of a vocabulary's tokens, in the order of the bytes, so that tokens that begin alike
/// stand together.
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

  private struct Known {
    var states: KnownStates
    var masks: [JSONGrammar.State: [UInt64]] = [:]
  }

  private let known: Mutex<Known>
  private static let mostMasks = 256
  init(_ grammar: JSONGrammar, _ tokens: TokenBytes) {
    self.grammar = grammar
    self.tokens = tokens
    known = Mutex(Known(states: KnownStates(grammar)))
  }

  /// A bit for every token all of whose bytes the grammar allows after a state.
  func mask(_ state: JSONGrammar.State) -> [UInt64] {
    known.withLock { known in
      if let mask = known.masks[state] { return mask }
      if known.masks.count >= Self.mostMasks { known.masks = [:] }
      if known.states.isFull { known.states = KnownStates(grammar) }
      let mask = mask(state, &known.states)
      known.masks[state] = mask
      return mask
    }
  }

  private func mask(_ state: JSONGrammar.State, _ states: inout KnownStates) -> [UInt64] {
    var mask = [UInt64](repeating: 0, count: (tokens.vocabulary + 63) / 64)
    // States after each byte of the token before; from `dead` bytes on there are none.
    var path = [states.number(of: state)]
    var dead = Int.max
    for (index, bytes) in tokens.bytes.enumerated() {
      let common = tokens.shared[index]
      if common >= dead { continue }
      dead = .max
      path.removeSubrange(min(common + 1, path.count)...)
      for byte in bytes[common...] {
        guard let next = states.step(path[path.count - 1], byte) else {
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
    return mask
  }
}

/// The states of a grammar that came up, by number: a step that was taken once is looked up.
struct KnownStates {
  private let grammar: JSONGrammar
  private var states: [JSONGrammar.State] = []
  private var numbers: [JSONGrammar.State: Int32] = [:]
  /// For each state and byte the number of the state behind it.
  private var next: [Int32] = []
  private static let (none, unknown): (Int32, Int32) = (-1, -2)

  init(_ grammar: JSONGrammar) { self.grammar = grammar }

  private var frames = 0

  /// Whether so much is known that it has to be forgotten.
  var isFull: Bool { states.count >= 4096 || frames >= 1 << 20 }

  /// The number of a state.
  mutating func number(of state: JSONGrammar.State) -> Int32 {
    if let number = numbers[state] { return number }
    let number = Int32(states.count)
    states.append(state)
    frames += state.reduce(0) { $0 + $1.frames.count + 4 }
    numbers[state] = number
    next += repeatElement(Self.unknown, count: 256)
    return number
  }

  /// The state behind a byte; nil where the byte is not allowed.
  mutating func step(_ number: Int32, _ byte: UInt8) -> Int32? {
    let place = Int(number) << 8 | Int(byte)
    if next[place] == Self.unknown {
      let state = grammar.step(states[Int(number)], byte)
      next[place] = state.isEmpty ? Self.none : self.number(of: state)
    }
    return next[place] == Self.none ? nil : next[place]
  }
}
