import MemoryPlanner
import ModelLoader
import Tensors

/// Matrices held as the weights of a precision are, for measurements: how fast they multiply does
/// not depend on what they say.
enum SampleWeights {
  private static let scale: Float = 1 / 1024

  /// A matrix `[rows, columns]`.
  ///
  /// - Throws: `TensorError` when memory is short.
  static func matrix(
    _ precision: WeightPrecision, rows: Int, columns: Int
  ) throws -> any LinearWeights {
    switch precision.scheme {
    case nil where precision.bits == 16: return try floats(rows, columns)
    case nil, .w4a16: return try WeightPacking.pack(codes(precision, rows, columns, nil))
    case .w8a8Integer: return try WeightPacking.pack(codes(precision, rows, columns, .int8))
    case .w8a8Float:
      let bytes = (0..<rows * columns).map { UInt8(truncatingIfNeeded: $0 * 37) & 0xb7 }
      return try WeightPacking.pack(
        Float8Matrix(
          codes: bytes, scales: [Float](repeating: scale, count: rows), tokenRounding: .float8))
    case .quikW4A4, .w4a4Rotated:
      let kept =
        precision.scheme == .quikW4A4 ? WeightScheme.usualOutliers(width: columns) : 0
      return try WeightPacking.pack(
        OutlierMatrix(
          rest: codes(precision, rows, columns - kept, .between4),
          columns: (0..<Int32(kept)).map { $0 * Int32(columns / max(kept, 1)) },
          outliers: kept == 0 ? nil : tensor(rows, kept)))
    }
  }

  private static func codes(
    _ precision: WeightPrecision, _ rows: Int, _ columns: Int, _ rounding: TokenRounding?
  ) throws(TensorError) -> QuantizedMatrix {
    let group = min(precision.groupSize ?? columns, columns)
    let groups = (columns + group - 1) / group
    let mask = UInt8(truncatingIfNeeded: 1 << precision.bits - 1)
    return try QuantizedMatrix(
      grid: CodeGrid(
        bits: precision.bits, outFeatures: rows, inFeatures: columns, groupSize: group,
        scales: [Float](repeating: scale, count: rows * groups), tokenRounding: rounding),
      codes: (0..<rows * columns).map { UInt8(truncatingIfNeeded: $0 * 37) & mask })
  }

  private static func floats(_ rows: Int, _ columns: Int) throws -> any LinearWeights {
    try WeightPacking.pack(tensor(rows, columns), name: "sample")
  }

  private static func tensor(_ rows: Int, _ columns: Int) throws -> Tensor {
    try Tensor(
      rounding: (0..<rows * columns).map { Float($0 % 251) / 125 - 1 }, to: .bf16,
      shape: [rows, columns], name: "sample")
  }
}
