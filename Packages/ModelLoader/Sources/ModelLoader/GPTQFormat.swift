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
/// Source: ModelCloud/GPTQModel, `nn_modules/qlinear`, `utils/model.py`, `quantization/config.py`. A version-1
/// field of all ones is zero point 0 to some readers and `2^bits` to others, so it is refused.
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
    guard let method = QuantizationSummary.Method(rawValue: version), method != .packQuantized
    else {
      throw .unsupported(file: file, feature: "GPTQ checkpoint_format \(version)")
    }
    let word = try description.stringIfPresent("pack_dtype") ?? "int32"
    guard word == "int32" else {
      throw .unsupported(file: file, feature: "GPTQ pack_dtype \(word)")
    }
    let bits = try description.integer("bits", in: 1...8)
    guard CodePacking.widths.contains(bits) else {
      throw .unsupported(file: file, feature: "GPTQ with \(bits) bits")
    }
    let size = try description.integer("group_size", in: -1...Int(Int32.max))
    guard size != 0 else { throw description.wrong("group_size", expected: "-1 or more than 0") }
    isMixed = description.has("dynamic")
    summary = QuantizationSummary(
      method: method, schemes: [.init(bits: bits, groupSize: size > 0 ? size : nil)])
  }

  // MARK: Reading

  func matrix(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> QuantizedMatrix {
    let qweight = try checkpoint.part(prefix + ".qweight", .i32, rank: 2)
    let index = try groupIndex(of: prefix, in: checkpoint)
    let scaleShape = try checkpoint.info(of: prefix + ".scales").shape
    guard !qweight.shape.contains(0) else {
      throw .tensor(
        file: try checkpoint.info(of: prefix + ".qweight").shard, tensor: prefix + ".qweight",
        reason: "empty: \(qweight.shape)")
    }
    let rows = qweight.shape[1]
    let (scheme, columns) = try scheme(
      of: prefix, words: qweight.shape[0], inputs: index?.count, groups: scaleShape.first ?? 0)
    let groups = scheme.groups(inputs: columns)
    let packing = CodePacking(bits: scheme.bits)
    let regular = (0..<columns).map { Int32($0 / (scheme.groupSize ?? columns)) }
    return try QuantizedMatrix(
      layer: prefix, scheme: scheme, outFeatures: rows, inFeatures: columns,
      codes: packing.unpackColumns(
        qweight.bytes, rows: rows, columns: columns, workers: checkpoint.workers),
      scales: transposed(
        checkpoint.finiteFloats(prefix + ".scales", shape: [groups, rows]), rows: groups,
        columns: rows),
      zeros: zeros(of: prefix, packing, groups: groups, rows: rows, in: checkpoint),
      groupIndex: index == regular ? nil : index)
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

  private func groupIndex(
    of prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> [Int32]? {
    let name = prefix + ".g_idx"
    guard checkpoint.contains(name) else { return nil }
    return try checkpoint.part(name, .i32, rank: 1).bytes.withBytes {
      [Int32]($0.bindMemory(to: Int32.self))
    }
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
        throw .unsupported(
          file: try checkpoint.info(of: name).shard,
          feature: "\(name): a version-1 zero point of all ones, which readers take differently,")
      }
      for position in codes.indices { codes[position] += 1 }
    }
    guard codes.contains(where: { $0 != 1 << (packing.bits - 1) }) else { return nil }
    return transposed(codes.map(Float.init), rows: groups, columns: rows)
  }
}
