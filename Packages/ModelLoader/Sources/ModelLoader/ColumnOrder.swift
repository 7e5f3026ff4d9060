/// How the columns of a stored matrix are to be put in order when they are read: whole units of
/// columns move, such as the heads that a layer reads from.
struct ColumnOrder: Sendable, Hashable {
  /// Of the units.
  let units: RowOrder
  /// Bytes of a unit in a row.
  let unitBytes: Int

  /// Puts `row` in order.
  ///
  /// - Parameters:
  ///   - row: one row as it is stored.
  ///   - scratch: memory of the same size, which no other row shares meanwhile.
  func arrange(_ row: UnsafeMutableRawBufferPointer, by scratch: UnsafeMutableRawBufferPointer) {
    scratch.copyMemory(from: UnsafeRawBufferPointer(row))
    for unit in 0..<row.count / unitBytes {
      let from = units.storedRow(of: unit) * unitBytes
      UnsafeMutableRawBufferPointer(rebasing: row[unit * unitBytes..<(unit + 1) * unitBytes])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: scratch[from..<from + unitBytes]))
    }
  }
}
