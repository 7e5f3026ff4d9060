/// What can go wrong with tensors and weight matrices.
public enum TensorError: Error, Equatable, CustomStringConvertible {
  /// The system has no `bytes` left to give.
  case outOfMemory(bytes: Int)
  /// `shape` in `dtype` does not describe `found` bytes.
  case sizeMismatch(dtype: DType, shape: [Int], found: Int)
  /// `what` needed `expected` and got `found`.
  case shapeMismatch(what: String, expected: [Int], found: [Int])
  /// `what` cannot be computed with elements of `dtype`.
  case unsupportedType(what: String, dtype: DType)
  /// A quantized matrix is described by values that contradict each other.
  case invalidQuantization(String)
  /// The linear-algebra library is missing or refused.
  case linearAlgebra(String)

  /// One sentence with the values.
  public var description: String {
    switch self {
    case .outOfMemory(let bytes):
      "out of memory: \(bytes) bytes could not be allocated"
    case .sizeMismatch(let dtype, let shape, let found):
      "\(dtype.rawValue) \(shape) does not take \(found) bytes"
    case .shapeMismatch(let what, let expected, let found):
      "\(what): expected shape \(expected), found \(found)"
    case .unsupportedType(let what, let dtype):
      "\(what): elements of type \(dtype.rawValue) are not supported"
    case .invalidQuantization(let reason):
      "invalid quantized matrix: \(reason)"
    case .linearAlgebra(let reason):
      "linear algebra: \(reason)"
    }
  }
}
