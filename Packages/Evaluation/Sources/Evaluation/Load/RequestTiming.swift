/// When the tokens of one request came, in seconds since it was sent.
public struct RequestTiming: Sendable, Hashable {
  /// When pieces of the text came, ascending.
  public let arrivals: [Double]
  /// When the answer ended.
  public let end: Double
  /// Tokens of the prompt, as they were counted.
  public let promptTokens: Int
  /// Tokens of the text.
  public let tokens: Int

  /// A timing; an answer without any piece has its end as its first token.
  public init(arrivals: [Double], end: Double, promptTokens: Int, tokens: Int) {
    self.arrivals = arrivals
    self.end = end
    self.promptTokens = promptTokens
    self.tokens = tokens
  }

  /// Seconds to the first token.
  public var first: Double { arrivals.first ?? end }

  /// Seconds between one token and the next, on average behind the first; nil for fewer than two
  /// tokens. Pieces may hold several tokens, so that gaps between pieces alone would say too much.
  public var between: Double? {
    guard tokens > 1, let first = arrivals.first, let last = arrivals.last else { return nil }
    return (last - first) / Double(tokens - 1)
  }
}

/// The spread of some measurements.
public struct Quantiles: Sendable, Hashable, Codable {
  /// The arithmetic mean.
  public let mean: Double
  /// The median.
  public let p50: Double
  /// Nine of ten are no larger.
  public let p90: Double
  /// Nineteen of twenty are no larger.
  public let p95: Double
  /// Ninety-nine of a hundred are no larger.
  public let p99: Double

  /// The spread; nil without values. A quantile is the least value that the share of the values
  /// does not exceed (nearest rank).
  public init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    func quantile(_ share: Double) -> Double {
      let rank = Int((share * Double(sorted.count)).rounded(.up))
      return sorted[min(max(rank, 1), sorted.count) - 1]
    }
    mean = values.reduce(0, +) / Double(values.count)
    p50 = quantile(0.5)
    p90 = quantile(0.9)
    p95 = quantile(0.95)
    p99 = quantile(0.99)
  }
}
