import Tensors

/// A matrix held column after column: `[in][stride]`, where `stride` is the rows rounded up to
/// whole lanes.
///
/// Rows that only fill up are zero. Columns may stand in another order than in the original.
struct ColumnMatrix<Element: Sendable>: Sendable {
  let outFeatures: Int
  let inFeatures: Int
  let stride: Int
  var values: [Element]

  /// A matrix full of `value`.
  init(repeating value: Element, outFeatures: Int, inFeatures: Int) {
    self.outFeatures = outFeatures
    self.inFeatures = inFeatures
    stride = outFeatures.roundedUp(toMultipleOf: Lanes.width)
    values = [Element](repeating: value, count: inFeatures * stride)
  }

  /// Groups of 16 rows.
  var panels: Int { stride / Lanes.width }
}

extension ColumnMatrix<Float> {
  /// The weights with column `order[p]` of the original at position p, for all columns or some.
  init(_ weights: WeightMatrix, order: [Int], on pool: ThreadPool) {
    self.init(repeating: 0, outFeatures: weights.outFeatures, inFeatures: order.count)
    let (stride, panels) = (self.stride, self.panels)
    let (width, rows) = (weights.inFeatures, weights.outFeatures)
    withStorage(&values, weights.values) { target, source in
      pool.split(panels) { panels in
        for panel in panels {
          for first in Swift.stride(from: 0, to: order.count, by: Lanes.width) {
            for row in (panel * Lanes.width)..<min((panel + 1) * Lanes.width, rows) {
              for position in first..<min(first + Lanes.width, order.count) {
                target[position * stride + row] = source[row * width + order[position]]
              }
            }
          }
        }
      }
    }
  }

  /// Sets whole columns to zero.
  mutating func clear(columns: [Int]) {
    for column in columns {
      for row in 0..<stride { values[column * stride + row] = 0 }
    }
  }
}

/// Neighbouring columns in 16 rows.
struct ColumnGroup {
  /// Number of the group.
  let index: Int
  /// Number of the 16 rows.
  let panel: Int
  /// Columns in the group.
  let count: Int
  private let first: UnsafePointer<Float>
  private let stride: Int

  /// `count` columns from `first` on, `stride` elements apart.
  init(_ first: UnsafePointer<Float>, stride: Int, count: Int, index: Int, panel: Int) {
    self.first = first
    self.stride = stride
    self.count = count
    self.index = index
    self.panel = panel
  }

  /// The weights of one column.
  @inline(__always)
  func weights(_ column: Int) -> Lanes { Lanes(at: first + column * stride) }
}

extension ColumnMatrix<Float> {
  /// Calls `body` for all groups of `size` columns in all rows; a panel of 16 rows stays with one
  /// thread.
  func forEachGroup(of size: Int, on pool: ThreadPool, _ body: @Sendable (ColumnGroup) -> Void) {
    values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return }
      let (first, stride, inFeatures) = (ReadOnlyMemory(base), self.stride, self.inFeatures)
      pool.split(panels) { panels in
        for panel in panels {
          for column in Swift.stride(from: 0, to: inFeatures, by: size) {
            body(
              ColumnGroup(
                first + column * stride + panel * Lanes.width, stride: stride,
                count: min(size, inFeatures - column), index: column / size, panel: panel))
          }
        }
      }
    }
  }
}

/// Calls `body` with both arrays' elements, the first for writing; neither may be empty.
func withStorage<A, B>(
  _ a: inout [A], _ b: [B], _ body: (DisjointMemory<A>, ReadOnlyMemory<B>) -> Void
) {
  a.withUnsafeMutableBufferPointer { a in
    b.withUnsafeBufferPointer { b in
      if let a = a.baseAddress, let b = b.baseAddress {
        body(DisjointMemory(a), ReadOnlyMemory(b))
      }
    }
  }
}

/// Calls `body` with both arrays' elements, for writing; neither may be empty.
func withStorage<A, B>(
  _ a: inout [A], _ b: inout [B],
  _ body: (DisjointMemory<A>, DisjointMemory<B>) -> Void
) {
  a.withUnsafeMutableBufferPointer { a in
    b.withUnsafeMutableBufferPointer { b in
      if let a = a.baseAddress, let b = b.baseAddress {
        body(DisjointMemory(a), DisjointMemory(b))
      }
    }
  }
}
