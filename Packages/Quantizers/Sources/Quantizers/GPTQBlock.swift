import Tensors

/// Rounds the columns of one block of GPTQ, 16 rows at a time. Each column first takes up the
/// errors of the columns before it in the block; what the block breaks in later blocks is left to a
/// matrix product.
struct BlockRounding {
  private let block: Range<Int>
  private let grids: GPTQ.GroupGrids
  private let scheme: QuantizationScheme
  private let inFeatures: Int
  private let groupSize: Int
  /// Group of each column of the block.
  private let groups: [Int]
  /// `feedback[i * block.count + k] = U[k, i]`, so that what column i takes up lies together.
  private let feedback: [Float]

  init(
    _ block: Range<Int>, factor: HessianFactor, sheet: CodeSheet, grids: GPTQ.GroupGrids
  ) {
    self.block = block
    self.grids = grids
    scheme = sheet.scheme
    groupSize = sheet.groupSize
    groups = block.map { sheet.group(ofPosition: $0) }
    let n = factor.order.count
    inFeatures = n
    feedback = block.flatMap { i in block.map { k in factor.upper[k * n + i] } }
  }

  /// Rounds the block in all rows: codes and grids go to `sheet`, the scaled errors `(w - w') /
  /// U[i, i]` to `errors` `[block, rows]`.
  func run(
    on weights: inout ColumnMatrix<Float>, errors: inout [Float], sheet: inout CodeSheet,
    pool: ThreadPool
  ) {
    let (stride, panels) = (weights.stride, weights.panels)
    sheet.fill { writer in
      withStorage(&weights.values, &errors) { weights, errors in
        pool.split(panels) { panels in
          let recent = UnsafeMutablePointer<Float>.allocate(capacity: block.count * Lanes.width)
          defer { recent.deallocate() }
          for panel in panels {
            let row = panel * Lanes.width
            roundPanel(
              panel, columns: weights + block.lowerBound * stride + row, stride: stride,
              recent: recent, writer: writer)
            for i in block.indices {
              let position = i - block.lowerBound
              (errors + position * stride + row).update(
                from: recent + position * Lanes.width, count: Lanes.width)
            }
          }
        }
      }
    }
  }

  /// Rounds the block in 16 rows. `recent` `[block, 16]` is left with the errors: together there,
  /// they stay in the first-level cache.
  private func roundPanel(
    _ panel: Int, columns: UnsafeMutablePointer<Float>, stride: Int,
    recent: UnsafeMutablePointer<Float>, writer: SheetWriter
  ) {
    // Columns have taken up the errors of the first `applied` ones.
    var applied = 0
    var grid = writer.grid(group: groups[0], panel: panel)
    for i in 0..<block.count {
      if grids != .fixed && (block.lowerBound + i).isMultiple(of: groupSize) {
        if grids == .current {
          for later in i..<block.count {
            column(later, of: columns, stride, takingUp: applied..<i, of: recent)
              .store(at: columns + later * stride)
          }
          applied = i
        }
        let left = inFeatures - block.lowerBound - i
        let group = ColumnGroup(
          columns + i * stride, stride: stride, count: min(groupSize, left), index: groups[i],
          panel: panel)
        grid = scheme.fitGrid(group)
        writer.setGrid(grid, group: group)
      } else if i > 0 && groups[i] != groups[i - 1] {
        grid = writer.grid(group: groups[i], panel: panel)
      }
      let weights = column(i, of: columns, stride, takingUp: applied..<i, of: recent)
      let codes = grid.codes(for: weights)
      writer.setCodes(codes, position: block.lowerBound + i, panel: panel)
      let error = (weights - grid.weights(for: codes)) / feedback[i * block.count + i]
      error.store(at: recent + i * Lanes.width)
    }
  }

  /// Column i of the block after it has taken up the errors of the columns `others`.
  @inline(__always)
  private func column(
    _ i: Int, of columns: UnsafeMutablePointer<Float>, _ stride: Int, takingUp others: Range<Int>,
    of recent: UnsafeMutablePointer<Float>
  ) -> Lanes {
    var column = Lanes(at: columns + i * stride)
    feedback.withUnsafeBufferPointer { feedback in
      for k in others {
        column -= feedback[i * block.count + k] * Lanes(at: recent + k * Lanes.width)
      }
    }
    return column
  }
}
