import Kernels

extension LinearAlgebra {
  /// Adds `x^T x`, x `[rows, order]` rounded to BF16, to the lower triangle of h `[order, order]`, as
  /// `addGram(of:rows:order:to:)` does. Products are exact and summed in F32, in the kernels' order
  /// of BF16, which is the same on every processor.
  public func addGram(
    ofRounded x: UnsafePointer<Float>, rows: Int, order: Int, to h: UnsafeMutablePointer<Float>
  ) {
    // Kernels take inputs in pairs.
    let inputs = rows.roundedUp(toMultipleOf: 2)
    let left = rounded(x, rows: rows, order: order, inputs: inputs)
    let blockBytes = bb_block_bytes(BB_ROWS_BF16, inputs)
    let blocks = (order + 15) / 16
    let lines = DisjointMemory(workspace.halves.lines.reserve(blocks * blockBytes))
    pool.split(blocks) { part in
      for block in part {
        bb_format_of(BB_ROWS_BF16).pointee.pack(
          left + block * 16 * inputs, min(16, order - block * 16), inputs,
          lines + block * blockBytes)
      }
    }
    let h = DisjointMemory(h)
    forEachTileBelowDiagonal(order) { part, columns, product in
      let table = bb_kernels()
      var matrix = bb_matrix(
        format: BB_ROWS_BF16, rows: order, inputs: inputs, group: inputs,
        lines: UnsafePointer(lines.base), scales: nil, scale_format: BB_F32, zeros: nil, zero: 0)
      var activations = bb_activations(
        format: BB_ACTIVATIONS_BF16, values: left + part.lowerBound * inputs, stride: inputs * 2,
        group: 0, groups: 0, scales: nil, sums: nil)
      let sums = UnsafeMutablePointer(mutating: product.spare.start(of: Float.self))
      bb_multiply(
        table, &matrix, &activations, part.count, sums - columns.lowerBound, columns.count,
        columns.firstBlock, columns.endBlock)
      for (index, row) in part.enumerated() {
        table.pointee.add(
          h + row * order + columns.lowerBound, sums + index * columns.count, columns.count)
      }
    }
  }

  /// `x` `[rows, order]` with rows and columns exchanged, `[order, inputs]`, in BF16; zeros beyond
  /// the rows.
  private func rounded(
    _ x: UnsafePointer<Float>, rows: Int, order: Int, inputs: Int
  ) -> ReadOnlyMemory<UInt16> {
    let exchanged = exchanged(x, order, rows: rows, columns: order)
    let target = DisjointMemory(workspace.halves.rows.reserve(order * inputs))
    pool.split(order, granularity: 16) { part in
      let narrow = bb_kernels().pointee.narrow
      for column in part {
        narrow(exchanged + column * rows, BB_BF16, target + column * inputs, rows)
        if inputs > rows { target[column * inputs + rows] = 0 }
      }
    }
    return ReadOnlyMemory(UnsafePointer(target.base))
  }
}
