/// One weight matrix `[out, in]` as files hold it and quantizers make it: what a weight format is
/// outside of memory.
///
/// Each conformance packs itself, so nobody who reads, quantizes or runs a model asks which formats
/// there are.
public protocol StoredWeights: Sendable {
  /// Rows: output features.
  var outFeatures: Int { get }
  /// Columns: input features.
  var inFeatures: Int { get }

  /// The form that multiplies.
  ///
  /// - Throws: `TensorError` when the kernels cannot hold the matrix, or memory is short.
  func packed() throws(TensorError) -> any LinearWeights

  /// The matrix as F32, `[out, in]` row-major.
  func dequantized() -> [Float]
}

extension QuantizedMatrix: StoredWeights {
  /// See `GroupQuantizedWeights`.
  ///
  /// - Throws: `TensorError` when the group size does not suit the kernels or memory is short.
  public func packed() throws(TensorError) -> any LinearWeights { try GroupQuantizedWeights(self) }
}
