import Kernels

/// A matrix as the kernels take it, and the memory that it lies in.
///
/// Sendable by rule: nobody writes to it once it is part of weights, see `AlignedBytes`.
final class PackedMatrix: @unchecked Sendable {
  /// Its pointers are valid while this object lives.
  let matrix: bb_matrix
  /// The blocks of 16 rows.
  let lines: AlignedBytes
  private let scales: AlignedBytes?
  private let zeros: AlignedBytes?

  /// Bytes of memory.
  var byteCount: Int { lines.count + (scales?.count ?? 0) + (zeros?.count ?? 0) }

  /// A matrix of floats whose blocks are in `lines`, or will be.
  init(_ format: bb_row_format, rows: Int, inputs: Int, lines: AlignedBytes) {
    self.lines = lines
    (scales, zeros) = (nil, nil)
    matrix = bb_matrix(
      format: format, rows: rows, inputs: inputs, group: inputs, lines: lines.start(of: UInt8.self),
      scales: nil, scale_format: BB_F32, zeros: nil, zero: 0)
  }

  /// A matrix of codes; `zeros` are floats, and where there are none all are `zero`.
  init(
    _ format: bb_row_format, rows: Int, inputs: Int, group: Int, lines: AlignedBytes,
    scales: AlignedBytes, scaleFormat: bb_float_format, zeros: AlignedBytes?, zero: Float
  ) {
    self.lines = lines
    self.scales = scales
    self.zeros = zeros
    matrix = bb_matrix(
      format: format, rows: rows, inputs: inputs, group: group, lines: lines.start(of: UInt8.self),
      scales: scales.start(of: UInt8.self), scale_format: scaleFormat,
      zeros: zeros?.start(of: Float.self), zero: zero)
  }
}

extension PackedMatrix {
  /// The product with an input that is prepared for it.
  func product(
    of input: LinearInput, as scheme: ActivationScheme, into y: UnsafeMutablePointer<Float>,
    on pool: ThreadPool
  ) -> LinearProduct {
    let prepared = input.prepared(for: scheme, on: pool)
    let (rows, tokens) = (matrix.rows, input.tokens)
    let cost = rows * matrix.inputs * tokens / scheme.costDivisor
    let y = DisjointMemory(y)
    // The closure keeps the matrix and the input, in whose memory the activations are.
    return LinearProduct(features: rows, tokens: tokens, cost: cost) { [self] part in
      var (matrix, activations) = (matrix, prepared.activations)
      bb_multiply(
        bb_kernels(), &matrix, &activations, tokens, y.base, rows, part.firstBlock, part.endBlock)
    }
  }

  /// Products of some rows, which start at a multiple of 16, into `y` for the first of them, with
  /// `stride` floats from one row of the input to the next.
  func multiply(
    _ input: PreparedInput, rows: Range<Int>, into y: UnsafeMutablePointer<Float>, stride: Int
  ) {
    precondition(rows.lowerBound % 16 == 0, "rows from \(rows.lowerBound) on")
    var (matrix, activations) = (matrix, input.activations)
    bb_multiply(
      bb_kernels(), &matrix, &activations, input.tokens, y - rows.lowerBound, stride,
      rows.firstBlock, rows.endBlock)
  }

  /// Row `index` as floats.
  func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    precondition(index >= 0 && index < matrix.rows, "row \(index) of \(matrix.rows)")
    var matrix = matrix
    bb_copy_row(&matrix, index, target)
  }
}

extension Range<Int> {
  /// The block of 16 rows that the first of these is in.
  var firstBlock: Int { lowerBound / 16 }
  /// The block after that of the last of these.
  var endBlock: Int { (upperBound + 15) / 16 }
}
