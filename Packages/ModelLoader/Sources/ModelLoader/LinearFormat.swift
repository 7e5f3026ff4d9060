import JSON
import Tensors

/// One way of storing quantized linear layers as tensors. Each conformance is the only place that
/// knows its layout, for reading and for writing.
protocol LinearFormat: Sendable {
  /// What the configuration says.
  var summary: QuantizationSummary { get }
  /// A layer is stored in this format when it has a tensor `layer.marker`.
  var marker: String { get }
  /// Whether that tensor stands beside `layer.weight`, which holds the codes.
  var standsBesideWeight: Bool { get }

  /// Reads the layer `prefix`.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or wrong.
  func matrix(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> QuantizedMatrix

  /// Reads the layer `prefix` for copying: as codes where they say all, else its values.
  ///
  /// - Throws: as `matrix`.
  func stored(named prefix: String, in checkpoint: Checkpoint) throws(CheckpointError)
    -> StoredLinear

  /// Reads the layer `prefix` into the form in which it is multiplied.
  ///
  /// - Throws: as `matrix`, `.tensors` where memory is short.
  func weights(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> any LinearWeights

  /// The size `[out, in]` of the layer `prefix`, without reading its codes.
  ///
  /// - Throws: as `matrix`.
  func shape(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> [Int]

  /// The form of the layer `prefix` in words.
  ///
  /// - Throws: as `matrix`.
  func storageName(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> String
}

extension LinearFormat {
  var standsBesideWeight: Bool { false }

  func stored(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> StoredLinear {
    .quantized(try matrix(named: prefix, in: checkpoint))
  }

  func weights(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> any LinearWeights {
    let stored = try stored(named: prefix, in: checkpoint)
    return try CheckpointError.wrapping(layer: prefix) { () throws(TensorError) in
      try stored.packed(name: prefix)
    }
  }

  func storageName(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> String {
    try matrix(named: prefix, in: checkpoint).storageName
  }
}

/// The writing side of a `LinearFormat`.
protocol LinearEncoder: Sendable {
  /// The type in which scales are stored.
  var scaleType: DType { get }

  /// Makes sure that the format has a place for a layer of this form, whoever reads it.
  ///
  /// - Throws: `.unsupported` naming the layer and what the format cannot hold.
  func checkForm(_ layer: PlannedLayer) throws(CheckpointError)

  /// Makes sure that other programs will read a layer of this form.
  ///
  /// - Throws: `.unsupported` naming the layer and what the format cannot hold.
  func check(_ layer: PlannedLayer) throws(CheckpointError)

  /// The tensors that store `matrix` as the layer `prefix`, under their full names.
  ///
  /// - Throws: `CheckpointError` when the format cannot hold the matrix.
  func tensors(
    of matrix: QuantizedMatrix, named prefix: String, workers: Int
  ) throws(CheckpointError) -> [(name: String, tensor: Tensor)]

  /// The same of 8-bit floats.
  ///
  /// - Throws: as above.
  func tensors(
    of matrix: Float8Matrix, named prefix: String
  ) throws(CheckpointError) -> [(name: String, tensor: Tensor)]

  /// The same of codes beside outliers.
  ///
  /// - Throws: as above.
  func tensors(
    of matrix: OutlierMatrix, named prefix: String, workers: Int
  ) throws(CheckpointError) -> [(name: String, tensor: Tensor)]

  /// The `quantization_config` of a checkpoint with these quantized `layers`, at least one, in the
  /// order in which they were written, and the linear layers `dense` that were not quantized.
  func configuration(of layers: [QuantizedLayer], dense: [String]) -> JSONValue
}

extension LinearEncoder {
  /// Integers whose activations nobody rounds: what most formats are for.
  func checkForm(_ layer: PlannedLayer) throws(CheckpointError) {
    guard layer.tokenRounding == nil, !layer.isFloat8 else {
      throw .unsupported(
        file: layer.name,
        feature: "\(layer.formName) in such files; --format compressed-tensors and zstd hold "
          + "layers of one --scheme")
    }
  }

  /// Most formats have none.
  func tensors(
    of matrix: Float8Matrix, named prefix: String
  ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
    throw .unsupported(file: prefix, feature: "8-bit floats in files of this form")
  }

  /// Most formats have none.
  func tensors(
    of matrix: OutlierMatrix, named prefix: String, workers: Int
  ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
    throw .unsupported(file: prefix, feature: "outliers in files of this form")
  }
}

/// What a linear layer is going to be quantized to.
public struct PlannedLayer: Sendable, Hashable {
  let name: String
  let outFeatures: Int
  let inFeatures: Int
  let bits: Int
  /// Inputs that share a scale; nil for one scale a row.
  let groupSize: Int?
  /// Whether all zero points will be in the middle of the codes.
  let isSymmetric: Bool
  /// Whether every zero point will be a code.
  let hasWholeZeros: Bool
  /// What becomes of the activations.
  public var tokenRounding: TokenRounding?
  /// Whether codes are 8-bit floats, not integers.
  public var isFloat8 = false

  /// The form in words.
  var formName: String {
    (isFloat8 ? "FP8" : "\(bits)-bit weights")
      + (tokenRounding.map { " with activations rounded to \($0.rawValue)" } ?? "")
  }

  /// A layer `[out, in]`.
  public init(
    name: String, outFeatures: Int, inFeatures: Int, bits: Int, groupSize: Int?,
    isSymmetric: Bool, hasWholeZeros: Bool
  ) {
    self.name = name
    self.bits = bits
    self.isSymmetric = isSymmetric
    self.outFeatures = outFeatures
    self.inFeatures = inFeatures
    self.groupSize = groupSize
    self.hasWholeZeros = hasWholeZeros
  }

  /// Makes sure that readers of `format` find whole groups and whole zero points.
  ///
  /// - Throws: `.unsupported`.
  func checkGroupsAndZeros(for format: String) throws(CheckpointError) {
    if let groupSize, inFeatures > groupSize, inFeatures % groupSize != 0 {
      throw .unsupported(
        file: name,
        feature: "a last group that is short (\(inFeatures) inputs in groups of \(groupSize)) in "
          + "\(format) files, which other programs refuse; take a --group-size that divides \(inFeatures), or 0, "
          + "or write --format zstd or safetensors: this")
    }
    guard hasWholeZeros else {
      throw .unsupported(
        file: name,
        feature:
          "a zero point that is no code, as hqq finds them on the asymmetric grid, in \(format) files; "
          + "leave out --asymmetric, take --method gptq or rtn, or write --format zstd or safetensors: this"
      )
    }
  }
}

/// What the configuration has to say about one quantized layer.
struct QuantizedLayer {
  /// What layers of one entry in the configuration have in common.
  struct Kind: Hashable {
    let scheme: QuantizationSummary.Scheme
    let isSymmetric: Bool
    let hasGroupIndex: Bool
    let hasWholeZeros: Bool
    let isRotated: Bool
  }

  let name: String
  let kind: Kind

  /// Describes the layers of one checkpoint.
  ///
  /// A layer with one group a row has no group size of its own: it takes that of another layer if
  /// its inputs are no more, and counts as one scale per row if there is none.
  static func describe(_ matrices: [(name: String, shape: MatrixShape)]) -> [QuantizedLayer] {
    let sizes = Set(matrices.filter { $0.shape.groups > 1 }.map(\.shape.groupSize))
    return matrices.map { name, shape in
      let own = shape.groups > 1 ? shape.groupSize : sizes.filter(shape.fitsIntoGroup(of:)).min()
      return QuantizedLayer(
        name: name,
        kind: Kind(
          scheme: .init(bits: shape.bits, groupSize: own, activations: shape.activations),
          isSymmetric: shape.isSymmetric, hasGroupIndex: shape.hasGroupIndex,
          hasWholeZeros: shape.hasWholeZeros, isRotated: shape.isRotated))
    }
  }

  /// What remains of a matrix when its codes have been written.
  struct MatrixShape {
    let bits: Int
    let inFeatures: Int
    let groupSize: Int
    let groups: Int
    let isSymmetric: Bool
    let hasGroupIndex: Bool
    let hasWholeZeros: Bool
    let activations: TokenRounding?
    var isFloat8 = false
    var isRotated = false

    /// Whether one scale a row may as well be called that of a group of `size` inputs.
    func fitsIntoGroup(of size: Int) -> Bool {
      size >= inFeatures && activations == nil && !isFloat8
    }

    /// Codes beside outliers.
    init(_ matrix: OutlierMatrix) {
      self.init(matrix.rest)
      isRotated = matrix.rotation != nil
    }

    /// 8-bit floats.
    init(_ matrix: Float8Matrix) {
      (bits, inFeatures, groupSize, groups) = (8, matrix.inFeatures, matrix.inFeatures, 1)
      isFloat8 = true
      (isSymmetric, hasGroupIndex, hasWholeZeros) = (true, false, true)
      activations = matrix.tokenRounding
    }

    init(_ matrix: QuantizedMatrix) {
      bits = matrix.bits
      inFeatures = matrix.inFeatures
      groupSize = matrix.groupSize
      groups = matrix.groups
      isSymmetric = matrix.zeros == nil
      hasGroupIndex = matrix.groupIndex != nil
      hasWholeZeros = matrix.wholeZeros != nil
      activations = matrix.tokenRounding
    }
  }
}

extension QuantizedMatrix {
  /// The zero points `[out, groups]` as codes, or nil when one of them is no code.
  var wholeZeros: [UInt8]? {
    guard let zeros else {
      return [UInt8](repeating: UInt8(symmetricZero), count: scales.count)
    }
    let codes = zeros.compactMap { UInt8(exactly: $0) }.filter { Int($0) < 1 << bits }
    return codes.count == zeros.count ? codes : nil
  }
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
  let key = quantizationKey(of: config)
  let inner = try config.objectIfPresent(key)
  guard let description = inner ?? quantizeConfig else { return nil }
  try QuantizationExtras.refuse(in: description)
  // quantize_config.json was written by GPTQ tools alone and need not name the method.
  let method = try description.stringIfPresent("quant_method") ?? (inner == nil ? "gptq" : nil)
  switch method {
  case "gptq": return try GPTQFormat(description)
  case "awq": return try AWQFormat(description)
  case OutlierFormat.name: return try OutlierFormat(description)
  case "fp8": return try EightBitFormat(float8: description)
  case "compressed-tensors":
    let format = try description.stringIfPresent("format") ?? ""
    return ["int-quantized", "float-quantized"].contains(format)
      ? try EightBitFormat(compressedTensors: description, format: format)
      : try PackQuantizedFormat(description)
  default:
    let isMLX = method == nil && description.has("bits") && description.has("group_size")
    let found =
      method.map { "quant_method \($0)" } ?? (isMLX ? "MLX" : "a \(key) without quant_method")
    throw .unsupported(
      file: description.file,
      feature: "quantization by \(found) "
        + "(read are gptq, awq, fp8 and compressed-tensors with pack-quantized, int-quantized or "
        + "float-quantized; otherwise take the unquantized model and run `bitbudget quantize` on it, "
        + "or a GGUF file)")
  }
}

/// The key of a `config.json` under which the quantization is described.
///
/// "compression_config" is what older versions of compressed-tensors wrote. MLX has "quantization",
/// often alone.
func quantizationKey(of config: JSONObject) -> String {
  ["quantization_config", "compression_config", "quantization"].first(where: config.has)
    ?? "quantization_config"
}
