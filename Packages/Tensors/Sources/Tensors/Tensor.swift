import Kernels

/// A dense row-major array of one element type over immutable bytes.
public struct Tensor: Sendable {
  /// Element type.
  public let dtype: DType
  /// Dimensions, outermost first; empty for a scalar.
  public let shape: [Int]
  /// The elements, row-major, little-endian.
  public let bytes: AlignedBytes

  /// Describes `bytes` as `shape` elements of `dtype`.
  ///
  /// - Throws: `TensorError.sizeMismatch` when the bytes are not exactly as many as the description
  ///   takes.
  public init(dtype: DType, shape: [Int], bytes: AlignedBytes) throws(TensorError) {
    guard dtype.byteCount(shape: shape) == bytes.count else {
      throw .sizeMismatch(dtype: dtype, shape: shape, found: bytes.count)
    }
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }

  /// A tensor of F32 values.
  ///
  /// - Throws: `TensorError.sizeMismatch` when `values` does not fill `shape`.
  public init(_ values: [Float], shape: [Int]) throws(TensorError) {
    let bytes = try AlignedBytes(count: values.count * MemoryLayout<Float>.stride)
    bytes.withMutableBytes { target in values.withUnsafeBytes { target.copyMemory(from: $0) } }
    try self.init(dtype: .f32, shape: shape, bytes: bytes)
  }

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// All elements widened to F32.
  ///
  /// - Throws: `TensorError.unsupportedType` unless the elements are F32, F16 or BF16.
  public func floats() throws(TensorError) -> [Float] {
    let format = try floatFormat(of: dtype, for: "reading as floats")
    return bytes.withBytes { source in
      guard let base = source.baseAddress else { return [] }
      return [Float](unsafeUninitializedCapacity: count) { target, filled in
        if let pointer = target.baseAddress {
          bb_kernels().pointee.widen(base, format, pointer, count)
        }
        filled = count
      }
    }
  }

  /// Row `index` of a matrix of F32, F16 or BF16 elements as floats.
  ///
  /// - Parameters:
  ///   - index: the row; must be one of the matrix.
  ///   - target: `[columns]`, overwritten.
  /// - Throws: `TensorError.unsupportedType` for other elements.
  public func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) throws(TensorError) {
    precondition(shape.count == 2 && (0..<shape[0]).contains(index), "row \(index) of \(shape)")
    let format = try floatFormat(of: dtype, for: "reading as floats")
    bytes.withBytes { source in
      if let base = source.baseAddress {
        let row = base + index * shape[1] * dtype.bits / 8
        bb_kernels().pointee.widen(row, format, target, shape[1])
      }
    }
  }
}

extension Tensor {
  /// Position of the first NaN or infinity, or nil; also nil for types that are not F32, F16 or
  /// BF16.
  public var firstNonFinite: Int? {
    guard let format = try? floatFormat(of: dtype, for: "checking") else { return nil }
    let piece = 4096
    var values = [Float](repeating: 0, count: piece)
    return bytes.withBytes { source in
      guard let base = source.baseAddress else { return nil }
      for start in stride(from: 0, to: count, by: piece) {
        let size = min(piece, count - start)
        bb_kernels().pointee.widen(base + start * dtype.bits / 8, format, &values, size)
        if let index = values[..<size].firstIndex(where: { !$0.isFinite }) { return start + index }
      }
      return nil
    }
  }
}

/// The kernels' number for a plain float type.
func floatFormat(of dtype: DType, for what: String) throws(TensorError) -> bb_float_format {
  switch dtype {
  case .f32: return BB_F32
  case .f16: return BB_F16
  case .bf16: return BB_BF16
  default: throw .unsupportedType(what: what, dtype: dtype)
  }
}
