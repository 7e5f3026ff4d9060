import JSON
import Tensors

/// Layers with outliers and tokens rounded between their least and largest (W4A4), which run here
/// alone: no format of other programs has a place for them. The tensors of a layer are those of
/// `pack-quantized`, and beside them
///
/// | tensor | type | shape | content |
/// |---|---|---|---|
/// | `weight_packed` | I32 | [out, ceil((in - outliers) bits / 32)] | codes of the inputs beside the outliers, in their order |
/// | `outlier_columns` | I32 | [outliers] | the outliers, rising; absent without any |
/// | `outlier_weight` | F32, F16 or BF16 | [out, outliers] | their weights |
///
/// The configuration says for each group of layers, named one by one, bits, what becomes of the
/// activations, and whether inputs are rotated first.
struct OutlierFormat: LinearFormat {
  /// What holds for some layers.
  struct Kind: Hashable {
    let bits: Int
    let rounding: TokenRounding
    let isRotated: Bool
  }

  static let name = "bitbudget"

  let summary: QuantizationSummary
  let marker = "weight_packed"
  private let kinds: [String: Kind]

  /// Reads `quantization_config`.
  ///
  /// - Throws: `.value`.
  init(_ description: JSONObject) throws(CheckpointError) {
    let groups = try description.object("config_groups")
    var kinds: [String: Kind] = [:]
    var schemes: [QuantizationSummary.Scheme] = []
    for name in groups.members.keys.sorted() {
      let group = try groups.object(name)
      let bits = try group.object("weights").integer("num_bits", in: 4...8)
      let text = try group.string("activations")
      guard [4, 8].contains(bits), let rounding = TokenRounding(rawValue: text),
        rounding.codeBits != nil
      else { throw group.wrong("activations", expected: "between4 or between8, of 4 or 8 bits") }
      let kind = Kind(
        bits: bits, rounding: rounding,
        isRotated: try group.boolIfPresent("rotated_inputs") ?? false)
      for target in try group.arrayIfPresent("targets") ?? [] {
        guard let layer = target.string else {
          throw group.wrong("targets", expected: "names of layers")
        }
        kinds[layer] = kind
      }
      schemes.append(.init(bits: bits, groupSize: nil, activations: rounding))
    }
    guard !kinds.isEmpty else {
      throw description.wrong("config_groups", expected: "at least one group with targets")
    }
    self.kinds = kinds
    summary = QuantizationSummary(method: .bitbudget, schemes: schemes)
  }

