import Kernels

/// Rows of floats on their way to F16.
public struct HalfRows {
  private var row: [Float]
  /// The bits of the rows that were appended.
  public private(set) var elements: [UInt16] = []

  /// No rows yet, of so many columns.
  public init(columns: Int) { row = [Float](repeating: 0, count: columns) }

  /// Appends a row.
  ///
  /// - Parameter fill: writes its values.
  /// - Returns: the first value that F16 does not hold, and its column; nil where it holds all.
  public mutating func append(
    _ fill: (UnsafeMutablePointer<Float>) -> Void
  ) -> (column: Int, value: Float)? {
    row.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { fill(base) } }
    let start = elements.count
    elements.append(contentsOf: repeatElement(0, count: row.count))
    elements.withUnsafeMutableBufferPointer { elements in
      if let base = elements.baseAddress {
        bb_kernels().pointee.narrow(row, BB_F16, base + start, row.count)
      }
    }
    // Infinity and NaN have all bits of the exponent.
    guard let column = row.indices.first(where: { elements[start + $0] & 0x7C00 == 0x7C00 }) else {
      return nil
    }
    return (column, row[column])
  }
}
