/// How the rows of a stored tensor are to be put in order when they are read.
public enum RowOrder: Sendable, Hashable {
  /// Within each head of `headSize` rows, row `j headSize/2 + i` is stored as row `2i + j`.
  case interleaved(headSize: Int)
  /// Groups of `queries` query heads, a key head and a value head, stored as all queries, all keys,
  /// all values.
  case fusedGroups(headSize: Int, queries: Int, groups: Int)

  /// Pieces that begin at a multiple of this many rows are read as they are stored, or in few runs.
  var granularity: Int {
    switch self {
    case .interleaved(let size), .fusedGroups(let size, _, _): size
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
    }
  }
}
