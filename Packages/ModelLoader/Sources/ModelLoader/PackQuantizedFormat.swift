import JSON
import Tensors

/// compressed-tensors' `pack-quantized`: integer weights of 2, 3, 4 or 8 bits, packed along the
/// inputs of each row.
///
/// | tensor | type | shape | content |
/// |---|---|---|---|
/// | `weight_packed` | I32 | [out, ceil(in bits / 32)] | unsigned codes, lowest bits first |
/// | `weight_scale` | F16, BF16 or F32 | [out, groups] | |
/// | `weight_shape` | I64 | [2] | out, in |
/// | `weight_zero_point` | I32 | [ceil(out bits / 32), groups] | unsigned, packed along the outputs; asymmetric only |
/// | or, not whole | F16 | [out, groups] | zero points less `2^(bits-1)`; `zp_dtype` says so |
/// | `weight_g_idx` | I32 | [in] | group of each input; activation order only |
///
/// Source: vllm-project/compressed-tensors, `compressors/pack_quantized`,
/// `quantization/quant_config.py`. Widths and group sizes are told apart by the shapes of the
/// tensors among those that the configuration names, so that its target patterns need not be
/// evaluated.
struct PackQuantizedFormat: LinearFormat {
  let summary: QuantizationSummary
  let marker = "weight_packed"
  private let file: String

  /// Reads `quantization_config`.
  ///
  /// - Throws: `.unsupported` for other formats, activation quantization and float weights;
  ///   `.value`.
  init(_ description: JSONObject) throws(CheckpointError) {
    file = description.file
    let format = try description.string("format")
    let groups = try description.object("config_groups")
    var schemes: [QuantizationSummary.Scheme] = []
    for name in groups.members.keys.sorted() {
      let group = try groups.object(name)
      let groupFormat = try group.stringIfPresent("format") ?? format
      guard groupFormat == Self.name else {
        throw .unsupported(
          file: file,
          feature:
            "compressed-tensors format \(groupFormat) (read are pack-quantized, int-quantized "
            + "and float-quantized)")
      }
      guard !group.has("input_activations") else {
        throw .unsupported(file: file, feature: "quantization of activations (\(group.path))")
      }
      schemes.append(try Self.scheme(group.object("weights")))
    }
    guard !schemes.isEmpty else {
      throw description.wrong("config_groups", expected: "at least one group")
    }
    summary = QuantizationSummary(method: .packQuantized, schemes: schemes)
  }

  static let name = "pack-quantized"

  private static func scheme(
    _ weights: JSONObject
  ) throws(CheckpointError) -> QuantizationSummary.Scheme {
    guard try weights.stringIfPresent("type") ?? "int" == "int" else {
      throw .unsupported(file: weights.file, feature: "\(weights.path).type other than int")
    }
    let bits = try weights.codeBits("num_bits") { "\(weights.path).num_bits \($0)" }
    let size = try weights.integerIfPresent("group_size", in: -1...Int(Int32.max))
    switch try weights.stringIfPresent("strategy") ?? (size ?? -1 > 0 ? "group" : "channel") {
    case "channel": return .init(bits: bits, groupSize: nil)
    case "group":
      guard let size, size > 0 else {
        throw weights.wrong("group_size", expected: "a positive integer")
      }
      return .init(bits: bits, groupSize: size)
    case let other:
      throw .unsupported(file: weights.file, feature: "\(weights.path).strategy \(other)")
    }
  }

  // MARK: Reading

