import JSON
import Tensors

extension Checkpoint {
  /// Reads a tensor that has to be of this type and rank.
  func part(
    _ name: String, _ dtype: DType, rank: Int
  ) throws(CheckpointError) -> Tensor {
    try tensor(named: requirePart(name, dtype, rank: rank).name)
  }

  /// Makes sure that a tensor is of this type and rank.
  func requirePart(
    _ name: String, _ dtype: DType, rank: Int
  ) throws(CheckpointError) -> TensorInfo {
    let info = try info(of: name)
    guard info.dtype == dtype, info.shape.count == rank else {
      throw wrong(
        name,
        "\(dtype.rawValue) of \(rank) dimensions expected, \(info.dtype.rawValue) \(info.shape) found"
      )
    }
    return info
  }

  /// The group of each input, which some tools store; nil where the checkpoint has no such tensor.
  func groupIndex(_ name: String, inputs: Int? = nil) throws(CheckpointError) -> [Int32]? {
    guard contains(name) else { return nil }
    if let inputs { try require(name, shape: [inputs]) }
    return try part(name, .i32, rank: 1).bytes.withBytes {
      [Int32]($0.bindMemory(to: Int32.self))
    }
  }

  /// What takes the codes of a layer, and holds its scales in the type of the tensor `scales`.
  func packer(
    of layer: String, _ grid: CodeGrid, scales: String
  ) throws(CheckpointError) -> CodePacker {
    let type = try info(of: scales).dtype
    return try CheckpointError.wrapping(layer: layer) { () throws(TensorError) in
      try CodePacker(grid, scaleType: type == .f32 ? nil : type)
    }
  }

  /// Reads floating-point values that have to be of this shape and finite.
  func finiteFloats(_ name: String, shape: [Int]) throws(CheckpointError) -> [Float] {
    try require(name, shape: shape)
    let values = try floats(named: name)
    guard let position = values.firstIndex(where: { !$0.isFinite }) else { return values }
    throw wrong(name, "element \(position) is \(values[position])")
  }

  /// Makes sure that a tensor has this shape.
  func require(_ name: String, shape: [Int]) throws(CheckpointError) {
    let found = try info(of: name).shape
    guard found == shape else { throw .shape(tensor: name, expected: shape, found: found) }
  }

  /// The error for a tensor that cannot be what it has to be, naming its shard.
  func wrong(_ tensor: String, _ reason: String) -> CheckpointError {
    let shard = tensors[tensor].map { "/" + $0.shard } ?? ""
    return .tensor(file: directory.path + shard, tensor: tensor, reason: reason)
  }
}

extension JSONObject {
  /// Bits of the codes; `feature` names the format where they are too many or too few.
  func codeBits(_ key: String, _ feature: (Int) -> String) throws(CheckpointError) -> Int {
    let bits = try integer(key, in: 1...8)
    guard CodePacking.widths.contains(bits) else {
      throw .unsupported(file: file, feature: feature(bits))
    }
    return bits
  }

  /// Inputs that share a scale; nil for -1, one scale a row.
  func groupSize(_ key: String) throws(CheckpointError) -> Int? {
    let size = try integer(key, in: -1...Int(Int32.max))
    guard size != 0 else { throw wrong(key, expected: "-1 or more than 0") }
    return size > 0 ? size : nil
  }
}

extension CheckpointError {
  /// Runs what throws errors of tensors, here of the layer `prefix`.
  static func wrapping<Result>(
    layer prefix: String, _ body: () throws(TensorError) -> Result
  ) throws(CheckpointError) -> Result {
    do { return try body() } catch { throw .tensors("tensor \(prefix): \(error)") }
  }
}

extension CodeGrid {
  /// `init` with the error of this package, naming the layer.
  init(
    layer: String, scheme: QuantizationSummary.Scheme, outFeatures: Int, inFeatures: Int,
    scales: [Float], zeros: [Float]?, groupIndex: [Int32]?, tokenRounding: TokenRounding? = nil
  ) throws(CheckpointError) {
    do {
      try self.init(
        bits: scheme.bits, outFeatures: outFeatures, inFeatures: inFeatures,
        groupSize: scheme.groupSize ?? inFeatures, scales: scales, zeros: zeros,
        groupIndex: groupIndex, tokenRounding: tokenRounding)
    } catch {
      throw .tensors("layer \(layer): \(error)")
    }
  }
}

extension QuantizedMatrix {
  /// `init` with the error of this package, naming the layer.
  init(layer: String, grid: CodeGrid, codes: [UInt8]) throws(CheckpointError) {
    do {
      try self.init(grid: grid, codes: codes)
    } catch {
      throw .tensors("layer \(layer): \(error)")
    }
  }
}
