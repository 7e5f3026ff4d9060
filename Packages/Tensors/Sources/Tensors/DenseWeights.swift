import Kernels

/// A matrix kept in the float type it was stored in (F32, F16 or BF16), in the kernels' blocks of 16 rows.
public struct DenseWeights: LinearWeights {
  /// Rows: output features.
  public let outFeatures: Int
  /// Columns: input features.
  public let inFeatures: Int
  /// Element type.
  public let dtype: DType
  private let format: bb_row_format
  private let lines: AlignedBytes

  /// Bytes this matrix holds in memory.
  public var byteCount: Int { lines.count }
  /// The format in words.
  public var formatName: String { dtype.rawValue }

  /// Packs a row-major `[out, in]` tensor.
  ///
  /// - Throws: `TensorError` naming `name` when the tensor is no matrix or not F32, F16 or BF16.
  public init(_ tensor: Tensor, name: String) throws(TensorError) {
    let packer = try DensePacker(dtype: tensor.dtype, shape: tensor.shape, name: name)
    tensor.bytes.withBytes { packer.put(0..<tensor.shape[0], $0) }
    self = packer.weights
  }

  /// A matrix whose blocks are in `lines`, or will be.
  init(
    rows: Int, inputs: Int, dtype: DType, format: bb_row_format, lines: AlignedBytes
  ) {
    self.outFeatures = rows
    self.inFeatures = inputs
    self.dtype = dtype
    self.format = format
    self.lines = lines
  }

  /// See `LinearWeights.multiply`.
  public func multiply(
    _ x: UnsafePointer<Float>, tokens: Int, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) {
    withMatrix { multiplyBlocks($0, x, tokens: tokens, into: y, on: pool) }
  }

  /// See `LinearWeights.multiply`.
  public func multiply(
    _ input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) {
    guard input.numerics != .exact, format == BB_ROWS_BF16 else {
      return multiply(input.floats, tokens: input.tokens, into: y, on: pool)
    }
    let (rows, tokens, multiply) = (outFeatures, input.tokens, bb_kernels().pointee.multiply_bf16)
    input.withHalves(on: pool) { x, stride in
      withMatrix { matrix in
        // A product of halves costs about half of one of floats.
        let cost = rows * inFeatures * tokens / 2
        pool.split((rows + 15) / 16, cost: cost) { blocks in
          var matrix = matrix
          multiply?(&matrix, x, stride, tokens, y, rows, blocks.lowerBound, blocks.upperBound)
        }
      }
    }
  }

  private func withMatrix(_ body: (bb_matrix) -> Void) {
    lines.withBytes { bytes in
      var matrix = bb_matrix()
      matrix.format = format
      matrix.rows = outFeatures
      matrix.inputs = inFeatures
      matrix.group = inFeatures
      matrix.lines = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
      body(matrix)
    }
  }

  /// See `LinearWeights.copyRow`.
  public func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    precondition(index >= 0 && index < outFeatures, "row \(index) of \(outFeatures)")
    lines.withBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      let block = base + index / 16 * packedBlockBytes(format, inputs: inFeatures)
      bb_unpack_floats(
        format, block.assumingMemoryBound(to: UInt8.self), index % 16, inFeatures, target)
    }
  }
}

/// Bytes that one block of 16 rows takes.
func packedBlockBytes(_ format: bb_row_format, inputs: Int) -> Int {
  let perLine = bb_inputs_per_line(format)
  return (inputs + perLine - 1) / perLine * bb_line_bytes(format)
}

/// Runs the multiply kernel with the blocks of 16 rows split over the pool.
func multiplyBlocks(
  _ matrix: bb_matrix, _ x: UnsafePointer<Float>, tokens: Int, into y: UnsafeMutablePointer<Float>,
  on pool: ThreadPool
) {
  let multiply = bb_kernels().pointee.multiply
  pool.split((matrix.rows + 15) / 16, cost: matrix.rows * matrix.inputs * tokens) { blocks in
    var matrix = matrix
    multiply?(
      &matrix, x, matrix.inputs, tokens, y, matrix.rows, blocks.lowerBound, blocks.upperBound)
  }
}
