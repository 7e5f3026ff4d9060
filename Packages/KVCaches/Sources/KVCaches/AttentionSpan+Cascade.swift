import Kernels

extension AttentionSpan {
  /// Groups single tokens of sequences that branched from one another for shared-prefix (cascade)
  /// attention (as in Hydragen, arXiv 2402.05099): pages that all of a group begin with are read
  /// once for all, then each token attends to its own. The results are the same bits.
  ///
  /// - Parameters:
  ///   - spans: what each row, or run of rows, attends to.
  ///   - most: tokens of a group, at most.
  /// - Returns: every span once, alone or in a group; `members` are their indices, in order.
  public static func cascade(
    _ spans: [AttentionSpan], atMost most: Int
  ) -> [(members: [Int], span: AttentionSpan)] {
    guard spans.count > 1, most > 1 else { return spans.enumerated().map { ([$0], $1) } }
    var groups: [[Int]] = []
    // By where their first page lies, the group that takes more.
    var open: [UnsafeRawPointer: Int] = [:]
    for (index, span) in spans.enumerated() {
      if let first = span.common.first?.keys.entries, span.tokens == 1 {
        if let group = open[first], groups[group].count < most {
          groups[group].append(index)
          continue
        }
        open[first] = groups.count
      }
      groups.append([index])
    }
    return groups.map { members in
      (members, members.count == 1 ? spans[members[0]] : Self(cascading: members.map { spans[$0] }))
    }
  }

  /// Single tokens of several sequences, at least one.
  private init(cascading spans: [Self]) {
    let first = spans[0]
    var shared = 0
    while shared < first.common.count,
      spans.allSatisfy({
        shared < $0.common.count && $0.common[shared].isWhole(as: first.common[shared])
      })
    {
      shared += 1
    }
    tokens = spans.count
    areSeparate = true
    (dimension, rotation, before) = (first.dimension, first.rotation, [])
    common = Array(first.common[..<shared])
    rest = spans.enumerated().map { ($0..<$0 + 1, Array($1.common[shared...])) }
  }
}

extension bb_kv_piece {
  /// Whether both are the same entries of the same page, all of which are seen.
  fileprivate func isWhole(as other: Self) -> Bool {
    keys.entries == other.keys.entries && values.entries == other.values.entries
      && first == other.first && last == other.last && seen >= Int(last)
      && other.seen >= Int(other.last)
  }
}