  func shape(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> [Int] {
    let name = prefix + ".weight_shape"
    try checkpoint.require(name, shape: [2])
    let values = try checkpoint.part(name, .i64, rank: 1).bytes.withBytes {
      [Int64]($0.bindMemory(to: Int64.self))
    }
    guard values.allSatisfy({ (1...Int64(Int32.max)).contains($0) }) else {
      throw checkpoint.wrong(name, "\(values) is no size of a matrix")
    }
    return values.map { Int($0) }
  }

  func matrix(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> QuantizedMatrix {
    let matrix = try outlierMatrix(named: prefix, in: checkpoint)
    guard matrix.columns.isEmpty, matrix.rotation == nil else {
      throw .unsupported(
        file: checkpoint.directory.path, feature: "\(prefix) with outliers as codes alone")
    }
    return matrix.rest
  }

  func stored(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> StoredLinear {
    .outliers(try outlierMatrix(named: prefix, in: checkpoint))
  }

  func storageName(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> String {
    let matrix = try outlierMatrix(named: prefix, in: checkpoint)
    return "\(matrix.rest.bits) bits, one scale a row, \(matrix.columns.count) outliers"
      + (matrix.rotation == nil ? "" : ", rotated inputs")
  }

  private func outlierMatrix(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> OutlierMatrix {
    let shape = try shape(of: prefix, in: checkpoint)
    guard let kind = kinds[prefix] else {
      throw checkpoint.wrong(prefix + ".weight_packed", "config.json names no such layer")
    }
    let columns = try columns(of: prefix, in: checkpoint)
    let others = shape[1] - columns.count
    let packing = CodePacking(bits: kind.bits)
    guard others > 0, let words = packing.words(for: others) else {
      throw checkpoint.wrong(prefix + ".weight_shape", "\(shape) with \(columns.count) outliers")
    }
    let name = prefix + ".weight_packed"
    try checkpoint.require(name, shape: [shape[0], words])
    let codes = try packing.unpackRows(
      checkpoint.part(name, .i32, rank: 2).bytes, rows: shape[0], columns: others,
      workers: checkpoint.workers)
    let grid = try CodeGrid(
      layer: prefix, scheme: .init(bits: kind.bits, groupSize: nil), outFeatures: shape[0],
      inFeatures: others,
      scales: checkpoint.finiteFloats(prefix + ".weight_scale", shape: [shape[0], 1]),
      zeros: nil, groupIndex: nil, tokenRounding: kind.rounding)
    let outliers: Tensor?
    if columns.isEmpty {
      outliers = nil
    } else {
      let name = prefix + ".outlier_weight"
      try checkpoint.require(name, shape: [shape[0], columns.count])
      _ = try checkpoint.finiteFloats(name, shape: [shape[0], columns.count])
      outliers = try checkpoint.tensor(named: name)
    }
    let rotation = kind.isRotated ? Hadamard(width: shape[1]) : nil
    if kind.isRotated, rotation == nil {
      throw checkpoint.wrong(name, "rotated inputs of width \(shape[1]), no Hadamard order")
    }
    let rest = try QuantizedMatrix(layer: prefix, grid: grid, codes: codes)
    do {
      return try OutlierMatrix(
        rest: rest, columns: columns, outliers: outliers, rotation: rotation)
    } catch {
      throw .tensors("layer \(prefix): \(error)")
    }
  }

  private func columns(
    of prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> [Int32] {
    let name = prefix + ".outlier_columns"
    guard checkpoint.contains(name) else { return [] }
    return try checkpoint.part(name, .i32, rank: 1).bytes.withBytes {
      [Int32]($0.bindMemory(to: Int32.self))
    }
  }
}

/// Writes such layers.
struct OutlierEncoder: LinearEncoder {
  let scaleType: DType

  func checkForm(_ layer: PlannedLayer) throws(CheckpointError) {
    guard layer.tokenRounding?.codeBits != nil, !layer.isFloat8, [4, 8].contains(layer.bits),
      layer.groupSize == nil, layer.isSymmetric
    else {
      throw .unsupported(
        file: layer.name,
        feature: "\(layer.formName) beside layers of W4A4 in one checkpoint; take W4A4 or W8A8 of "
          + "their kind for all layers, or keep some as they are")
    }
  }

  func check(_ layer: PlannedLayer) throws(CheckpointError) {
    throw .unsupported(
      file: layer.name,
      feature: "\(layer.formName) in files for other programs: such layers run here alone; write "
        + "--format zstd, or safetensors for the values of the weights: this")
  }

  func tensors(
    of matrix: QuantizedMatrix, named prefix: String, workers: Int
  ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
    throw .unsupported(file: prefix, feature: "\(matrix.storageName) beside layers of W4A4")
  }

  func tensors(
    of matrix: OutlierMatrix, named prefix: String, workers: Int
  ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
    let rows = matrix.outFeatures
    let words = try CodePacking(bits: matrix.rest.bits).packRows(
      matrix.rest.codes, rows: rows, columns: matrix.rest.inFeatures, workers: workers)
    func part(_ name: String) -> String { prefix + "." + name }
    var tensors: [(name: String, tensor: Tensor)] = [
      (
        part("weight_packed"),
        try Tensor(
          elements: words, .i32, shape: [rows, words.count / rows], name: part("weight_packed"))
      ),
      (
        part("weight_scale"),
        try Tensor(
          rounding: matrix.rest.scales, to: scaleType, shape: [rows, 1],
          name: part("weight_scale"))
      ),
      (
        part("weight_shape"),
        try Tensor(
          elements: [Int64(rows), Int64(matrix.inFeatures)], .i64, shape: [2],
          name: part("weight_shape"))
      ),
    ]
    if let outliers = matrix.outliers {
      tensors += [
        (
          part("outlier_columns"),
          try Tensor(
            elements: matrix.columns, .i32, shape: [matrix.columns.count],
            name: part("outlier_columns"))
        ), (part("outlier_weight"), outliers),
      ]
    }
    return tensors
  }

  func configuration(of layers: [QuantizedLayer], dense: [String]) -> JSONValue {
    var kinds: [OutlierFormat.Kind] = []
    func kind(_ layer: QuantizedLayer) -> OutlierFormat.Kind {
      OutlierFormat.Kind(
        bits: layer.kind.scheme.bits, rounding: layer.kind.scheme.activations ?? .between8,
        isRotated: layer.kind.isRotated)
    }
    for layer in layers where !kinds.contains(kind(layer)) { kinds.append(kind(layer)) }
    var groups: OrderedObject<JSONValue> = [:]
    for (number, one) in kinds.enumerated() {
      let names = layers.filter { kind($0) == one }.map { JSONValue.string($0.name) }
      groups["group_\(number)"] = .object([
        "targets": .array(names), "activations": .string(one.rounding.rawValue),
        "rotated_inputs": .bool(one.isRotated),
        "weights": .object([
          "num_bits": .integer(one.bits), "type": .string("int"), "symmetric": .bool(true),
          "strategy": .string("channel"),
        ]),
      ])
    }
    return .object([
      "quant_method": .string(OutlierFormat.name), "config_groups": .object(groups),
      "ignore": .array(dense.sorted().map(JSONValue.string)),
    ])
  }
}
