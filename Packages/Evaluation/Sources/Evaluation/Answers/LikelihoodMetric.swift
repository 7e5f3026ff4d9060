import Foundation

/// How likely a model found one candidate.
public struct CandidateScore: Sendable, Hashable, Codable {
  /// The sum of the log-probabilities of its tokens, in nats.
  public var logprob: Double
  /// Its tokens.
  public var tokens: Int
  /// The characters by which its score may be divided.
  public var characters: Int
  /// Whether greedy decoding would write it.
  public var isGreedy: Bool

  private enum CodingKeys: String, CodingKey {
    case logprob, tokens, characters
    case isGreedy = "greedy"
  }

  /// Keeps the figures.
  public init(logprob: Double, tokens: Int, characters: Int, isGreedy: Bool) {
    self.logprob = logprob
    self.tokens = tokens
    self.characters = characters
    self.isGreedy = isGreedy
  }
}

/// How the likelihoods of an item's candidates become a score, as in EleutherAI's evaluation
/// harness.
public enum LikelihoodMetric: String, Sendable, Hashable, Codable, CaseIterable {
  /// The likeliest candidate is right.
  case accuracy = "acc"
  /// The candidate with the highest log-likelihood per character is right.
  case normalized = "acc_norm"
  /// The share of the right candidates in the probability of all of them (TruthfulQA's MC2).
  case mass = "mc2"

  /// What is found in the candidates' scores.
  ///
  /// - Parameters:
  ///   - candidates: Their scores, in the order shown.
  ///   - right: The places of the right ones.
  /// - Returns: The place chosen, whether it is right, and all scores by name; nil without
  ///   candidates.
  func grade(_ candidates: [CandidateScore], right: [Int]) -> Grade? {
    let sums = candidates.map(\.logprob)
    let perCharacter = candidates.map { $0.logprob / Double(max($0.characters, 1)) }
    guard let likeliest = Self.first(sums), let normalized = Self.first(perCharacter) else {
      return nil
    }
    var scores: [String: Double] = [:]
    let chosen: Int
    switch self {
    case .accuracy, .normalized:
      scores[Self.accuracy.rawValue] = right.contains(likeliest) ? 1 : 0
      scores[Self.normalized.rawValue] = right.contains(normalized) ? 1 : 0
      chosen = self == .accuracy ? likeliest : normalized
    case .mass:
      // Relative to the likeliest, so that no probability is too small to be held.
      let weights = sums.map { exp($0 - sums[likeliest]) }
      let all = weights.reduce(0, +)
      scores[Self.mass.rawValue] =
        right.reduce(0) {
          $0 + (weights.indices.contains($1) ? weights[$1] : 0)
        } / all
      chosen = likeliest
    }
    return Grade(
      extracted: "\(chosen)", step: nil, correct: right.contains(chosen), scores: scores)
  }

  /// The first place of the largest value.
  private static func first(_ values: [Double]) -> Int? {
    values.max().flatMap { values.firstIndex(of: $0) }
  }
}
