import JSON
import Tensors

/// Writes `int-quantized` and `float-quantized` layers of compressed-tensors, as vLLM and SGLang
/// load them: `EightBitFormat` says how they lie. Activations are rounded at run time, so that
/// files hold nothing of them but the wish.
struct EightBitEncoder: LinearEncoder {
  /// The floating-point type of the model: readers of this format expect scales in it.
  let scaleType: DType
  /// E4M3 instead of integers.
  let isFloat: Bool

  private var name: String { isFloat ? "float-quantized" : "int-quantized" }
  private var rounding: TokenRounding { isFloat ? .float8 : .int8 }

  func checkForm(_ layer: PlannedLayer) throws(CheckpointError) {
    guard layer.isFloat8 == isFloat, layer.bits == 8, layer.groupSize == nil, layer.isSymmetric,
      layer.tokenRounding == rounding
    else {
      throw .unsupported(
        file: layer.name,
        feature:
          "\(layer.formName) beside layers of 8 bits with activations of 8 bits in \(name) files; "
          + "take one --scheme for all layers, or keep some as they are")
    }
  }

  func check(_ layer: PlannedLayer) throws(CheckpointError) {}

  func tensors(
    of matrix: QuantizedMatrix, named prefix: String, workers: Int
  ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
    guard !isFloat, matrix.bits == 8, matrix.groups == 1, matrix.zeros == nil else {
      throw .unsupported(file: prefix, feature: "\(matrix.storageName) in \(name) files")
    }
    // Codes are stored less 128, which is their highest bit turned over.
    let codes = matrix.codes.map { $0 ^ 128 }
    return try tensors(
      prefix, codes, .i8, [matrix.outFeatures, matrix.inFeatures], scales: matrix.scales)
  }

  func tensors(
    of matrix: Float8Matrix, named prefix: String
  ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
    guard isFloat else {
      throw .unsupported(file: prefix, feature: "8-bit floats in \(name) files")
    }
    return try tensors(
      prefix, matrix.codes, .f8e4m3, [matrix.outFeatures, matrix.inFeatures],
      scales: matrix.scales)
  }

  private func tensors(
    _ prefix: String, _ codes: [UInt8], _ type: DType, _ shape: [Int], scales: [Float]
  ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
    let (weight, scale) = (prefix + ".weight", prefix + ".weight_scale")
    return [
      (weight, try Tensor(elements: codes, type, shape: shape, name: weight)),
      (scale, try Tensor(rounding: scales, to: scaleType, shape: [shape[0], 1], name: scale)),
    ]
  }

  func configuration(of layers: [QuantizedLayer], dense: [String]) -> JSONValue {
    // A tied head is a linear layer too, though it has no tensor that would tell.
    let quantized = Set(layers.map(\.name))
    let ignored = Set(dense).union(["lm_head"]).subtracting(quantized).sorted()
    func side(_ strategy: String, dynamic: Bool) -> JSONValue {
      .object([
        "num_bits": .integer(8), "type": .string(isFloat ? "float" : "int"),
        "symmetric": .bool(true), "group_size": .null, "strategy": .string(strategy),
        "block_structure": .null, "dynamic": .bool(dynamic), "actorder": .null,
        "observer": dynamic ? .null : .string("minmax"), "observer_kwargs": .object([:]),
      ])
    }
    return .object([
      "quant_method": .string("compressed-tensors"), "format": .string(name),
      "quantization_status": .string("compressed"),
      "config_groups": .object([
        "group_0": .object([
          "targets": .array([.string("Linear")]), "weights": side("channel", dynamic: false),
          "input_activations": side("token", dynamic: true), "output_activations": .null,
        ])
      ]),
      "ignore": .array(ignored.map(JSONValue.string)), "kv_cache_scheme": .null,
      "global_compression_ratio": .null,
    ])
  }
}
