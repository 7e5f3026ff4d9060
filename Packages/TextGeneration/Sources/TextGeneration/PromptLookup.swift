import KVCaches

/// Proposes what followed the text's last tokens when they stood in prompt or text before (prompt
/// lookup, github.com/apoorvumang/prompt-lookup-decoding).
public struct PromptLookup: Proposer, Sendable {
  /// Last tokens that are looked for, at most and at least.
  public let lengths: ClosedRange<Int>

  /// Looks for the last tokens, from the longest number of them to the shortest.
  public init(lengths: ClosedRange<Int> = 2...4) { self.lengths = lengths }

  /// See `Proposer.propose`.
  public func propose(for texts: [ProposalRequest], meter: KVMeter) -> [[Int32]] {
    texts.map { propose(after: $0.tokens, most: $0.most) }
  }

  /// At most `most` tokens that may follow `tokens`.
  func propose(after tokens: [Int32], most: Int) -> [Int32] {
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
