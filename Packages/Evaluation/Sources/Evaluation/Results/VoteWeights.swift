import Foundation

/// What the votes of replies weigh.
public enum VoteWeights: Sendable, Hashable {
  /// All the same.
  case equal
  /// As much as the model was sure of its reply where it was least sure: e to the power of the
  /// lowest mean log-probability of `window` tokens in a row, which is between 0 and 1 (the
  /// "lowest group confidence" of DeepConf, Fu et al., arXiv:2508.15260, of the tokens drawn).
  case confidence(window: Int)

  /// The window where nobody says another one.
  public static let standardWindow = 32

  /// Reads `equal`, `confidence`, or `confidence:` and a number of tokens; nil for anything else.
  public init?(parsing text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    switch (parts.first, parts.count) {
    case ("equal", 1): self = .equal
    case ("confidence", 1): self = .confidence(window: Self.standardWindow)
    case ("confidence", 2):
      guard let window = Int(parts[1]), (1...1 << 20).contains(window) else { return nil }
      self = .confidence(window: window)
    default: return nil
    }
  }

  /// The tokens in a row that a mean is taken over; nil where none is.
  public var window: Int? {
    if case .confidence(let window) = self { return window }
    return nil
  }

  /// What a reply weighs.
  ///
  /// - Parameter lowestLogprob: its lowest mean log-probability; nil for a reply of no drawn token.
  /// - Returns: A number from 0 to 1.
  public func weight(_ lowestLogprob: Double?) -> Double {
    self == .equal ? 1 : lowestLogprob.map { min(1, exp($0)) } ?? 0
  }
}

extension VoteWeights: CustomStringConvertible {
  /// As it is parsed.
  public var description: String { window.map { "confidence:\($0)" } ?? "equal" }
}
