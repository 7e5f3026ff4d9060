import Kernels

/// A matrix kept in the float type it was stored in (F32, F16 or BF16), in the kernels' blocks of 16 rows.
public struct DenseWeights: LinearWeights {
  /// Rows: output features.
  public let outFeatures: Int
  /// Columns: input features.
  public let inFeatures: Int
  /// Element type.
  public let dtype: DType
  private let packed: PackedMatrix

  /// Bytes this matrix holds in memory.
  public var byteCount: Int { packed.byteCount }
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
    packed = PackedMatrix(format, rows: rows, inputs: inputs, lines: lines)
  }

  /// See `LinearWeights.product`.
  public func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct {
    let (rows, tokens, cost) = (outFeatures, input.tokens, outFeatures * inFeatures * input.tokens)
    guard input.numerics != .exact, packed.matrix.format == BB_ROWS_BF16 else {
      let (x, width, multiply) = (input.rows(on: pool), inFeatures, bb_kernels().pointee.multiply)
      return LinearProduct(features: rows, tokens: tokens, cost: cost) { [packed] part in
        var matrix = packed.matrix
        multiply?(&matrix, x, width, tokens, y, rows, part.firstBlock, part.endBlock)
      }
    }
    let (x, stride) = input.inHalves(on: pool)
    let multiply = bb_kernels().pointee.multiply_bf16
    // A product of halves costs about half of one of floats.
    return LinearProduct(features: rows, tokens: tokens, cost: cost / 2) { [packed] part in
      var matrix = packed.matrix
      multiply?(&matrix, x, stride, tokens, y, rows, part.firstBlock, part.endBlock)
    }
  }

  /// See `LinearWeights.withPackedRows`.
  public func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void) {
    packed.lines.withBytes(body)
  }

  /// See `LinearWeights.copyRow`.
  public func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    precondition(index >= 0 && index < outFeatures, "row \(index) of \(outFeatures)")
    let matrix = packed.matrix
    let block = matrix.lines + index / 16 * packedBlockBytes(matrix.format, inputs: inFeatures)
    bb_unpack_floats(matrix.format, block, index % 16, inFeatures, target)
  }
}