  func shape(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> [Int] {
    let (rows, columns) = try size(of: prefix, in: checkpoint)
    return [rows, columns]
  }

  func matrix(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> QuantizedMatrix {
    let grid = try grid(of: prefix, in: checkpoint)
    let packed = try checkpoint.part(prefix + ".weight_packed", .i32, rank: 2)
    return try QuantizedMatrix(
      layer: prefix, grid: grid,
      codes: CodePacking(bits: grid.bits).unpackRows(
        packed.bytes, rows: grid.outFeatures, columns: grid.inFeatures,
        workers: checkpoint.workers))
  }

  func weights(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> any LinearWeights {
    let grid = try grid(of: prefix, in: checkpoint)
    let packer = try checkpoint.packer(of: prefix, grid, scales: prefix + ".weight_scale")
    let packing = CodePacking(bits: grid.bits)
    let packed = try checkpoint.info(of: prefix + ".weight_packed")
    try checkpoint.readRows(of: packed, granularity: CodePacker.blockRows) { rows, words in
      if packer.takesWords {
        packer.put(rows, words: words)
      } else {
        packing.forEachBlock(ofRows: rows, columns: grid.inFeatures, words) {
          packer.put($0, codes: $1)
        }
      }
    }
    return packer.weights
  }

  /// What the codes of a layer stand for, with everything but the codes read.
  private func grid(
    of prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> CodeGrid {
    let (rows, columns) = try size(of: prefix, in: checkpoint)
    let packed = try checkpoint.requirePart(prefix + ".weight_packed", .i32, rank: 2)
    let scaleShape = try checkpoint.info(of: prefix + ".weight_scale").shape
    let fitting = Set(summary.schemes).filter {
      packed.shape == [rows, CodePacking(bits: $0.bits).words(for: columns)]
        && scaleShape == [rows, $0.groups(inputs: columns)]
    }
    // Where one group takes the whole row its nominal size makes no difference.
    let smallest = fitting.min { $0.groupSize ?? .max < $1.groupSize ?? .max }
    let isOneGroup = scaleShape.last == 1 && Set(fitting.map(\.bits)).count == 1
    let candidates = isOneGroup ? Set([smallest].compactMap(\.self)) : fitting
    guard candidates.count == 1, let scheme = candidates.first else {
      throw checkpoint.wrong(
        prefix + ".weight_packed",
        "[\(rows), \(columns)] as \(packed.shape) with scales \(scaleShape) fits "
          + "\(candidates.count) of the schemes in config.json; one is expected")
    }
    return try CodeGrid(
      layer: prefix, scheme: scheme, outFeatures: rows, inFeatures: columns,
      scales: checkpoint.finiteFloats(prefix + ".weight_scale", shape: scaleShape),
      zeros: zeros(of: prefix, CodePacking(bits: scheme.bits), shape: scaleShape, in: checkpoint),
      groupIndex: checkpoint.groupIndex(prefix + ".weight_g_idx", inputs: columns))
  }

  private func size(
    of prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> (rows: Int, columns: Int) {
    let name = prefix + ".weight_shape"
    try checkpoint.require(name, shape: [2])
    let values = try checkpoint.part(name, .i64, rank: 1).bytes.withBytes {
      [Int64]($0.bindMemory(to: Int64.self))
    }
    guard values.allSatisfy({ (1...Int64(Int32.max)).contains($0) }) else {
      throw checkpoint.wrong(name, "\(values) is no size of a matrix")
    }
    return (Int(values[0]), Int(values[1]))
  }

  private func zeros(
    of prefix: String, _ packing: CodePacking, shape: [Int], in checkpoint: Checkpoint
  ) throws(CheckpointError) -> [Float]? {
    let name = prefix + ".weight_zero_point"
    guard checkpoint.contains(name) else { return nil }
    guard try checkpoint.info(of: name).dtype == .i32 else {
      let middle = Float(1 << (packing.bits - 1))
      return try checkpoint.finiteFloats(name, shape: shape).map { $0 + middle }
    }
    try checkpoint.require(name, shape: [packing.words(for: shape[0]) ?? 0, shape[1]])
    let words = try checkpoint.part(name, .i32, rank: 2)
    // The stream runs along the outputs: [groups, out] after unpacking.
    let codes = try packing.unpackColumns(
      words.bytes, rows: shape[1], columns: shape[0], workers: checkpoint.workers)
    return transposed(codes.map(Float.init), rows: shape[1], columns: shape[0])
  }
}

/// Writes `pack-quantized` layers.
struct PackQuantizedEncoder: LinearEncoder {
  /// The floating-point type of the model: readers of this format expect scales in it.
  let scaleType: DType

  func check(_ layer: PlannedLayer) throws(CheckpointError) {
    try layer.checkGroupsAndZeros(for: "compressed-tensors")
  }

  func tensors(
    of matrix: QuantizedMatrix, named prefix: String, workers: Int
  ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
    let (rows, columns) = (matrix.outFeatures, matrix.inFeatures)
    let packing = CodePacking(bits: matrix.bits)
    var tensors: [(name: String, tensor: Tensor)] = []
    func add(_ part: String, _ tensor: (String) throws(CheckpointError) -> Tensor)
      throws(CheckpointError)
    {
      let name = prefix + "." + part
      tensors.append((name, try tensor(name)))
    }
    try add("weight_packed") { (name) throws(CheckpointError) in
      let words = try packing.packRows(matrix.codes, rows: rows, columns: columns, workers: workers)
      return try Tensor(elements: words, .i32, shape: [rows, words.count / rows], name: name)
    }
    try add("weight_scale") { (name) throws(CheckpointError) in
      try Tensor(rounding: matrix.scales, to: scaleType, shape: [rows, matrix.groups], name: name)
    }
    try add("weight_shape") { (name) throws(CheckpointError) in
      try Tensor(elements: [Int64(rows), Int64(columns)], .i64, shape: [2], name: name)
    }
    if let zeros = matrix.zeros {
      try add("weight_zero_point") { (name) throws(CheckpointError) in
        try zeroPoints(zeros, of: matrix, packing, name: name)
      }
    }
    if let index = matrix.groupIndex {
      try add("weight_g_idx") { (name) throws(CheckpointError) in
        try Tensor(elements: index, .i32, shape: [columns], name: name)
      }
    }
    return tensors
  }

  private func zeroPoints(
    _ zeros: [Float], of matrix: QuantizedMatrix, _ packing: CodePacking, name: String
  ) throws(CheckpointError) -> Tensor {
    let (rows, groups) = (matrix.outFeatures, matrix.groups)
    guard let codes = matrix.wholeZeros else {
      return try Tensor(
        rounding: zeros.map { $0 - matrix.symmetricZero }, to: .f16, shape: [rows, groups],
        name: name)
    }
    let words = try packing.packColumns(
      transposed(codes, rows: rows, columns: groups), rows: groups, columns: rows, workers: 1)
    return try Tensor(elements: words, .i32, shape: [words.count / groups, groups], name: name)
  }

  func configuration(of layers: [QuantizedLayer], dense: [String]) -> JSONValue {
    var kinds: [QuantizedLayer.Kind] = []
    for layer in layers where !kinds.contains(layer.kind) { kinds.append(layer.kind) }
    var groups: OrderedObject<JSONValue> = [:]
    for (number, kind) in kinds.enumerated() {
      let names = layers.filter { $0.kind == kind }.map { JSONValue.string($0.name) }
      groups["group_\(number)"] = .object([
        "targets": .array(kinds.count == 1 ? [.string("Linear")] : names),
        "weights": weights(kind), "input_activations": .null, "output_activations": .null,
      ])
    }
    // A tied head is a linear layer too, though it has no tensor that would tell.
    let quantized = Set(layers.map(\.name))
    let ignored = Set(dense).union(["lm_head"]).subtracting(quantized).sorted()
    return .object([
      "quant_method": .string("compressed-tensors"),
      "format": .string(PackQuantizedFormat.name), "quantization_status": .string("compressed"),
      "config_groups": .object(groups), "ignore": .array(ignored.map(JSONValue.string)),
      "kv_cache_scheme": .null, "global_compression_ratio": .null,
    ])
  }

  private func weights(_ kind: QuantizedLayer.Kind) -> JSONValue {
    var weights: OrderedObject<JSONValue> = [
      "num_bits": .integer(kind.scheme.bits), "type": .string("int"),
      "symmetric": .bool(kind.isSymmetric),
      "strategy": .string(kind.scheme.groupSize == nil ? "channel" : "group"),
      "group_size": kind.scheme.groupSize.map(JSONValue.integer) ?? .null,
      "dynamic": .bool(false), "actorder": kind.hasGroupIndex ? .string("group") : .null,
      "block_structure": .null, "observer": .string("minmax"), "observer_kwargs": .object([:]),
    ]
    if !kind.hasWholeZeros { weights["zp_dtype"] = .string("torch.float16") }
    return .object(weights)
  }
}
