import Foundation

/// Takes the logits of two models over the same text, token by token, and says how far the second
/// is from the first.
///
/// The text is cut into windows, each read from an empty context. Tokens of one window depend on
/// each other, so windows, not tokens, are the independent draws of all standard errors. Keeps
/// three numbers a window and one a token, never logits.
public struct LogitComparison: Sendable {
  /// Sums over the tokens of one window.
  private struct Window {
    var reference = 0.0
    var candidate = 0.0
    var divergence = 0.0
    var agreements = 0.0
    var count = 0
  }

  private var windows: [Window] = []
  private var divergences: [Double] = []

  /// A comparison of nothing yet.
  public init() {}

  /// Begins the next window of text.
  public mutating func beginWindow() { windows.append(Window()) }

  /// Takes what both models say about one place of the text.
  ///
  /// - Parameters:
  ///   - reference: logits `[vocabulary]` of the model that is taken to be right.
  ///   - candidate: logits `[vocabulary]` of the other one.
  ///   - next: the token that the text has there.
  /// - Throws: ``EvaluationError/notComparable(reason:)`` for vocabularies of different sizes, a
  ///   token outside of them and logits that are not finite.
  public mutating func add(
    reference: UnsafeBufferPointer<Float>, candidate: UnsafeBufferPointer<Float>, next: Int
  ) throws(EvaluationError) {
    guard reference.count == candidate.count else {
      throw .notComparable(
        reason: "the models have vocabularies of \(reference.count) and \(candidate.count) tokens")
    }
    guard reference.indices.contains(next) else {
      throw .notComparable(
        reason: "token \(next) of the text is outside of the vocabulary of \(reference.count)")
    }
    if windows.isEmpty { beginWindow() }
    let (one, two) = (Peak(reference), Peak(candidate))
    // KL = sum p (ln p - ln q) = sum p (a - b) - ln Za + ln Zb, with p = exp(a) / Za.
    var (total, other, weighted) = (0.0, 0.0, 0.0)
    for index in reference.indices {
      let (a, b) = (Double(reference[index]), Double(candidate[index]))
      let weight = exp(a - one.value)
      total += weight
      other += exp(b - two.value)
      weighted += weight * (a - b)
    }
    let (logTotal, logOther) = (one.value + log(total), two.value + log(other))
    let divergence = weighted / total - logTotal + logOther
    guard divergence.isFinite else {
      throw .notComparable(
        reason: "logits that are not finite at scored token \(divergences.count + 1) of the text")
    }
    let last = windows.count - 1
    windows[last].reference += logTotal - Double(reference[next])
    windows[last].candidate += logOther - Double(candidate[next])
    windows[last].divergence += max(0, divergence)
    windows[last].agreements += one.index == two.index ? 1 : 0
    windows[last].count += 1
    divergences.append(max(0, divergence))
  }

  /// What was found.
  ///
  /// - Throws: ``EvaluationError/notComparable(reason:)`` when there was no token to score.
  public func result() throws(EvaluationError) -> ModelComparison {
    func mean(_ sum: (Window) -> Double) -> Estimate? {
      Estimate(clusters: windows.map { (sum: sum($0), count: $0.count) })
    }
    guard let reference = mean(\.reference), let candidate = mean(\.candidate),
      let difference = mean({ $0.candidate - $0.reference }),
      let divergence = mean(\.divergence), let agreement = mean(\.agreements)
    else { throw .notComparable(reason: "the text has no token to score; two at least are needed") }
    return ModelComparison(
      tokens: divergences.count, windows: windows.count { $0.count > 0 },
      referencePerplexity: reference.exponential, candidatePerplexity: candidate.exponential,
      logRatio: difference, divergence: divergence,
      highDivergence: Quantile(of: divergences, at: 0.999), agreement: agreement)
  }
}

/// The largest logit and its place, the first of equals.
private struct Peak {
  var value = -Double.infinity
  var index = 0

  init(_ logits: UnsafeBufferPointer<Float>) {
    var largest = -Float.infinity
    for place in logits.indices where logits[place] > largest {
      largest = logits[place]
      index = place
    }
    value = Double(largest)
  }
}
