import Tensors

/// One way of storing quantized linear layers as tensors. Each conformance is the only place that knows its layout, for reading and for writing.
protocol LinearFormat: Sendable {
  /// What the configuration says.
  var summary: QuantizationSummary { get }
  /// A layer is stored in this format when it has a tensor `layer.marker`.
  var marker: String { get }

  /// Reads the layer `prefix`.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or wrong.
  func matrix(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> QuantizedMatrix
}

/// Chooses the format of the quantized layers from the configuration of a model.
///
/// - Parameters:
///   - config: `config.json`.
///   - quantizeConfig: `quantize_config.json`, which counts only when `config` is silent.
/// - Returns: nil when the weights are not quantized.
/// - Throws: `.unsupported` for a method that cannot be read, `.value` for a wrong value.
func linearFormat(
  config: JSONObject, quantizeConfig: JSONObject?
) throws(CheckpointError) -> (any LinearFormat)? {
  // "compression_config" is what older versions of compressed-tensors wrote.
  let key = config.has("quantization_config") ? "quantization_config" : "compression_config"
  let inner = try config.objectIfPresent(key)
  guard let description = inner ?? quantizeConfig else { return nil }
  // quantize_config.json was written by GPTQ tools alone and need not name the method.
  let method = try description.stringIfPresent("quant_method") ?? (inner == nil ? "gptq" : nil)
  switch method {
  case "gptq": return try GPTQFormat(description)
  case "compressed-tensors": return try PackQuantizedFormat(description)
  default:
    throw .unsupported(file: description.file, feature: "quantization method \(method ?? "(none)")")
  }
}

extension Checkpoint {
  /// Reads a tensor that has to be of this type and rank.
  func part(
    _ name: String, _ dtype: DType, rank: Int
  ) throws(CheckpointError) -> Tensor {
    let info = try info(of: name)
    guard info.dtype == dtype, info.shape.count == rank else {
      throw .tensor(
        file: info.shard, tensor: name,
        reason: "\(dtype.rawValue) of \(rank) dimensions expected, "
          + "\(info.dtype.rawValue) \(info.shape) found")
    }
    return try tensor(named: name)
  }

  /// Reads floating-point values that have to be of this shape and finite.
  func finiteFloats(_ name: String, shape: [Int]) throws(CheckpointError) -> [Float] {
    try require(name, shape: shape)
    let values = try floats(named: name)
    guard let position = values.firstIndex(where: { !$0.isFinite }) else { return values }
    throw .tensor(
      file: try info(of: name).shard, tensor: name,
      reason: "element \(position) is \(values[position])")
  }

  /// Makes sure that a tensor has this shape.
  func require(_ name: String, shape: [Int]) throws(CheckpointError) {
    let found = try info(of: name).shape
    guard found == shape else { throw .shape(tensor: name, expected: shape, found: found) }
  }
}

extension QuantizedMatrix {
  /// `init` with the error of this package, naming the layer.
  init(
    layer: String, scheme: QuantizationSummary.Scheme, outFeatures: Int, inFeatures: Int,
    codes: [UInt8], scales: [Float], zeros: [Float]?, groupIndex: [Int32]?
  ) throws(CheckpointError) {
    do {
      try self.init(
        bits: scheme.bits, outFeatures: outFeatures, inFeatures: inFeatures,
        groupSize: scheme.groupSize ?? inFeatures, codes: codes, scales: scales, zeros: zeros,
        groupIndex: groupIndex)
    } catch {
      throw .tensors("layer \(layer): \(error)")
    }
  }
}
