import JSON
import Tensors

/// The files of GPTQ tools, packed along the inputs of each column, in version 1 and 2.
///
/// | tensor | type | shape | content |
/// |---|---|---|---|
/// | `qweight` | I32 | [in bits / 32, out] | unsigned codes, lowest bits first, along the inputs |
/// | `qzeros` | I32 | [groups, out bits / 32] | zero points along the outputs; version 1: minus one |
/// | `scales` | F16 or BF16 | [groups, out] | |
/// | `g_idx` | I32 | [in] | group of each input |
///
/// Source: ModelCloud/GPTQModel, `nn_modules/qlinear`, `utils/model.py`, `quantization/config.py`.
/// A version-1 field of all ones is zero point 0 to some readers and `2^bits` to others, so it is
/// refused.
struct GPTQFormat: LinearFormat {
  let summary: QuantizationSummary
  let marker = "qweight"
  private let file: String
  /// Whether single layers may differ from the scheme in the configuration.
  private let isMixed: Bool

  /// Reads `quantization_config` or `quantize_config.json`.
  ///
  /// - Throws: `.unsupported` for other file formats or widths, `.value`.
  init(_ description: JSONObject) throws(CheckpointError) {
    file = description.file
    let key = description.has("checkpoint_format") ? "checkpoint_format" : "format"
    let version = try description.stringIfPresent(key) ?? "gptq"
    guard let method = QuantizationSummary.Method(rawValue: version),
      method == .gptq || method == .gptqV2
    else {
      throw .unsupported(file: file, feature: "GPTQ checkpoint_format \(version)")
    }
    let word = try description.stringIfPresent("pack_dtype") ?? "int32"
    guard word == "int32" else {
      throw .unsupported(file: file, feature: "GPTQ pack_dtype \(word)")
    }
    let bits = try description.codeBits("bits") { "GPTQ with \($0) bits" }
    isMixed = description.has("dynamic")
    summary = QuantizationSummary(
      method: method,
      schemes: [.init(bits: bits, groupSize: try description.groupSize("group_size"))])
  }

  // MARK: Reading

