import Tensors

/// The quantized layers of a checkpoint as matrices of F16, which they become as they are read: for
/// those who work on weights, whatever form these are stored in.
final class DequantizedLayers: Sendable {
  private let checkpoint: Checkpoint
  private let format: any LinearFormat
  /// The matrices.
  let matrices: [TensorInfo]
  /// The tensors that they take the place of.
  let parts: Set<String>

  /// The layers of `checkpoint` that are stored in `format`.
  ///
  /// - Throws: `CheckpointError` naming the tensor of a layer that is missing or wrong.
  init(of checkpoint: Checkpoint, in format: any LinearFormat) throws(CheckpointError) {
    self.checkpoint = checkpoint
    self.format = format
    let layers = try checkpoint.quantizedLayers()
    var matrices: [TensorInfo] = []
    for layer in layers.keys.sorted() {
      let name = layer + ".weight"
      let codes = try checkpoint.info(
        of: format.standsBesideWeight ? name : layer + "." + format.marker)
      var matrix = TensorInfo(
        name: name, dtype: .f16, shape: try format.shape(of: layer, in: checkpoint),
        shard: codes.shard, range: codes.range)
      matrix.quantizedLayer = layer
      matrices.append(matrix)
    }
    self.matrices = matrices
    // What scales of a cache say holds for the quantized model alone, and is not followed there.
    let cacheScales = checkpoint.tensors.keys.filter { name in
      [".k_scale", ".v_scale", ".q_scale"].contains { name.hasSuffix($0) }
    }
    parts = Set(layers.values.joined().map(\.name)).union(cacheScales)
  }

  /// One of the matrices.
  ///
  /// - Throws: as `readRows`, `.tensors` when memory is short.
  func bytes(of matrix: TensorInfo) throws(CheckpointError) -> AlignedBytes {
    let bytes = try CheckpointError.wrapping(layer: matrix.name) { () throws(TensorError) in
      try AlignedBytes(count: matrix.byteCount, zeroed: false)
    }
    let rowBytes = matrix.rowBytes
    try bytes.withMutableBytes { (target) throws(CheckpointError) in
      let shared = SharedTarget(target)
      try readRows(of: matrix, granularity: 1) { rows, halves in
        shared.part(rows.lowerBound * rowBytes..<rows.upperBound * rowBytes)
          .copyMemory(from: halves)
      }
    }
    return bytes
  }

  /// Bytes of F16 that are made at a time, about.
  private static let pieceBytes = 1 << 20

  /// Hands out rows of one of the matrices, some at a time, from several threads. They are made of the
  /// form in which the layer is multiplied, which says all that the file says.
  ///
  /// - Throws: as `LinearFormat.weights`; `.tensor` naming a weight that F16 does not hold.
  func readRows(
    of matrix: TensorInfo, granularity: Int,
    _ body: @Sendable (Range<Int>, UnsafeRawBufferPointer) -> Void
  ) throws(CheckpointError) {
    guard let layer = matrix.quantizedLayer else { return }
    let weights = try format.weights(named: layer, in: checkpoint)
    let (rows, columns) = (weights.outFeatures, weights.inFeatures)
    let together = max(Self.pieceBytes / (2 * columns), 1).roundedUp(toMultipleOf: granularity)
    let pieces = (rows + together - 1) / together
    try forEachInParallel(pieces, workers: checkpoint.workers) { (piece) throws(CheckpointError) in
      let part = piece * together..<min((piece + 1) * together, rows)
      var halves = HalfRows(columns: columns)
      for row in part {
        if let (column, value) = halves.append({ weights.copyRow(row, into: $0) }) {
          let limit = Float16.greatestFiniteMagnitude
          throw .tensor(
            file: checkpoint.directory.path, tensor: matrix.name,
            reason: "row \(row), column \(column) is \(value)"
              + (value.isFinite
                ? "; F16, as which it would be quantized again, ends at \(limit)" : ""))
        }
      }
      halves.elements.withUnsafeBytes { body(part, $0) }
    }
  }
}
