import Kernels

/// Products of tiles of row-major F32 matrices by the kernels' `multiply`, with the working memory
/// of one thread.
///
/// A product is summed in pieces of `depth` along its inner dimension, each in the kernels' fixed
/// order, so that its bits depend neither on the processor nor on who computes it.
///
/// Sendable by rule: one thread uses it at a time.
final class TileProduct: @unchecked Sendable {
  /// Rows and columns of the largest tile.
  static let side = 256
  /// Inputs that are summed at a time: the operands of a tile stay in the second-level cache.
  static let depth = 512

  /// `[depth / 2][2][16]` for each 16 columns: the right operand in the kernels' blocks.
  private let panel: AlignedBytes
  /// `[side, side]`: what is added to the target.
  private let product: AlignedBytes
  /// `[side, side]`, for the user.
  let spare: AlignedBytes
  private let table = bb_kernels()

  /// Takes the memory.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  init() throws(TensorError) {
    panel = try AlignedBytes(count: Self.side * Self.depth * 4)
    product = try AlignedBytes(count: Self.side * Self.side * 4)
    spare = try AlignedBytes(count: Self.side * Self.side * 4)
  }

  /// An operand of a product: a matrix as it is stored, or as it would be with rows and columns
  /// exchanged.
  struct Operand {
    /// The first element.
    let values: UnsafePointer<Float>
    /// Elements from one stored row to the next.
    let stride: Int
    /// Whether the stored matrix has rows and columns exchanged.
    var isTransposed = false

    /// Where element (row, column) stands.
    func at(_ row: Int, _ column: Int) -> UnsafePointer<Float> {
      values + (isTransposed ? column * stride + row : row * stride + column)
    }
  }

  /// `c = scale * a b`, or `c += scale * a b`, with a `[rows, inner]`, which is stored like that,
  /// and b `[inner, columns]`.
  ///
  /// - Parameters:
  ///   - rows: at most `side`.
  ///   - columns: at most `side`.
  ///   - inner: any.
  ///   - scale: a power of two with a sign, so that multiplying by it is exact.
  ///   - a: the left operand.
  ///   - b: the right operand.
  ///   - adds: whether the product is added to what `c` holds.
  ///   - c: the result, row by row.
  ///   - stride: floats from one row of `c` to the next.
  func run(
    rows: Int, columns: Int, inner: Int, scale: Float, _ a: Operand, _ b: Operand, adds: Bool,
    into c: UnsafeMutablePointer<Float>, stride: Int
  ) {
    var adds = adds
    for first in Swift.stride(from: 0, to: inner, by: Self.depth) {
      let count = min(Self.depth, inner - first)
      pack(b, from: first, count: count, columns: columns, scale: scale)
      var matrix = bb_matrix(
        format: BB_ROWS_F32, rows: columns, inputs: count, group: count,
        lines: panel.start(of: UInt8.self), scales: nil, scale_format: BB_F32, zeros: nil, zero: 0)
      var activations = bb_floats(a.at(0, first), a.stride)
      let blocks = (columns + 15) / 16
      guard adds else {
        bb_multiply(table, &matrix, &activations, rows, c, stride, 0, blocks)
        adds = true
        continue
      }
      let sums = UnsafeMutablePointer(mutating: product.start(of: Float.self))
      bb_multiply(table, &matrix, &activations, rows, sums, columns, 0, blocks)
      for row in 0..<rows { table.pointee.add(c + row * stride, sums + row * columns, columns) }
    }
  }

  /// Puts inputs [from, from + count) of the right operand into blocks of 16 columns.
  private func pack(_ b: Operand, from: Int, count: Int, columns: Int, scale: Float) {
    let target = UnsafeMutablePointer(mutating: panel.start(of: Float.self))
    let padded = count.roundedUp(toMultipleOf: 2)
    for column in Swift.stride(from: 0, to: columns, by: 16) {
      let width = min(16, columns - column)
      let block = target + column * padded
      if padded > count || width < 16 { block.update(repeating: 0, count: 16 * padded) }
      if b.isTransposed {
        for j in 0..<width {
          let source = b.at(from, column + j)
          for k in 0..<count { block[k * 16 + j] = scale * source[k] }
        }
      } else if scale == 1, width == 16 {
        for k in 0..<count { (block + k * 16).update(from: b.at(from + k, column), count: 16) }
      } else {
        for k in 0..<count {
          let source = b.at(from + k, column)
          for j in 0..<width { block[k * 16 + j] = scale * source[j] }
        }
      }
    }
  }
}
