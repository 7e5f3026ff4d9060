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

  /// See `LinearWeights.product`.
  public func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct {
    let (rows, tokens, cost) = (outFeatures, input.tokens, outFeatures * inFeatures * input.tokens)
    guard input.numerics != .exact, format == BB_ROWS_BF16 else {
      let (x, width, multiply) = (input.rows(on: pool), inFeatures, bb_kernels().pointee.multiply)
      return LinearProduct(features: rows, tokens: tokens, cost: cost) { part in
        withMatrix { matrix in
          var matrix = matrix
          multiply?(&matrix, x, width, tokens, y, rows, part.firstBlock, part.endBlock)
        }
      }
    }
    let (x, stride) = input.inHalves(on: pool)
    let multiply = bb_kernels().pointee.multiply_bf16
    // A product of halves costs about half of one of floats.
    return LinearProduct(features: rows, tokens: tokens, cost: cost / 2) { part in
      withMatrix { matrix in
        var matrix = matrix
        multiply?(&matrix, x, stride, tokens, y, rows, part.firstBlock, part.endBlock)
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

  /// See `LinearWeights.withPackedRows`.
  public func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void) { lines.withBytes(body) }

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

extension Range<Int> {
  /// The block of 16 rows that the first of these is in.
  var firstBlock: Int { lowerBound / 16 }
  /// The block after that of the last of these.
  var endBlock: Int { (upperBound + 15) / 16 }
}
