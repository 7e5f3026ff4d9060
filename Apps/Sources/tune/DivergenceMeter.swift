import AppSupport
import DecoderModels
import Evaluation
import KVCaches
import TextGeneration

/// Measures how far a model's predictions under KV policies are from those with a cache in BF16,
/// along replies that it gave.
struct DivergenceMeter {
  let pass: ForwardPass
  /// Texts, and how many of their tokens are prompt.
  let texts: [(tokens: [Int32], prompt: Int)]
  /// Where what was measured is kept.
  let journal: DivergenceJournal

  /// Policies that read a text side by side: the logits with a BF16 cache are computed once for
  /// them.
  private static let together = 8
  /// Tokens whose logits are held at a time.
  private static let rows = 64

  /// Those of the policies that the journal lacks.
  func missing(of policies: [KVPolicy]) -> [KVPolicy] {
    policies.filter { journal.found["\($0)"] == nil }
  }

  /// Measures those of the policies that the journal lacks.
  ///
  /// - Returns: seconds that one of them took; nil where there was none.
  @discardableResult
  func measure(_ policies: [KVPolicy], as name: String) throws -> Double? {
    let started = ContinuousClock.now
    let missing = missing(of: policies)
    let line = ProgressLine("measuring \(name)")
    let known = policies.count - missing.count
    for start in stride(from: 0, to: missing.count, by: Self.together) {
      let some = Array(missing[start..<min(start + Self.together, missing.count)])
      var comparisons = some.map { _ in LogitComparison() }
      for (index, text) in texts.enumerated() {
        try Interrupts.check()
        line.show(
          known + start, of: policies.count, part: Double(some.count * index) / Double(texts.count))
        try compare(text, some, &comparisons)
      }
      for (policy, comparison) in zip(some, comparisons) {
        try journal.add("\(policy)", try comparison.result())
      }
    }
    line.show(policies.count, of: policies.count)
    let seconds = started.duration(to: .now) / .seconds(1)
    return missing.isEmpty ? nil : seconds / Double(missing.count)
  }

  /// Reads one text under every policy, and takes what is predicted from the end of the prompt on.
  private func compare(
    _ text: (tokens: [Int32], prompt: Int), _ policies: [KVPolicy],
    _ comparisons: inout [LogitComparison]
  ) throws {
    var reference = try TextLogits(pass, of: text.tokens)
    var candidates: [TextLogits] = []
    for policy in policies {
      candidates.append(
        try TextLogits(pass, of: text.tokens, prompt: text.prompt, kv: policy))
    }
    for index in comparisons.indices { comparisons[index].beginWindow() }
    let prompt = max(text.prompt - 1, 0)
    while reference.position < prompt {
      let count = min(Self.rows, prompt - reference.position)
      try reference.skip(count)
      for index in candidates.indices { try candidates[index].skip(count) }
    }
    while reference.position < text.tokens.count {
      let start = reference.position
      let expected = try reference.next(Self.rows)
      let count = reference.position - start
      let width = expected.count / count
      for index in candidates.indices {
        let found = try candidates[index].next(Self.rows)
        try expected.withUnsafeBufferPointer { expected in
          try found.withUnsafeBufferPointer { found in
            for row in 0..<count where start + row + 1 < text.tokens.count {
              let range = row * width..<(row + 1) * width
              try comparisons[index].add(
                reference: UnsafeBufferPointer(rebasing: expected[range]),
                candidate: UnsafeBufferPointer(rebasing: found[range]),
                next: Int(text.tokens[start + row + 1]))
            }
          }
        }
      }
    }
  }
}
