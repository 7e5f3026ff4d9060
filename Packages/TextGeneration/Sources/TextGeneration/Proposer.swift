/// Offers tokens that may follow a text, so that several are verified in one pass of the model.
///
/// What a batch draws is the token that it would have drawn without: random numbers belong to
/// positions, and a proposal is accepted where it is that token. So a proposer changes the speed of
/// a text and never the text.
public protocol Proposer: Sendable {
  /// At most `most` tokens that may follow `tokens`, prompt and text.
  func propose(after tokens: [Int32], most: Int) -> [Int32]
}

/// Proposes what followed the text's last tokens when they stood in prompt or text before (prompt
/// lookup, github.com/apoorvumang/prompt-lookup-decoding).
public struct PromptLookup: Proposer {
  /// Last tokens that are looked for, at most and at least.
  public let lengths: ClosedRange<Int>

  /// Looks for the last tokens, from the longest number of them to the shortest.
  public init(lengths: ClosedRange<Int> = 2...4) { self.lengths = lengths }

  /// See `Proposer.propose`.
  public func propose(after tokens: [Int32], most: Int) -> [Int32] {
    guard most > 0 else { return [] }
    return tokens.withUnsafeBufferPointer { tokens in
      for length in lengths.reversed() where length < tokens.count {
        let first = tokens.count - length
        // The latest place wins.
        for start in (0..<first).reversed() where tokens[start] == tokens[first] {
          guard (1..<length).allSatisfy({ tokens[start + $0] == tokens[first + $0] }) else {
            continue
          }
          return Array(tokens[(start + length)..<min(start + length + most, tokens.count)])
        }
      }
      return []
    }
  }
}

/// How much a sequence speculates: more where proposals are accepted, and seldom where they are
/// not, so that they cost little there.
struct Speculation {
  /// Tokens to propose.
  private(set) var length = 4
  /// Steps without proposals that are still to come.
  private var pause = 0
  private var misses = 0

  private static let longest = 16
  /// After so many proposals in a row that were wrong pauses grow no longer.
  private static let mostMisses = 6

  /// The tokens to propose in the next step.
  mutating func next() -> Int {
    if pause > 0 {
      pause -= 1
      return 0
    }
    return length
  }

  /// Takes in that `accepted` of `proposed` tokens were drawn.
  mutating func take(accepted: Int, of proposed: Int) {
    if accepted == 0 {
      misses = min(misses + 1, Self.mostMisses)
      pause = 1 << misses
      length = 2
    } else {
      misses = 0
      length = accepted == proposed ? min(2 * proposed, Self.longest) : accepted + 1
    }
  }
}
