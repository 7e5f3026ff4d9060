import Tensors

/// The blocks of GGUF files as a way of storing linear layers.
struct GGUFFormat: LinearFormat {
  let summary: QuantizationSummary
  let marker = GGUFModel.marker
  /// The type of each quantized layer.
  private let types: [String: BlockType]

  init(_ types: [String: BlockType]) {
    self.types = types
    let kinds = Set(types.values).sorted { $0.id < $1.id }
    summary = QuantizationSummary(
      method: .gguf,
      schemes: kinds.map { QuantizationSummary.Scheme(bits: $0.codeBits, groupSize: $0.groupSize) })
  }

  /// A layer's blocks, their type and the size of the matrix.
  private func blocks(
    of prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> (info: TensorInfo, type: BlockType, shape: [Int]) {
    let info = try checkpoint.info(of: prefix + "." + marker)
    guard let type = types[prefix] else {
      throw .noTensor(directory: checkpoint.directory.path, tensor: prefix + ".weight")
    }
    return (info, type, [info.shape[0], info.shape[1] / type.bytes * type.elements])
  }

  func shape(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> [Int] {
    try blocks(of: prefix, in: checkpoint).shape
  }

  func storageName(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> String {
    try blocks(of: prefix, in: checkpoint).type.name
  }

  func weights(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> any LinearWeights {
    let (info, type, shape) = try blocks(of: prefix, in: checkpoint)
    let packer = try CheckpointError.wrapping(layer: prefix) { () throws(TensorError) in
      try BlockPacker(type: type, shape: shape, name: info.name)
    }
    try checkpoint.readRows(of: info, granularity: BlockPacker.blockRows) { packer.put($0, $1) }
    return packer.weights
  }

  func matrix(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> QuantizedMatrix {
    throw .unsupported(
      file: checkpoint.directory.path,
      feature: "\(prefix) of type \(types[prefix]?.name ?? "") as codes")
  }

  func stored(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> StoredLinear {
    let (info, type, shape) = try blocks(of: prefix, in: checkpoint)
    let stored = try checkpoint.tensor(named: info.name)
    do {
      let floats = try AlignedBytes(count: shape[0] * shape[1] * 4, zeroed: false)
      floats.withMutableBytes { target in
        stored.bytes.withBytes { bytes in
          if let base = target.bindMemory(to: Float.self).baseAddress {
            type.decode(bytes, into: base)
          }
        }
      }
      return .dense(try Tensor(dtype: .f32, shape: shape, bytes: floats))
    } catch {
      throw .tensors("layer \(prefix): \(error)")
    }
  }
}
