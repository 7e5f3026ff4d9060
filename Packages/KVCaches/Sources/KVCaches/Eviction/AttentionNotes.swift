import KVLayout
import Tensors

/// What is written down of the attention that every token a layer holds gets, by the queries of the
/// query heads that share a KV head.
struct AttentionNotes: Sendable {
  private let record: AttentionRecord
  private let kvHeads: Int
  private let meter: KVMeter
  /// `[kvHeads, record.width, capacity]`.
  private var numbers: CountedFloats?
  private var rows: Int { kvHeads * record.width }
  private var capacity: Int { (numbers?.count ?? 0) / rows }

  init(_ record: AttentionRecord, kvHeads: Int, meter: KVMeter) {
    self.record = record
    self.kvHeads = kvHeads
    self.meter = meter
  }

  /// The notes while a step is taken in.
  ///
  /// Sendable by rule: a worker writes to the numbers of KV heads of its own.
  struct Writer: Sendable {
    fileprivate let record: AttentionRecord
    fileprivate let numbers: DisjointMemory<Float>
    fileprivate let capacity: Int

    /// Takes in what a query, the one at `position`, attends to.
    func take(_ row: AttentionRow, position: Int) {
      let line = numbers + row.kvHead * record.width * capacity
      switch record {
      case .sum:
        for slot in 0..<row.visible { line[slot] += row.weight(of: slot) }
      case .recurrence(let threshold):
        let (longest, now) = (line + capacity, Float(position))
        line[row.visible - 1] = now
        for slot in 0..<row.visible where row.weight(of: slot) >= threshold {
          longest[slot] = max(longest[slot], now - line[slot])
          line[slot] = now
        }
      }
    }
  }

  /// Makes room for `count` tokens and calls `body` with what takes their attention in.
  mutating func update(count: Int, _ body: (Writer) -> Void) throws(TensorError) {
    let numbers = try numbers(for: count)
    numbers.withFloats {
      guard let base = $0.baseAddress else { return }
      body(Writer(record: record, numbers: DisjointMemory(base), capacity: capacity))
    }
  }

  /// The sums of the first `count` tokens of one KV head; none where something else is recorded.
  func sums(of kvHead: Int, count: Int) -> [Float] {
    record == .sum ? numbers(of: kvHead, count: count) : []
  }

  /// When the first `count` tokens of one KV head were looked at; none where something else is
  /// recorded.
  func recurrences(of kvHead: Int, count: Int) -> [Recurrence] {
    guard case .recurrence = record else { return [] }
    return zip(numbers(of: 2 * kvHead, count: count), numbers(of: 2 * kvHead + 1, count: count))
      .map { Recurrence(last: $0, longest: $1) }
  }

  private func numbers(of row: Int, count: Int) -> [Float] {
    numbers?.withFloats { Array($0[row * capacity..<row * capacity + count]) } ?? []
  }

  /// Keeps the numbers of `slots`, a list for each KV head.
  mutating func keep(_ slots: [[Int]]) throws(TensorError) {
    let stride = (slots.first?.count ?? 0).roundedUp(toMultipleOf: PageLayout.tokens)
    let kept = try CountedFloats(count: rows * stride, meter: meter)
    kept.withFloats { target in
      for row in 0..<rows {
        let old = numbers(of: row, count: capacity)
        for (slot, from) in slots[row / record.width].enumerated() {
          target[row * stride + slot] = old[from]
        }
      }
    }
    numbers = kept
  }

  /// The numbers, held by nobody else, with capacity for `count` tokens; new ones are zero.
  private mutating func numbers(for count: Int) throws(TensorError) -> CountedFloats {
    let (old, new) = (capacity, max(capacity, count.roundedUp(toMultipleOf: PageLayout.tokens)))
    let isOurs = isKnownUniquelyReferenced(&numbers)
    if let numbers, isOurs, old == new { return numbers }
    let grown = try CountedFloats(count: rows * new, meter: meter)
    numbers?.withFloats { source in
      grown.withFloats { target in
        for row in 0..<rows {
          for slot in 0..<old { target[row * new + slot] = source[row * old + slot] }
        }
      }
    }
    numbers = grown
    return grown
  }
}
