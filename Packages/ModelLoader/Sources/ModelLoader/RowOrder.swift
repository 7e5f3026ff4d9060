/// How the rows of a stored tensor are to be put in order when they are read.
public enum RowOrder: Sendable, Hashable {
  /// Within each head of `headSize` rows, row `j headSize/2 + i` is stored as row `2i + j`.
  case interleaved(headSize: Int)
  /// Groups of `queries` query heads, a key head and a value head, stored as all queries, all keys,
  /// all values.
  case fusedGroups(headSize: Int, queries: Int, groups: Int)
  /// Stretches one after the other, each of which says where its rows are stored.
  case stretches([Stretch])

  /// Rows that nested steps count through.
  public struct Stretch: Sendable, Hashable {
    /// Where the first row is stored.
    let first: Int
    /// How often and how far each step goes, the outermost first.
    let steps: [Step]

    var count: Int { steps.reduce(1) { $0 * $1.count } }
    /// Rows that are stored one behind the other.
    var run: Int { steps.last.map { $0.stride == 1 ? $0.count : 1 } ?? 1 }

    func storedRow(of row: Int) -> Int {
      var (place, rest) = (first, row)
      for step in steps.reversed() {
        place += rest % step.count * step.stride
        rest /= step.count
      }
      return place
    }
  }

  /// One step of a stretch.
  public struct Step: Sendable, Hashable {
    let count: Int
    let stride: Int
  }

  /// Pieces that begin at a multiple of this many rows are read as they are stored, or in few runs.
  var granularity: Int {
    switch self {
    case .interleaved(let size), .fusedGroups(let size, _, _): size
    case .stretches(let stretches): stretches.map(\.run).min() ?? 1
    }
  }

  /// Where a row is stored.
  func storedRow(of row: Int) -> Int {
    switch self {
    case .interleaved(let size):
      let (head, within) = (row / size * size, row % size)
      return head + within % (size / 2) * 2 + within / (size / 2)
    case .fusedGroups(let size, let queries, let groups):
      let (unit, within) = (row / size, row % size)
      let (group, part) = (unit / (queries + 2), unit % (queries + 2))
      let stored = part < queries ? group * queries + part : groups * part + group
      return stored * size + within
    case .stretches(let stretches):
      var rest = row
      for stretch in stretches {
        if rest < stretch.count { return stretch.storedRow(of: rest) }
        rest -= stretch.count
      }
      preconditionFailure("row \(row) behind all stretches")
    }
  }
}
