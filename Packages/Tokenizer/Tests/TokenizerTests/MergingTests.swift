import Testing

@testable import Tokenizer

/// The two ways of merging against the plain definition.
@Suite struct MergingTests {
  /// A random table over small ids; merged ids are new symbols that merge again.
  private func randomTable(_ generator: inout SeededGenerator) -> (MergeTable, [[Int32]]) {
    var table = MergeTable()
    var rules: [[Int32]] = []
    for rank in 0..<40 {
      let highest = Int32(4 + rank)
      let left = Int32.random(in: 0..<highest, using: &generator)
      let right = Int32.random(in: 0..<highest, using: &generator)
      table.insert(left: left, right: right, rank: rank, merged: highest)
      rules.removeAll { $0[0] == left && $0[1] == right }
      rules.append([left, right, highest])
    }
    return (table, rules)
  }

  /// Of all pairs that merge, the first rule's, leftmost.
  private func mergeByDefinition(_ symbols: [Int32], _ rules: [[Int32]]) -> [Int32] {
    var symbols = symbols
    search: while true {
      for rule in rules {
        for index in symbols.indices.dropLast()
        where symbols[index] == rule[0] && symbols[index + 1] == rule[1] {
          symbols.replaceSubrange(index...index + 1, with: [rule[2]])
          continue search
        }
      }
      return symbols
    }
  }

  @Test func shortAndLongMergesFollowTheDefinition() {
    var generator = SeededGenerator(seed: 1)
    let short = ShortMerger()
    var queue = MergeQueue()
    var differences = 0
    for _ in 0..<200 {
      let (table, rules) = randomTable(&generator)
      let count = Int.random(in: 2...ShortMerger.maximumCount, using: &generator)
      let symbols = (0..<count).map { _ in Int32.random(in: 0..<4, using: &generator) }
      let expected = mergeByDefinition(symbols, rules)
      table.withView { view in
        var shortened = symbols
        short.merge(&shortened, with: view)
        var queued = symbols
        queue.merge(&queued, with: view)
        if shortened != expected || queued != expected { differences += 1 }
      }
    }
    #expect(differences == 0)
  }

  @Test func aRepeatedMergeTakesTheLaterRank() {
    var table = MergeTable()
    table.insert(left: 1, right: 2, rank: 0, merged: 5)
    table.insert(left: 1, right: 2, rank: 7, merged: 5)
    #expect(table.count == 1)
    table.withView { #expect(MergeTable.rank($0.merge(1, 2)) == 7) }
  }

  @Test func theTableGrows() {
    var table = MergeTable()
    for id in 0..<10_000 { table.insert(left: Int32(id), right: 1, rank: id, merged: Int32(id)) }
    table.withView { view in
      #expect((0..<10_000).allSatisfy { MergeTable.mergedID(view.merge(Int32($0), 1)) == $0 })
      #expect(view.merge(1, 2) == MergeTable.none)
    }
  }
}
