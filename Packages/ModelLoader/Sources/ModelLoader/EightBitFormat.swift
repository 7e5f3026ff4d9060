import JSON
import Tensors

/// Weights of 8 bits that are stored one a byte, as `weight` beside their scales.
///
/// | format | `weight` | scales |
/// |---|---|---|
/// | compressed-tensors `int-quantized` | I8 [out, in] | `weight_scale` [out, 1] or [1]; `weight_zero_point` I8 where asymmetric |
/// | compressed-tensors `float-quantized` | F8_E4M3 [out, in] | `weight_scale` [out, 1] or [1] |
/// | `fp8`, in blocks | F8_E4M3 [out, in] | `weight_scale_inv` [out / block, in / block], which multiplies |
///
/// Where the configuration asks for activations rounded token by token, in the weights' own type
/// and at run time, the weights say so to whoever multiplies them (`TokenRounding`). Scales of
/// activations that are stored, and those of groups of inputs, are not followed: such activations
/// stay as they are. Source: vllm-project/compressed-tensors, `compressors/naive_quantized`;
/// huggingface/transformers, `integrations/finegrained_fp8.py`.
struct EightBitFormat: LinearFormat {
  let summary: QuantizationSummary
  let marker: String
  let standsBesideWeight = true
  private let dtype: DType
  /// Rows and columns that share a scale; nil for one scale a row or for all.
  private let block: [Int]?
  /// What becomes of the activations.
  private let tokenRounding: TokenRounding?

  /// Reads the `quantization_config` of `quant_method` fp8.
  ///
  /// - Throws: `.unsupported`, `.value`.
  init(float8 description: JSONObject) throws(CheckpointError) {
    let format = try description.stringIfPresent("fmt") ?? "e4m3"
    guard format == "e4m3" else {
      throw .unsupported(file: description.file, feature: "FP8 of fmt \(format) (e4m3 is read)")
    }
    guard let sizes = try description.arrayIfPresent("weight_block_size") else {
      throw .unsupported(
        file: description.file,
        feature: "quant_method fp8 without weight_block_size (compressed-tensors float-quantized "
          + "is read for scales of whole rows)")
    }
    let values = sizes.compactMap(\.integer)
    guard sizes.count == 2, values.count == 2, values.allSatisfy({ (1...1_048_576).contains($0) })
    else { throw description.wrong("weight_block_size", expected: "two positive integers") }
    block = values
    dtype = .f8e4m3
    tokenRounding = nil
    marker = "weight_scale_inv"
    summary = QuantizationSummary(
      method: .float8Blocks, schemes: [.init(bits: 8, groupSize: values[1])])
  }

  /// Reads a compressed-tensors configuration of the format int-quantized or float-quantized.
  ///
  /// - Throws: `.unsupported`, `.value`.
  init(compressedTensors description: JSONObject, format: String) throws(CheckpointError) {
    let isFloat = format == "float-quantized"
    let groups = try description.object("config_groups")
    var roundings: Set<TokenRounding?> = []
    for name in groups.members.keys.sorted() {
      let group = try groups.object(name)
      let weights = try group.object("weights")
      roundings.insert(try Self.tokenRounding(in: group, isFloat: isFloat))
      let type = try weights.stringIfPresent("type") ?? "int"
      let bits = try weights.integer("num_bits", in: 1...16)
      let strategy = try weights.stringIfPresent("strategy") ?? "tensor"
      guard type == (isFloat ? "float" : "int"), bits == 8,
        ["channel", "tensor"].contains(strategy)
      else {
        throw .unsupported(
          file: description.file,
          feature: "\(format) of \(bits)-bit \(type) weights by \(strategy) "
            + "(8 bits by channel or tensor are read)")
      }
    }
    guard roundings.count <= 1 else {
      throw .unsupported(
        file: description.file,
        feature: "\(format) whose groups of layers round activations differently")
    }
    block = nil
    tokenRounding = roundings.first ?? nil
    dtype = isFloat ? .f8e4m3 : .i8
    marker = "weight_scale"
    summary = QuantizationSummary(
      method: isFloat ? .floatQuantized : .intQuantized,
      schemes: [.init(bits: 8, groupSize: nil, activations: tokenRounding)])
  }

  /// What a group of layers wants done to its activations: rounding token by token, or nothing that
  /// is followed here.
  private static func tokenRounding(
    in group: JSONObject, isFloat: Bool
  ) throws(CheckpointError) -> TokenRounding? {
    guard group.has("input_activations") else { return nil }
    let activations = try group.object("input_activations")
    let type = try activations.stringIfPresent("type") ?? "int"
    let bits = try activations.integer("num_bits", in: 1...16)
    let isDynamic = try activations.boolIfPresent("dynamic") ?? false
    let isSymmetric = try activations.boolIfPresent("symmetric") ?? true
    let strategy = try activations.stringIfPresent("strategy") ?? "tensor"
    guard type == (isFloat ? "float" : "int"), bits == 8, isDynamic, isSymmetric,
      strategy == "token"
    else { return nil }
    return isFloat ? .float8 : .int8
  }

