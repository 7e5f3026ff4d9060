import Tensors

/// The weight `[out, in]` of a linear layer as a checkpoint has it.
public enum StoredLinear: Sendable {
  /// F32, F16 or BF16 elements.
  case dense(Tensor)
  /// Integer codes with scales.
  case quantized(QuantizedMatrix)
  /// 8-bit floats with a scale for each row.
  case float8(Float8Matrix)
  /// Integer codes beside inputs that are not rounded.
  case outliers(OutlierMatrix)

  /// The form that multiplies.
  ///
  /// - Parameter name: of the layer, for messages.
  /// - Returns: the weights in memory.
  /// - Throws: `TensorError` when the kernels cannot hold the matrix, or memory is short.
  public func packed(name: String) throws(TensorError) -> any LinearWeights {
    switch self {
    case .dense(let tensor): try WeightPacking.pack(tensor, name: name)
    case .quantized(let matrix): try WeightPacking.pack(matrix)
    case .float8(let matrix): try WeightPacking.pack(matrix)
    case .outliers(let matrix): try WeightPacking.pack(matrix)
    }
  }
}
