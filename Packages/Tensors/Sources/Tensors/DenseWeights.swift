import Kernels

/// A matrix kept in the float type it was stored in (F32, F16 or BF16), in the kernels' blocks of
/// 16 rows.
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
  /// Bits of a weight.
  public var bits: Int { dtype.bits }

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

  /// See `LinearWeights.activations`.
  public func activations(for numerics: Numerics) -> ActivationScheme {
    dtype == .bf16 ? numerics.activationsForBF16 : .float
  }

  /// See `LinearWeights.product`.
  public func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct {
    packed.product(of: input, as: activations(for: input.numerics), into: y, on: pool)
  }

  /// Products of some rows; see `GroupQuantizedWeights.multiply`.
  func multiply(
    _ input: PreparedInput, rows: Range<Int>, into y: UnsafeMutablePointer<Float>, stride: Int
  ) {
    packed.multiply(input, rows: rows, into: y, stride: stride)
  }

  /// See `LinearWeights.withPackedRows`.
  public func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void) {
    packed.lines.withBytes(body)
  }

  /// See `LinearWeights.copyRow`.
  public func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    packed.copyRow(index, into: target)
  }
}
