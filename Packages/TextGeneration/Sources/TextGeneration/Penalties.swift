/// What makes tokens less likely that stand in the text already.
///
/// Applied to the logits before temperature and filters, also where the likeliest token is taken.
public struct Penalties: Sendable, Hashable, Codable {
  /// Divides the positive logits of tokens of prompt and text, and multiplies the negative ones; 1
  /// changes nothing. (Keskar et al., arXiv:1909.05858; `repetition_penalty` of transformers.)
  public var repetition: Float = 1
  /// Taken from the logits of tokens of the text, however often they stand there; 0 changes
  /// nothing.
  public var presence: Float = 0
  /// Taken from the logits of tokens of the text, times how often they stand there; 0 changes
  /// nothing.
  public var frequency: Float = 0
  /// No sequence of so many tokens comes twice in prompt and text; 0 changes nothing.
  /// (`no_repeat_ngram_size` of transformers.)
  public var noRepeatNgram = 0

  /// Penalties that change nothing.
  public init() {}

  /// Whether they change nothing.
  public var changeNothing: Bool { self == Penalties() }

  /// - Throws: `GenerationError.invalidOption` naming the penalty and its range.
  func check() throws(GenerationError) {
    guard repetition > 0, repetition.isFinite else {
      throw .invalidOption(
        name: "repeat-penalty", value: "\(repetition)", expected: "a number above 0")
    }
    for (name, value) in [("presence-penalty", presence), ("frequency-penalty", frequency)]
    where !value.isFinite {
      throw .invalidOption(name: name, value: "\(value)", expected: "a number")
    }
    guard noRepeatNgram >= 0 else {
      throw .invalidOption(
        name: "no-repeat-ngram", value: "\(noRepeatNgram)", expected: "at least 0")
    }
  }
}

extension Penalties: CustomStringConvertible {
  /// Those that change something.
  public var description: String {
    var parts: [String] = []
    if repetition != 1 { parts.append("repeat-penalty \(repetition)") }
    if presence != 0 { parts.append("presence-penalty \(presence)") }
    if frequency != 0 { parts.append("frequency-penalty \(frequency)") }
    if noRepeatNgram != 0 { parts.append("no-repeat-ngram \(noRepeatNgram)") }
    return parts.isEmpty ? "no penalties" : parts.joined(separator: ", ")
  }
}

/// The tokens that stand before the one to be drawn.
public struct TokenHistory: Sendable {
  /// The prompt's tokens.
  public let prompt: [Int32]
  /// The text's tokens.
  public let tokens: [Int32]

  /// A history; empty ones are penalized by nothing.
  public init(prompt: [Int32] = [], tokens: [Int32] = []) {
    self.prompt = prompt
    self.tokens = tokens
  }
}

/// Applies penalties to logits. Keeps working memory between draws; one thread uses it.
final class PenaltyTable {
  /// How often each token stands in the text, all 0 between draws.
  private var counts: [Int32] = []
  private var logits: [Float] = []

  /// The logits `[vocabulary]` with `penalties`, in time linear in history and vocabulary.
  func apply(
    _ penalties: Penalties, _ history: TokenHistory, to source: UnsafeBufferPointer<Float>
  ) -> [Float] {
    logits.removeAll(keepingCapacity: true)
    logits.append(contentsOf: source)
    penalizeCounts(penalties, history)
    if penalties.noRepeatNgram > 0 { banRepeats(history, length: penalties.noRepeatNgram) }
    return logits
  }

  private func penalizeCounts(_ penalties: Penalties, _ history: TokenHistory) {
    if counts.count < logits.count {
      counts += repeatElement(0, count: logits.count - counts.count)
    }
    let limit = logits.count
    func indices(_ tokens: [Int32]) -> some Sequence<Int> {
      tokens.lazy.map(Int.init).filter { $0 >= 0 && $0 < limit }
    }
    for id in indices(history.tokens) { counts[id] += 1 }
    // The text's tokens first: each is done with when its count is back at 0.
    for id in indices(history.tokens) where counts[id] > 0 {
      repeatOnce(id, penalties)
      logits[id] -= penalties.presence + penalties.frequency * Float(counts[id])
      counts[id] = -1
    }
    for id in indices(history.prompt) where counts[id] == 0 {
      repeatOnce(id, penalties)
      counts[id] = -1
    }
    for id in indices(history.tokens) { counts[id] = 0 }
    for id in indices(history.prompt) { counts[id] = 0 }
  }

  private func repeatOnce(_ id: Int, _ penalties: Penalties) {
    let logit = logits[id]
    logits[id] = logit < 0 ? logit * penalties.repetition : logit / penalties.repetition
  }

  /// Tokens that would complete a sequence of `length` tokens that stands in the history get no
  /// chance, unless none would be left.
  private func banRepeats(_ history: TokenHistory, length: Int) {
    let backwards = [Int32]((history.prompt + history.tokens).reversed())
    guard backwards.count >= length else { return }
    let common = Self.commonBeginnings(backwards)
    let before = logits
    for place in 1...backwards.count where common[place] >= length - 1 {
      let id = Int(backwards[place - 1])
      if logits.indices.contains(id) { logits[id] = -.greatestFiniteMagnitude }
    }
    if !logits.contains(where: { $0 > -.greatestFiniteMagnitude }) { logits = before }
  }

  /// For each place how many tokens from there on are those from the start on, the end's included.
  ///
  /// The Z algorithm (Gusfield, Algorithms on Strings, Trees, and Sequences, section 1.4): linear
  /// also where all tokens are the same.
  private static func commonBeginnings(_ tokens: [Int32]) -> [Int] {
    var lengths = [Int](repeating: 0, count: tokens.count + 1)
    // The stretch known to be a beginning that reaches furthest.
    var known = 0..<0
    for place in tokens.indices.dropFirst() {
      var length =
        place < known.upperBound
        ? min(lengths[place - known.lowerBound], known.upperBound - place) : 0
      while place + length < tokens.count, tokens[length] == tokens[place + length] { length += 1 }
      lengths[place] = length
      if place + length > known.upperBound { known = place..<place + length }
    }
    return lengths
  }
}
