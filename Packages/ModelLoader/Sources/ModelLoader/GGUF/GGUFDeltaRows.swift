/// In which order the value heads of linear attention stand in a GGUF file.
enum GGUFDeltaOrder: Sendable {
  /// As in folders: those that share a key head together.
  case grouped
  /// The first of each key head, then the second of each, and so on.
  case tiled
}

/// Which rows and columns of a layer of linear attention stand elsewhere in a GGUF file than in
/// the folder of a model of Qwen3.5.
///
/// Files of `qwen35` and `qwen35moe` have the value heads in tiles: in projections, convolution,
/// decays, and the columns of the layer behind. Those of `qwen3next` have strengths and decays in
/// one tensor, key head by key head; older ones queries, keys, values and gates as well. Source:
/// ggml-org/llama.cpp, conversion/qwen.py and src/models/qwen3next.cpp.
struct GGUFDeltaRows {
  /// A part of a tensor that is a tensor by itself in a folder.
  struct Part {
    /// Behind the prefix of the block.
    let hubName: String
    let stretches: [RowOrder.Stretch]
  }

  private let keys: Int
  private let group: Int
  private let keyDimension: Int
  private let valueDimension: Int
  private let order: GGUFDeltaOrder

  private var values: Int { keys * group }
  private var valueWidth: Int { values * valueDimension }
  private var keyWidth: Int { keys * keyDimension }

  /// - Parameters:
  ///   - config: the `config.json` that was made of the file.
  ///   - order: how the file has the value heads.
  /// - Throws: `.value` for heads that do not divide.
  init(_ config: JSONObject, _ order: GGUFDeltaOrder) throws(CheckpointError) {
    let range = GGUFConfiguration.headRange
    keys = try config.integer("linear_num_key_heads", in: range)
    let values = try config.integer("linear_num_value_heads", in: range)
    guard values % keys == 0 else {
      throw config.wrong(
        "linear_num_value_heads", expected: "a multiple of linear_num_key_heads (\(keys))")
    }
    group = values / keys
    keyDimension = try config.integer("linear_key_head_dim", in: range)
    valueDimension = try config.integer("linear_value_head_dim", in: range)
    self.order = order
  }

  /// Where the rows of the value heads stand that have `size` each and begin at row `first`.
  private func tiles(of size: Int, from first: Int = 0) -> RowOrder.Stretch {
    RowOrder.Stretch(
      first: first,
      steps: [
        RowOrder.Step(count: keys, stride: size),
        RowOrder.Step(count: group, stride: keys * size), RowOrder.Step(count: size, stride: 1),
      ])
  }

  /// The order of the rows of a tensor whose name without block and ending is `part`; nil where it
  /// is the folder's.
  ///
  /// - Throws: `.tensor` for another number of rows than the heads have.
  func rows(
    of part: String, _ entry: GGUFHeader.Entry, file: String
  ) throws(CheckpointError) -> RowOrder? {
    let size: Int
    let first: Int
    switch part {
    case "attn_qkv", "ssm_conv1d": (first, size) = (2 * keyWidth, valueDimension)
    case "attn_gate": (first, size) = (0, valueDimension)
    case "ssm_alpha", "ssm_beta", "ssm_a", "ssm_dt": (first, size) = (0, 1)
    default: return nil
    }
    try check(entry.shape[0], first + values * size, "rows", entry, file)
    guard order == .tiled, group > 1 else { return nil }
    let before = RowOrder.Stretch(first: 0, steps: [RowOrder.Step(count: first, stride: 1)])
    return .stretches((first > 0 ? [before] : []) + [tiles(of: size, from: first)])
  }

  /// The order of the heads whose outputs the columns of a tensor multiply, and how many columns a
  /// head has; nil where the order is the folder's.
  ///
  /// - Throws: `.tensor` for another number of columns than the heads have.
  func columns(
    of part: String, _ entry: GGUFHeader.Entry, file: String
  ) throws(CheckpointError) -> (groups: RowOrder, size: Int)? {
    guard part == "ssm_out" else { return nil }
    try check(entry.shape.last ?? 0, valueWidth, "columns", entry, file)
    guard order == .tiled, group > 1 else { return nil }
    return (.stretches([tiles(of: 1)]), valueDimension)
  }

  /// The tensors of a folder that a tensor is made of; nil for one that stands for itself.
  ///
  /// - Throws: `.tensor` for another number of rows than the heads have.
  func split(
    _ part: String, _ entry: GGUFHeader.Entry, file: String
  ) throws(CheckpointError) -> [Part]? {
    guard order == .grouped else { return nil }
    switch part {
    case "ssm_ba":
      try check(entry.shape[0], 2 * values, "rows", entry, file)
      func half(_ index: Int) -> [RowOrder.Stretch] {
        [
          RowOrder.Stretch(
            first: index * group,
            steps: [
              RowOrder.Step(count: keys, stride: 2 * group), RowOrder.Step(count: group, stride: 1),
            ])
        ]
      }
      return [
        Part(hubName: "linear_attn.in_proj_b", stretches: half(0)),
        Part(hubName: "linear_attn.in_proj_a", stretches: half(1)),
      ]
    case "ssm_in":
      try check(entry.shape[0], 2 * keyWidth + 2 * valueWidth, "rows", entry, file)
      let ofValues = group * valueDimension
      let ofHead = 2 * keyDimension + 2 * ofValues
      func each(_ size: Int, from first: Int) -> RowOrder.Stretch {
        RowOrder.Stretch(
          first: first,
          steps: [
            RowOrder.Step(count: keys, stride: ofHead), RowOrder.Step(count: size, stride: 1),
          ])
      }
      return [
        Part(
          hubName: "linear_attn.in_proj_qkv",
          stretches: [
            each(keyDimension, from: 0), each(keyDimension, from: keyDimension),
            each(ofValues, from: 2 * keyDimension),
          ]),
        Part(
          hubName: "linear_attn.in_proj_z",
          stretches: [each(ofValues, from: 2 * keyDimension + ofValues)]),
      ]
    default: return nil
    }
  }

  private func check(
    _ found: Int, _ expected: Int, _ what: String, _ entry: GGUFHeader.Entry, _ file: String
  ) throws(CheckpointError) {
    guard found == expected else {
      throw .tensor(
        file: file, tensor: entry.name,
        reason: "\(found) \(what); \(expected) expected for \(keys) key heads of \(keyDimension) "
          + "and \(values) value heads of \(valueDimension)")
    }
  }
}
