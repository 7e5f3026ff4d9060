import Tensors

/// A matrix that is stored as part of a tensor of several, as the experts of some models are.
public struct StackedMatrix: Sendable, Hashable {
  /// The tensor `[matrices, rows, columns]`.
  public let tensor: String
  /// Its shape.
  public let shape: [Int]
  /// Which of its matrices.
  public let index: Int
  /// Which rows of that one.
  public let rows: Range<Int>

  /// Some rows of one matrix of a tensor of this shape.
  public init(tensor: String, shape: [Int], index: Int, rows: Range<Int>) {
    precondition(
      shape.count == 3 && (0..<shape[0]).contains(index) && rows.lowerBound >= 0
        && rows.upperBound <= shape[1], "matrix \(index), rows \(rows) of \(shape)")
    self.tensor = tensor
    self.shape = shape
    self.index = index
    self.rows = rows
  }

  /// Columns.
  public var columns: Int { shape[2] }
}

extension Checkpoint {
  /// Reads a matrix that is part of a tensor of several.
  ///
  /// - Throws: as `tensor(named:)`, `.shape` where the tensor has another one, `.unsupported`
  ///   unless its elements are F32, F16 or BF16.
  public func tensor(_ part: StackedMatrix) throws(CheckpointError) -> Tensor {
    let info = try info(of: part)
    let rowBytes = part.columns * info.dtype.bits / 8
    let first = (part.index * part.shape[1] + part.rows.lowerBound) * rowBytes
    let bytes = try storedBytes(of: info, first..<first + part.rows.count * rowBytes)
    do {
      return try Tensor(dtype: info.dtype, shape: [part.rows.count, part.columns], bytes: bytes)
    } catch {
      throw .tensors("tensor \(part.tensor): \(error)")
    }
  }

  /// What is known of the tensor that a matrix is part of.
  ///
  /// - Throws: `.noTensor`, `.shape` where it has another shape, `.unsupported` for other elements
  ///   than floats.
  public func info(of part: StackedMatrix) throws(CheckpointError) -> TensorInfo {
    let info = try info(of: part.tensor)
    guard info.shape == part.shape else {
      throw .shape(tensor: part.tensor, expected: part.shape, found: info.shape)
    }
    guard info.dtype.isPlainFloat else {
      throw .unsupported(
        file: directory.path,
        feature: "tensor \(part.tensor) of type \(info.dtype.rawValue) as weights of linear layers")
    }
    return info
  }
}