  func shape(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> [Int] {
    let info = try checkpoint.info(of: prefix + ".weight")
    guard info.dtype == dtype, info.shape.count == 2, !info.shape.contains(0) else {
      throw checkpoint.wrong(
        info.name,
        "\(dtype.rawValue) matrix expected, \(info.dtype.rawValue) \(info.shape) found")
    }
    return info.shape
  }

  func storageName(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> String {
    let scales = block.map { "blocks of \($0[0]) x \($0[1])" } ?? "one scale a row"
    return "\(dtype.rawValue), \(scales)"
  }

  /// The scales `[out, groups]`, and inputs that share one.
  private func scales(
    of prefix: String, shape: [Int], in checkpoint: Checkpoint
  ) throws(CheckpointError) -> (values: [Float], groupSize: Int) {
    let name = prefix + "." + marker
    let stored = try checkpoint.info(of: name).shape
    guard let block else {
      let count = stored.reduce(1, *)
      guard stored == [shape[0], 1] || stored == [shape[0]] || count == 1 else {
        throw .shape(tensor: name, expected: [shape[0], 1], found: stored)
      }
      let values = try checkpoint.finiteFloats(name, shape: stored)
      return (
        count == 1 ? [Float](repeating: values[0], count: shape[0]) : values, shape[1]
      )
    }
    let tiles = [(shape[0] - 1) / block[0] + 1, (shape[1] - 1) / block[1] + 1]
    let values = try checkpoint.finiteFloats(name, shape: tiles)
    var scales: [Float] = []
    scales.reserveCapacity(shape[0] * tiles[1])
    for row in 0..<shape[0] {
      let start = row / block[0] * tiles[1]
      scales += values[start..<start + tiles[1]]
    }
    return (scales, block[1])
  }

  func weights(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> any LinearWeights {
    guard dtype == .f8e4m3 else { return try integers(named: prefix, in: checkpoint) }
    let shape = try shape(of: prefix, in: checkpoint)
    let (values, groupSize) = try scales(of: prefix, shape: shape, in: checkpoint)
    let weights = try CheckpointError.wrapping(layer: prefix) { () throws(TensorError) in
      try Float8Weights(
        shape: shape, groupSize: groupSize, rowScales: values, tokenRounding: tokenRounding,
        name: prefix)
    }
    let info = try checkpoint.info(of: prefix + ".weight")
    try checkpoint.readRows(of: info, granularity: 16) { weights.put($0, $1) }
    return weights
  }

  func stored(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> StoredLinear {
    guard dtype == .f8e4m3 else { return .quantized(try matrix(named: prefix, in: checkpoint)) }
    if block == nil { return .float8(try float8(named: prefix, in: checkpoint)) }
    let weights = try weights(named: prefix, in: checkpoint)
    let shape = [weights.outFeatures, weights.inFeatures]
    return .dense(
      try Tensor(elements: weights.dequantized(), .f32, shape: shape, name: prefix))
  }

  /// A layer of 8-bit floats with a scale for each row, as it is stored.
  private func float8(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> Float8Matrix {
    let shape = try shape(of: prefix, in: checkpoint)
    let codes = try checkpoint.tensor(named: prefix + ".weight").bytes.withBytes { [UInt8]($0) }
    let scales = try scales(of: prefix, shape: shape, in: checkpoint).values
    return try CheckpointError.wrapping(layer: prefix) { () throws(TensorError) in
      try Float8Matrix(codes: codes, scales: scales, tokenRounding: tokenRounding)
    }
  }

  /// Codes are stored less 128, which is their highest bit turned over.
  private func integers(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> any LinearWeights {
    let packer = try checkpoint.packer(
      of: prefix, grid(of: prefix, in: checkpoint), scales: prefix + "." + marker)
    let info = try checkpoint.info(of: prefix + ".weight")
    try checkpoint.readRows(of: info, granularity: CodePacker.blockRows) { rows, bytes in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes.count) { codes in
        for index in codes.indices { codes[index] = bytes[index] ^ 128 }
        packer.put(rows, codes: UnsafeBufferPointer(codes))
      }
    }
    return packer.weights
  }

  func matrix(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> QuantizedMatrix {
    guard dtype == .i8 else {
      throw .unsupported(file: checkpoint.directory.path, feature: "\(prefix) of FP8 as codes")
    }
    let grid = try grid(of: prefix, in: checkpoint)
    return try QuantizedMatrix(
      layer: prefix, grid: grid, codes: bytes(prefix + ".weight", in: checkpoint))
  }

  /// The elements of an I8 tensor, each plus 128.
  private func bytes(
    _ name: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> [UInt8] {
    try checkpoint.tensor(named: name).bytes.withBytes { bytes in bytes.map { $0 ^ 128 } }
  }

  /// What the codes of a layer stand for, with everything but the codes read.
  private func grid(
    of prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> CodeGrid {
    let shape = try shape(of: prefix, in: checkpoint)
    var zeros: [Float]?
    let zeroName = prefix + ".weight_zero_point"
    if checkpoint.contains(zeroName) {
      let info = try checkpoint.info(of: zeroName)
      guard info.dtype == .i8, info.range.count == shape[0] || info.range.count == 1 else {
        throw checkpoint.wrong(
          zeroName, "\(info.dtype.rawValue) \(info.shape); I8 [\(shape[0]), 1] expected")
      }
      let stored = try bytes(zeroName, in: checkpoint).map(Float.init)
      let all = stored.count == 1 ? [Float](repeating: stored[0], count: shape[0]) : stored
      zeros = all.allSatisfy { $0 == 128 } ? nil : all
    }
    return try CodeGrid(
      layer: prefix, scheme: summary.schemes[0], outFeatures: shape[0], inFeatures: shape[1],
      scales: scales(of: prefix, shape: shape, in: checkpoint).values, zeros: zeros,
      groupIndex: nil, tokenRounding: tokenRounding)
  }
}
