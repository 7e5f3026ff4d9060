import Tensors

/// The blocks of GGUF files as a way of storing linear layers.
struct GGUFFormat: LinearFormat {
  /// One quantized layer.
  struct Layer: Sendable {
    let type: BlockType
    /// Of each input, the column that holds its weights; nil where they are in order. They are not
    /// where blocks are larger than the groups of columns that stand elsewhere.
    var columns: [Int]?
  }

  let summary: QuantizationSummary
  let marker = GGUFModel.marker
  private let layers: [String: Layer]

  init(_ layers: [String: Layer]) {
    self.layers = layers
    let kinds = Set(layers.values.map(\.type)).sorted { $0.id < $1.id }
    summary = QuantizationSummary(
      method: .gguf,
      schemes: kinds.map { QuantizationSummary.Scheme(bits: $0.codeBits, groupSize: $0.groupSize) })
  }

  /// A layer's blocks, what they are and the size of the matrix.
  private func blocks(
    of prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> (info: TensorInfo, layer: Layer, shape: [Int]) {
    let info = try checkpoint.info(of: prefix + "." + marker)
    guard let layer = layers[prefix] else {
      throw .noTensor(directory: checkpoint.directory.path, tensor: prefix + ".weight")
    }
    let type = layer.type
    return (info, layer, [info.shape[0], info.shape[1] / type.bytes * type.elements])
  }

  func shape(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> [Int] {
    try blocks(of: prefix, in: checkpoint).shape
  }

  func storageName(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> String {
    try blocks(of: prefix, in: checkpoint).layer.type.name
  }

  func weights(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> any LinearWeights {
    let (info, layer, shape) = try blocks(of: prefix, in: checkpoint)
    let packer = try CheckpointError.wrapping(layer: prefix) { () throws(TensorError) in
      try BlockPacker(type: layer.type, shape: shape, name: info.name)
    }
    try checkpoint.readRows(of: info, granularity: BlockPacker.blockRows) { packer.put($0, $1) }
    return layer.columns.map { ReorderedWeights(packer.weights, columns: $0) } ?? packer.weights
  }

  func matrix(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> QuantizedMatrix {
    throw .unsupported(
      file: checkpoint.directory.path,
      feature: "\(prefix) of type \(layers[prefix]?.type.name ?? "") as codes")
  }

  func stored(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> StoredLinear {
    let (info, layer, shape) = try blocks(of: prefix, in: checkpoint)
    let stored = try checkpoint.tensor(named: info.name)
    do {
      let floats = try AlignedBytes(count: shape[0] * shape[1] * 4, zeroed: false)
      floats.withMutableBytes { target in
        stored.bytes.withBytes { bytes in
          if let base = target.bindMemory(to: Float.self).baseAddress {
            layer.type.decode(bytes, into: base)
            if let columns = layer.columns { Self.arrange(base, rows: shape[0], by: columns) }
          }
        }
      }
      return .dense(try Tensor(dtype: .f32, shape: shape, bytes: floats))
    } catch {
      throw .tensors("layer \(prefix): \(error)")
    }
  }

  /// Puts the columns of a matrix in order.
  private static func arrange(
    _ matrix: UnsafeMutablePointer<Float>, rows: Int, by columns: [Int]
  ) {
    for row in 0..<rows {
      let target = matrix + row * columns.count
      let stored = Array(UnsafeBufferPointer(start: target, count: columns.count))
      for (input, column) in columns.enumerated() { target[input] = stored[column] }
    }
  }
}
