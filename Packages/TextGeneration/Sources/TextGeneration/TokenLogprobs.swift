import DecoderModels
import KVCaches

/// How likely a token was where it stands, by the model itself: before temperature and filters.
public struct TokenLogprob: Sendable, Hashable {
  /// A token and the natural logarithm of its probability.
  public struct Choice: Sendable, Hashable {
    /// The token's id.
    public let id: Int32
    /// The natural logarithm of its probability.
    public let logprob: Double
  }

  /// The token that stands there.
  public let chosen: Choice
  /// The likeliest tokens, the likeliest first; of equals the lowest id.
  public let top: [Choice]

  /// How likely a token is by logits `[vocabulary]`, and the `top` likeliest.
  ///
  /// - Throws: `GenerationError.nonFiniteLogits` naming `step`, also for a token that has no logit.
  init(
    of token: Int32, in logits: UnsafeBufferPointer<Float>, top: Int, step: Int
  ) throws(GenerationError) {
    guard logits.allSatisfy(\.isFinite), logits.indices.contains(Int(token)) else {
      throw .nonFiniteLogits(step: step)
    }
    let sum = LogSumExp.of(logits, largest: LogSumExp.largest(of: logits))
    var likeliest: [Candidate] = []
    for id in logits.indices where top > 0 {
      let candidate = Candidate(logit: logits[id], id: id)
      if likeliest.count == top, let last = likeliest.last {
        if candidate < last { continue }
        likeliest.removeLast()
      }
      likeliest.insert(candidate, at: likeliest.firstIndex { $0 < candidate } ?? likeliest.count)
    }
    func choice(_ id: Int) -> Choice {
      Choice(id: Int32(id), logprob: Double(logits[id]) - sum)
    }
    chosen = choice(Int(token))
    self.top = likeliest.map { choice(Int($0.id)) }
  }
}

extension ForwardPass {
  /// The log-probabilities of `tokens` after `prompt`, with the `top` likeliest at each place.
  ///
  /// The tokens pass through the model once more; a decoder's logits do not depend on how its
  /// tokens are cut into runs, so these are the ones that they were drawn from, as long as no
  /// eviction is at work.
  ///
  /// - Throws: `GenerationError.nonFiniteLogits`, `.model` for what the pass objects to, or
  ///   `.cache` where the model's heads cannot be kept as `kv` says.
  public func logprobs(
    of tokens: [Int32], after prompt: [Int32], top: Int, kv: KVPolicy = .full
  ) throws(GenerationError) -> [TokenLogprob] {
    guard !prompt.isEmpty, !tokens.isEmpty else { return [] }
    var text: TextLogits
    do throws(KVPolicyError) {
      text = try TextLogits(self, of: prompt + tokens.dropLast(), kv: kv)
    } catch {
      throw .cache(error)
    }
    try text.skip(prompt.count - 1)
    var found: [TokenLogprob] = []
    while found.count < tokens.count {
      let rows = try text.next()
      let width = decoder.shape.vocabularySize
      try rows.withUnsafeBufferPointer { (rows) throws(GenerationError) in
        for start in stride(from: 0, to: rows.count, by: width) {
          let row = UnsafeBufferPointer(rebasing: rows[start..<start + width])
          found.append(
            try TokenLogprob(of: tokens[found.count], in: row, top: top, step: found.count))
        }
      }
    }
    return found
  }
}
