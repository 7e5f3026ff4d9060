import Tensors

/// A tensor of a model folder as it lies in a GGUF file.
struct GGUFTensor {
  /// What the folder calls it.
  let name: String
  /// Dimensions as the folder has them, outermost first.
  var shape: [Int]
  /// Where its bytes stand in the file.
  var range: Range<Int>
  /// Rows in `range`, where others are between those of this tensor.
  var storedRows: Int?
  var rowOrder: RowOrder?
  /// Groups of columns that stand in another order, and how many columns a group has.
  var columns: (groups: RowOrder, size: Int)?
  var values: StoredValues?
}

/// What the tensors of a GGUF file are in a model folder: most stand for one, a stack of experts
/// for a matrix of each, and what predicts several tokens at once for none.
struct GGUFTensors {
  private let architecture: GGUFArchitecture
  private let names: GGUFNames
  private let rows: GGUFRows
  private let delta: GGUFDeltaRows?
  private let layers: Int
  private let experts: Int

  /// - Parameters:
  ///   - architecture: of the file.
  ///   - config: the `config.json` that was made of it.
  ///   - hasTwoNorms: whether blocks of Falcon have two.
  /// - Throws: `.value` for sizes that contradict each other.
  init(
    _ architecture: GGUFArchitecture, _ config: JSONObject, hasTwoNorms: Bool
  ) throws(CheckpointError) {
    self.architecture = architecture
    names = GGUFNames(architecture, hasTwoNorms: hasTwoNorms)
    rows = try GGUFRows(config)
    if case .hybrid(let order) = architecture.style {
      delta = try GGUFDeltaRows(config, order)
    } else {
      delta = nil
    }
    let range = 1...Int(Int32.max)
    layers = try config.integer("num_hidden_layers", in: range)
    experts = architecture.hasExperts ? try config.integer("num_experts", in: range) : 0
  }

  /// The tensors that one of the file stands for.
  ///
  /// - Throws: `.unsupported` for one that has no place in the family; `.tensor` for a shape that
  ///   it cannot have.
  func parts(of entry: GGUFHeader.Entry, file: String) throws(CheckpointError) -> [GGUFTensor] {
    let place = GGUFNames.place(of: entry.name)
    // Blocks behind the last one draft tokens.
    if architecture.isHybrid, let place, place.block >= layers { return [] }
    if GGUFNames.isRedundant(entry.name) { return [] }
    if let (prefix, parts) = names.stack(of: entry.name) {
      return try matrices(of: entry, prefix: prefix, parts, file: file)
    }
    if let delta, let place, place.ending == ".weight",
      let parts = try delta.split(place.part, entry, file: file)
    {
      let prefix = names.prefix(ofBlock: place.block)
      return parts.map { part in
        let count = part.stretches.reduce(0) { $0 + $1.count }
        return GGUFTensor(
          name: prefix + part.hubName + ".weight", shape: [count] + entry.shape.dropFirst(),
          range: entry.range, storedRows: entry.shape[0], rowOrder: .stretches(part.stretches))
      }
    }
    guard let name = names.hubName(of: entry.name) else {
      throw .unsupported(
        file: file,
        feature: "tensor \(entry.name) in a model of architecture \(architecture.name)")
    }
    var tensor = GGUFTensor(
      name: name, shape: Self.folderShape(entry, part: place?.part), range: entry.range)
    tensor.rowOrder = try rows.order(of: entry.name, count: entry.shape[0], file: file)
    if let delta {
      if let place {
        tensor.rowOrder = try delta.rows(of: place.part, entry, file: file)
        tensor.columns = try delta.columns(of: place.part, entry, file: file)
      }
      tensor.values = Self.values[place?.part ?? String(entry.name.prefix { $0 != "." })]
      guard tensor.values == nil || entry.type == .plain(.f32) else {
        throw .tensor(
          file: file, tensor: entry.name, reason: "type \(entry.type.name); F32 expected")
      }
    }
    return [tensor]
  }

  /// What hybrids hold in another form than their folders.
  private static let values: [String: StoredValues] = [
    "attn_norm": .oneMore, "post_attention_norm": .oneMore, "ffn_norm": .oneMore,
    "attn_q_norm": .oneMore, "attn_k_norm": .oneMore, "output_norm": .oneMore,
    "ssm_a": .negativeExponential,
  ]

  /// Dimensions of 1 that files leave out.
  private static func folderShape(_ entry: GGUFHeader.Entry, part: String?) -> [Int] {
    switch (part, entry.shape.count) {
    case ("ssm_conv1d", 2): [entry.shape[0], 1, entry.shape[1]]
    case ("ffn_gate_inp_shexp", 1): [1] + entry.shape
    default: entry.shape
    }
  }

  /// The matrices of each expert, whose rows stand one expert behind the other.
  private func matrices(
    of entry: GGUFHeader.Entry, prefix: String, _ parts: [String], file: String
  ) throws(CheckpointError) -> [GGUFTensor] {
    guard entry.shape.count == 3, entry.shape[0] == experts, entry.shape[1] % parts.count == 0
    else {
      throw .tensor(
        file: file, tensor: entry.name,
        reason: "shape \(entry.shape); \(experts) experts with a matrix each expected"
          + (parts.count == 1
            ? "" : ", of which half the rows are \(parts.joined(separator: " and "))"))
    }
    let rows = entry.shape[1] / parts.count
    let bytes = entry.range.count / (experts * parts.count)
    return (0..<experts * parts.count).map { index in
      let start = entry.range.lowerBound + index * bytes
      return GGUFTensor(
        name: "\(prefix)\(index / parts.count).\(parts[index % parts.count]).weight",
        shape: [rows, entry.shape[2]], range: start..<start + bytes)
    }
  }
}
