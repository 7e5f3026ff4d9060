/// When tokens leave full precision.
public enum KVRule: String, Sendable, Hashable, Codable, CaseIterable {
  /// Keys and values of a group of tokens, or of a page where that is less, as soon as the residual
  /// is newer than them.
  case blocks
  /// As in KIVI's code (arXiv:2402.02750): keys as soon as there are as many without codes as the
  /// residual has tokens, values one token at a time as soon as the residual is newer.
  case kivi

  /// Of the first `tokens` tokens, those with codes; `step` of them are rounded together.
  public func coded(of tokens: Int, residual: Int, step: Int) -> CodedTokens {
    let old = max(0, tokens - residual)
    switch self {
    case .blocks: return CodedTokens(keys: old / step * step, values: old / step * step)
    case .kivi: return CodedTokens(keys: tokens / residual * residual, values: old)
    }
  }

  /// Why tokens cannot pass through `tiers` by this rule, or nil if they can.
  func problem(_ tiers: [KVTier]) -> String? {
    guard self == .kivi else { return nil }
    guard tiers.count == 2 else {
      return "the rule kivi is for one quantized format behind the recent tokens"
    }
    return tiers[0].tokens == 0 ? "the rule kivi needs a residual of at least a group" : nil
  }
}

/// How many tokens, from the first, have their keys and their values as codes.
public struct CodedTokens: Sendable, Hashable {
  /// Tokens whose keys are codes.
  public var keys: Int
  /// Tokens whose values are codes.
  public var values: Int

  /// So many of each.
  public init(keys: Int, values: Int) {
    self.keys = keys
    self.values = values
  }

  /// Those of one half.
  public subscript(half: PageHalf) -> Int { half == .keys ? keys : values }

  /// None.
  public static let zero = CodedTokens(keys: 0, values: 0)

  /// Those of the page `index`, counted from its first token.
  public func inPage(_ index: Int) -> CodedTokens {
    func clamp(_ tokens: Int) -> Int {
      min(max(tokens - index * PageLayout.tokens, 0), PageLayout.tokens)
    }
    return CodedTokens(keys: clamp(keys), values: clamp(values))
  }
}
