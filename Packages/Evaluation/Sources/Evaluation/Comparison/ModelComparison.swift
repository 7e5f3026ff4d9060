import Foundation

/// How far one model's predictions are from another's on the same text.
public struct ModelComparison: Sendable, Hashable, Codable {
  /// Tokens that were predicted and scored.
  public let tokens: Int
  /// Windows they are from.
  public let windows: Int
  /// Perplexity of the reference: exp of its mean negative log-likelihood.
  public let referencePerplexity: Estimate
  /// Perplexity of the candidate.
  public let candidatePerplexity: Estimate
  /// ln(candidate's perplexity / reference's), paired token by token, so that the text's difficulty
  /// is not in its standard error.
  public let logRatio: Estimate
  /// Mean Kullback-Leibler divergence KL(reference || candidate) of the next token's distributions,
  /// in nats.
  public let divergence: Estimate
  /// 99.9 percentile of that divergence over tokens.
  public let highDivergence: Quantile
  /// Share of tokens at which both models' likeliest token is the same.
  public let agreement: Estimate
}

/// A quantile of many values with its uncertainty.
public struct Quantile: Sendable, Hashable, Codable {
  /// The smallest value that at least the wanted share of values does not exceed.
  public let value: Double
  /// Its standard error, as if values were independent: half the distance between the quantiles one
  /// standard error of the share away (Woodruff 1952). Nil where there are too few values to have
  /// both.
  public let standardError: Double?

  /// The quantile of `values` at `share`, which must be from 0 to 1; 0 for no values.
  init(of values: [Double], at share: Double) {
    let sorted = values.sorted()
    let count = Double(sorted.count)
    func rank(_ share: Double) -> Double? {
      let place = Int((share * count).rounded(.up)) - 1
      return sorted.indices.contains(place) ? sorted[place] : nil
    }
    value = rank(share) ?? sorted.first ?? 0
    let spread = count > 0 ? (share * (1 - share) / count).squareRoot() : 0
    let ends = rank(share - spread).flatMap { low in
      share + spread < 1 ? rank(share + spread).map { (low, $0) } : nil
    }
    standardError = ends.map { ($0.1 - $0.0) / 2 }
  }
}

extension Estimate {
  /// The mean over all members of clusters of unequal size, with the clusters as the independent
  /// draws: the ratio estimator's standard error (Cochran, Sampling Techniques, section 2.11).
  ///
  /// - Returns: Nil where no cluster has members.
  init?(clusters: [(sum: Double, count: Int)]) {
    let used = clusters.filter { $0.count > 0 }
    let members = Double(used.reduce(0) { $0 + $1.count })
    guard members > 0 else { return nil }
    let mean = used.reduce(0) { $0 + $1.sum } / members
    let draws = Double(used.count)
    let squares = used.reduce(0.0) { sum, cluster in
      let residual = cluster.sum - mean * Double(cluster.count)
      return sum + residual * residual
    }
    self.init(
      value: mean,
      standardError: draws > 1 ? (squares * draws / (draws - 1)).squareRoot() / members : nil,
      items: used.count)
  }

  /// exp of this estimate, with its standard error by the delta method.
  var exponential: Estimate {
    let power = exp(value)
    return Estimate(value: power, standardError: standardError.map { power * $0 }, items: items)
  }
}