  func matrix(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> QuantizedMatrix {
    let grid = try grid(of: prefix, in: checkpoint)
    let qweight = try checkpoint.part(prefix + ".qweight", .i32, rank: 2)
    return try QuantizedMatrix(
      layer: prefix, grid: grid,
      codes: CodePacking(bits: grid.bits).unpackColumns(
        qweight.bytes, rows: grid.outFeatures, columns: grid.inFeatures,
        workers: checkpoint.workers))
  }

  func weights(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> any LinearWeights {
    let grid = try grid(of: prefix, in: checkpoint)
    let packer = try checkpoint.packer(of: prefix, grid, scales: prefix + ".scales")
    let info = try checkpoint.info(of: prefix + ".qweight")
    if packer.takesWords {
      try checkpoint.readRows(of: info) { packer.put(words: $0, columns: $1) }
    } else {
      try CodePacking(bits: grid.bits).forEachBlock(
        ofColumns: checkpoint.tensor(named: info.name).bytes, rows: grid.outFeatures,
        columns: grid.inFeatures, workers: checkpoint.workers
      ) { packer.put($0, codes: UnsafeBufferPointer($1)) }
    }
    return packer.weights
  }

  /// What the codes of a layer stand for, with everything but the codes read.
  private func grid(
    of prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> CodeGrid {
    let qweight = try checkpoint.requirePart(prefix + ".qweight", .i32, rank: 2)
    let index = try checkpoint.groupIndex(prefix + ".g_idx")
    let scaleShape = try checkpoint.info(of: prefix + ".scales").shape
    guard !qweight.shape.contains(0) else {
      throw checkpoint.wrong(prefix + ".qweight", "empty: \(qweight.shape)")
    }
    let rows = qweight.shape[1]
    let (scheme, columns) = try scheme(
      of: prefix, words: qweight.shape[0], inputs: index?.count, groups: scaleShape.first ?? 0)
    let groups = scheme.groups(inputs: columns)
    let regular = (0..<columns).map { Int32($0 / (scheme.groupSize ?? columns)) }
    return try CodeGrid(
      layer: prefix, scheme: scheme, outFeatures: rows, inFeatures: columns,
      scales: transposed(
        checkpoint.finiteFloats(prefix + ".scales", shape: [groups, rows]), rows: groups,
        columns: rows),
      zeros: zeros(
        of: prefix, CodePacking(bits: scheme.bits), groups: groups, rows: rows, in: checkpoint),
      groupIndex: index == regular ? nil : index)
  }

  func shape(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> [Int] {
    let words = try checkpoint.info(of: prefix + ".qweight").shape
    let name = prefix + ".g_idx"
    let inputs = checkpoint.contains(name) ? try checkpoint.info(of: name).shape.first : nil
    let groups = try checkpoint.info(of: prefix + ".scales").shape.first ?? 0
    guard words.count == 2 else {
      throw checkpoint.wrong(prefix + ".qweight", "shape \(words); a matrix is expected")
    }
    return [
      words[1], try scheme(of: prefix, words: words[0], inputs: inputs, groups: groups).columns,
    ]
  }

  /// Width, group size and inputs of a layer, from the configuration and the shapes of its parts.
  private func scheme(
    of prefix: String, words: Int, inputs: Int?, groups: Int
  ) throws(CheckpointError) -> (QuantizationSummary.Scheme, columns: Int) {
    let common = summary.schemes[0]
    let columns = inputs ?? words * 32 / common.bits
    var scheme = common
    if isMixed, columns > 0, groups > 0 {
      let size = columns % groups == 0 && groups > 1 ? columns / groups : nil
      let fits = common.groups(inputs: columns) == groups
      scheme = .init(bits: words * 32 / columns, groupSize: fits ? common.groupSize : size)
    }
    guard columns > 0, CodePacking.widths.contains(scheme.bits),
      columns * scheme.bits == words * 32
    else {
      throw .tensor(
        file: file, tensor: prefix + ".qweight",
        reason: "\(words) rows of words do not hold \(columns) inputs of \(scheme.bits) bits")
    }
    return (scheme, columns)
  }

  /// Zero points `[out, groups]`, or nil when all are in the middle.
  private func zeros(
    of prefix: String, _ packing: CodePacking, groups: Int, rows: Int, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> [Float]? {
    let name = prefix + ".qzeros"
    try checkpoint.require(name, shape: [groups, packing.words(for: rows) ?? 0])
    let words = try checkpoint.part(name, .i32, rank: 2)
    var codes = try packing.unpackRows(
      words.bytes, rows: groups, columns: rows, workers: checkpoint.workers)
    if summary.method == .gptq {
      guard !codes.contains(UInt8(1 << packing.bits - 1)) else {
        throw checkpoint.wrong(
          name, "holds a version-1 zero point of all ones, which readers take differently")
      }
      for position in codes.indices { codes[position] += 1 }
    }
    guard codes.contains(where: { $0 != 1 << (packing.bits - 1) }) else { return nil }
    return transposed(codes.map(Float.init), rows: groups, columns: rows)
  }
}

/// Writes layers for GPTQ readers, in version 1 or 2.
struct GPTQEncoder: LinearEncoder {
  let method: QuantizationSummary.Method
  let scaleType = DType.f16

  func check(_ layer: PlannedLayer) throws(CheckpointError) {
    try checkSize(layer.outFeatures, layer.inFeatures, named: layer.name)
    try layer.checkGroupsAndZeros(for: "GPTQ")
  }

  /// Whole words hold whole numbers of codes along both sides.
  private func checkSize(
    _ rows: Int, _ columns: Int, named prefix: String
  ) throws(CheckpointError) {
    guard rows % 32 == 0, columns % 32 == 0 else {
      throw .unsupported(
        file: prefix, feature: "a GPTQ layer of [\(rows), \(columns)], not multiples of 32,")
    }
  }

  func tensors(
    of matrix: QuantizedMatrix, named prefix: String, workers: Int
  ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
    let (rows, columns, groups) = (matrix.outFeatures, matrix.inFeatures, matrix.groups)
    try checkSize(rows, columns, named: prefix)
    let packing = CodePacking(bits: matrix.bits)
    let words = try packing.packColumns(
      matrix.codes, rows: rows, columns: columns, workers: workers)
    let zeros = try packing.packRows(
      transposed(storedZeros(of: matrix, named: prefix), rows: rows, columns: groups),
      rows: groups, columns: rows, workers: 1)
    let index = matrix.groupIndex ?? (0..<columns).map { Int32($0 / matrix.groupSize) }
    func name(_ part: String) -> String { prefix + "." + part }
    return [
      (
        name("qweight"),
        try Tensor(
          elements: words, .i32, shape: [words.count / rows, rows], name: name("qweight"))
      ),
      (
        name("qzeros"),
        try Tensor(
          elements: zeros, .i32, shape: [groups, zeros.count / groups], name: name("qzeros"))
      ),
      (
        name("scales"),
        try Tensor(
          rounding: transposed(matrix.scales, rows: rows, columns: groups), to: scaleType,
          shape: [groups, rows], name: name("scales"))
      ),
      (name("g_idx"), try Tensor(elements: index, .i32, shape: [columns], name: name("g_idx"))),
    ]
  }

  /// Zero points `[out, groups]` as they are stored.
  private func storedZeros(
    of matrix: QuantizedMatrix, named prefix: String
  ) throws(CheckpointError) -> [UInt8] {
    guard let zeros = matrix.wholeZeros else {
      throw .unsupported(
        file: prefix, feature: "a zero point that is no \(matrix.bits)-bit integer in GPTQ files")
    }
    guard method == .gptq else { return zeros }
    guard !zeros.contains(0) else {
      throw .unsupported(
        file: prefix, feature: "zero point 0 in GPTQ version 1 (version 2 holds it)")
    }
    return zeros.map { $0 - 1 }
  }

  func configuration(of layers: [QuantizedLayer], dense: [String]) -> JSONValue {
    let common = layers[0].kind
    var overrides: OrderedObject<JSONValue> = [:]
    for layer in layers where layer.kind.scheme != common.scheme {
      overrides["+:" + pattern(layer.name)] = .object([
        "bits": .integer(layer.kind.scheme.bits),
        "group_size": .integer(layer.kind.scheme.groupSize ?? -1),
      ])
    }
    for name in dense where name != "lm_head" { overrides["-:" + pattern(name)] = .object([:]) }
    var members: OrderedObject<JSONValue> = [
      "quant_method": .string("gptq"), "checkpoint_format": .string(method.rawValue),
      "pack_dtype": .string("int32"), "bits": .integer(common.scheme.bits),
      "group_size": .integer(common.scheme.groupSize ?? -1),
      "desc_act": .bool(layers.contains { $0.kind.hasGroupIndex }),
      "sym": .bool(layers.allSatisfy { $0.kind.isSymmetric }),
      "lm_head": .bool(layers.contains { $0.name == "lm_head" }),
    ]
    if !overrides.isEmpty { members["dynamic"] = .object(overrides) }
    return .object(members)
  }

  /// A regular expression for exactly this name.
  private func pattern(_ name: String) -> String {
    "^" + name.replacing(".", with: "\\.") + "$"
  }
}
