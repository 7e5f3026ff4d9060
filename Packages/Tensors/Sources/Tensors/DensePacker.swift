import Kernels

/// Puts a matrix of floats into the kernels' blocks of 16 rows as its rows arrive, so that no
/// second copy of it is held.
///
/// Sendable by rule: threads put different rows, and `weights` is used when all have arrived.
public struct DensePacker: @unchecked Sendable {
  /// What arrives together starts at a multiple of this many rows.
  public static let blockRows = 16
  /// The matrix, once every row was put.
  public let weights: DenseWeights
  private let format: bb_row_format
  private let lines: AlignedBytes

  /// Takes memory for a matrix of `shape`, `[out, in]`.
  ///
  /// - Throws: `TensorError` naming `name` when it is no matrix, not F32, F16 or BF16, or memory is
  ///   short.
  public init(dtype: DType, shape: [Int], name: String) throws(TensorError) {
    guard shape.count == 2, shape[0] > 0, shape[1] > 0 else {
      throw .shapeMismatch(what: "\(name) as a matrix", expected: [1, 1], found: shape)
    }
    switch dtype {
    case .f32: format = BB_ROWS_F32
    case .f16: format = BB_ROWS_F16
    case .bf16: format = BB_ROWS_BF16
    default: throw .unsupportedType(what: name, dtype: dtype)
    }
    let blocks = (shape[0] + Self.blockRows - 1) / Self.blockRows
    lines = try AlignedBytes(weights: blocks * bb_block_bytes(format, shape[1]))
    weights = DenseWeights(
      rows: shape[0], inputs: shape[1], dtype: dtype, format: format, lines: lines)
  }

  /// Packs `rows`, which start at a multiple of `blockRows` and end at one or with the matrix.
  ///
  /// - Parameters:
  ///   - rows: rows of the matrix.
  ///   - bytes: their elements, row-major.
  public func put(_ rows: Range<Int>, _ bytes: UnsafeRawBufferPointer) {
    let (step, inputs) = (Self.blockRows, weights.inFeatures)
    let rowBytes = inputs * weights.dtype.bits / 8
    let isWhole = rows.upperBound % step == 0 || rows.upperBound == weights.outFeatures
    precondition(
      rows.lowerBound % step == 0 && isWhole && rows.upperBound <= weights.outFeatures
        && bytes.count >= rows.count * rowBytes, "rows \(rows) of \(weights.outFeatures)")
    let pack = bb_format_of(format).pointee.pack
    let blockBytes = bb_block_bytes(format, inputs)
    lines.withMutableBytes { target in
      guard let from = bytes.baseAddress, let to = target.baseAddress else { return }
      for row in stride(from: rows.lowerBound, to: rows.upperBound, by: step) {
        pack(
          from + (row - rows.lowerBound) * rowBytes, min(step, rows.upperBound - row),
          inputs, (to + row / step * blockBytes).assumingMemoryBound(to: UInt8.self))
      }
    }
  }
}
