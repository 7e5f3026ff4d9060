import Foundation
import JSON
import SystemCalls
import Tensors

/// A GGUF file, or all files of a split one, as the model folder that it stands for: `config.json`
/// and the other JSON files are made from its metadata, and its tensors go by the names of the
/// family's folders.
///
/// The weight of a linear layer in a quantized type is the tensor `layer.gguf_blocks`, bytes `[out,
/// row bytes]`; all others are plain tensors.
struct GGUFModel: Sendable {
  let metadata: GGUFMetadata
  let config: JSONObject
  let generationConfig: JSONObject
  /// The open files by name.
  let shards: [String: TensorFile]
  /// The tensors by the names of a model folder.
  let tensors: [String: TensorInfo]
  /// How the layers are stored that are not plain; nil where all are.
  let format: GGUFFormat?

  /// What the weights of quantized layers are called.
  static let marker = "gguf_blocks"

  /// Whether the file at a path begins as GGUF files do, or is called so.
  static func isModel(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory),
      !isDirectory.boolValue
    else { return false }
    if path.hasSuffix(".gguf") { return true }
    // A pipe would be waited for.
    let start = try? RegularFile(path).read(upTo: 4)
    return start == Data("GGUF".utf8)
  }

  /// Opens a file and the others that belong to it.
  ///
  /// - Throws: `CheckpointError` naming the file that is missing or wrong.
  init(path: String, workers: Int) throws(CheckpointError) {
    let opened = try GGUFShards(path: path, workers: workers)
    metadata = opened.metadata
    var factors: GGUFRotaryFactors?
    if let stored = opened.entries[GGUFRotaryFactors.tensorName] {
      factors = try GGUFRotaryFactors(stored.entry, in: stored.file)
    }
    let architecture = try GGUFArchitecture.of(metadata)
    let entries = opened.entries.mapValues(\.entry)
    let configuration = GGUFConfiguration(
      metadata, architecture, tensors: entries, rotaryFactors: factors)
    config = JSONObject(file: path, members: try configuration.config())
    generationConfig = JSONObject(file: path, members: try configuration.generationConfig())
    let translation = try GGUFTensors(
      architecture, config, hasTwoNorms: entries["blk.0.attn_norm_2.weight"] != nil)
    var infos: [String: TensorInfo] = [:]
    var layers: [String: GGUFFormat.Layer] = [:]
    for (name, stored) in opened.entries {
      for tensor in try translation.parts(of: stored.entry, file: stored.file.file) {
        let info = try Self.info(tensor, of: stored, adding: &layers)
        guard infos.updateValue(info, forKey: info.name) == nil else {
          throw .tensor(
            file: stored.file.file, tensor: name,
            reason: "stands for \(tensor.name), as another does")
        }
      }
    }
    tensors = infos
    format = layers.isEmpty ? nil : GGUFFormat(layers)
    var files: [String: TensorFile] = [:]
    for (_, stored) in opened.entries where files[stored.shard] == nil {
      let own = infos.values.filter { $0.shard == stored.shard }
      files[stored.shard] = TensorFile(
        stored.file, tensors: own.sorted { $0.range.lowerBound < $1.range.lowerBound },
        buffers: opened.buffers)
    }
    shards = files
  }

  /// What is known of a tensor; the weight of a layer in blocks goes into `layers`.
  ///
  /// - Throws: `.unsupported` for blocks in a tensor that is no matrix.
  private static func info(
    _ tensor: GGUFTensor, of stored: GGUFShards.Stored,
    adding layers: inout [String: GGUFFormat.Layer]
  ) throws(CheckpointError) -> TensorInfo {
    let entry = stored.entry
    var info = TensorInfo(
      name: tensor.name, dtype: .u8, shape: tensor.shape, shard: stored.shard, range: tensor.range,
      rowOrder: tensor.rowOrder, values: tensor.values, storedRows: tensor.storedRows)
    let groupBytes: Int?
    switch entry.type {
    case .plain(let dtype):
      info.dtype = dtype
      groupBytes = tensor.columns.map { $0.size * dtype.bits / 8 }
    case .blocks(let type):
      let prefix = tensor.name.hasSuffix(".weight") ? String(tensor.name.dropLast(7)) : nil
      guard let prefix, tensor.shape.count == 2 else {
        throw .unsupported(
          file: stored.file.file,
          feature: "tensor \(entry.name) \(entry.shape) of type \(type.name)")
      }
      let rows = tensor.storedRows ?? tensor.shape[0]
      info.name = prefix + "." + marker
      info.shape = [tensor.shape[0], tensor.range.count / rows]
      let isWhole = tensor.columns.map { $0.size % type.elements == 0 } ?? true
      groupBytes =
        isWhole ? tensor.columns.map { $0.size / type.elements * type.bytes } : nil
      layers[prefix] = GGUFFormat.Layer(
        type: type,
        columns: isWhole
          ? nil : tensor.columns.map { $0.groups.columns(of: $0.size, in: tensor.shape[1]) })
    }
    if let groupBytes, let groups = tensor.columns?.groups {
      info.columnOrder = ColumnOrder(units: groups, unitBytes: groupBytes)
    }
    return info
  }

  /// Whether the model folder would have a file of this name beside its weights.
  func hasFile(_ name: String) -> Bool {
    switch name {
    case "config.json", "generation_config.json": true
    case "tokenizer.json", "tokenizer_config.json":
      metadata.values["tokenizer.ggml.tokens"] != nil
    default: false
    }
  }

  /// The contents of a file that the model folder would have beside its weights; nil for one that
  /// it would not have.
  func file(_ name: String) throws(CheckpointError) -> [UInt8]? {
    switch name {
    case "config.json": return Array(JSONValue.object(config.members).text.utf8)
    case "generation_config.json":
      return Array(JSONValue.object(generationConfig.members).text.utf8)
    case "tokenizer.json": return try GGUFTokenizer(metadata)?.tokenizerJSON()
    case "tokenizer_config.json":
      guard let tokenizer = try GGUFTokenizer(metadata) else { return nil }
      return Array(JSONValue.object(try tokenizer.configuration()).text.utf8)
    default: return nil
    }
  }
}

extension RowOrder {
  /// Of each of `count` columns that stand in groups of `size`, the place where it is stored.
  fileprivate func columns(of size: Int, in count: Int) -> [Int] {
    (0..<count).map { storedRow(of: $0 / size) * size + $0 % size }
  }
}

/// The files of one model, open, with the entries of all of them.
private struct GGUFShards {
  /// A tensor and where it is.
  struct Stored {
    let entry: GGUFHeader.Entry
    let shard: String
    let file: FileSource
  }

  let metadata: GGUFMetadata
  let entries: [String: Stored]
  let buffers = ReusePool(ReadBuffer.init)

  private static let countLimit = 4096

  init(path: String, workers: Int) throws(CheckpointError) {
    let first = try Self.open(path, workers: workers)
    let count =
      try first.header.metadata.integerIfPresent(
        "split.count", in: 0...Self.countLimit) ?? 1
    let isSplit = count > 1
    var found: GGUFMetadata?
    var total: Int?
    var entries: [String: Stored] = [:]
    let names = isSplit ? try Self.names(path, count: count) : [path]
    for (number, name) in names.enumerated() {
      let file = name == path ? first : try Self.open(name, workers: workers)
      let own = file.header.metadata
      if isSplit {
        guard try own.integer("split.no", in: 0...Self.countLimit) == number else {
          throw own.wrong("split.no", expected: "\(number), by its name")
        }
        guard try own.integer("split.count", in: 0...Self.countLimit) == count else {
          throw own.wrong("split.count", expected: "\(count), as \(path) has")
        }
      }
      if number == 0 {
        found = own
        total = try own.integerIfPresent("split.tensors.count", in: 0...Int(Int32.max))
      }
      try Self.add(file, to: &entries)
    }
    let metadata = found ?? first.header.metadata
    if isSplit, let total, total != entries.count {
      throw metadata.wrong("split.tensors.count", expected: "\(entries.count), as the files hold")
    }
    guard !entries.isEmpty else { throw .malformed(file: path, reason: "holds no tensors") }
    self.metadata = metadata
    self.entries = entries
  }

  private static func open(
    _ path: String, workers: Int
  ) throws(CheckpointError) -> (file: FileSource, header: GGUFHeader) {
    let file = try FileSource(path: path, what: "GGUF model", workers: workers)
    try LFSPointer.refuse(file)
    return (file, try GGUFHeader(of: file))
  }

  /// The names of a split model's files, from the name of one: `x-00002-of-00003.gguf`.
  private static func names(_ path: String, count: Int) throws(CheckpointError) -> [String] {
    func digits(_ number: Int) -> String {
      String(repeating: "0", count: max(0, 5 - String(number).count)) + String(number)
    }
    let ending = "-of-\(digits(count)).gguf"
    let numbered = path.dropLast(min(ending.count, path.count))
    guard path.hasSuffix(ending), let dash = numbered.lastIndex(of: "-"),
      Int(numbered[numbered.index(after: dash)...]) != nil
    else {
      throw .value(
        file: path, key: "split.count", expected: "a file called NAME-00001\(ending)",
        found: "\(count)")
    }
    return (1...count).map { "\(numbered[...dash])\(digits($0))\(ending)" }
  }

  private static func add(
    _ opened: (file: FileSource, header: GGUFHeader), to entries: inout [String: Stored]
  ) throws(CheckpointError) {
    let shard = URL(fileURLWithPath: opened.file.file).lastPathComponent
    for entry in opened.header.tensors {
      let stored = Stored(entry: entry, shard: shard, file: opened.file)
      guard entries.updateValue(stored, forKey: entry.name) == nil else {
        throw .tensor(file: opened.file.file, tensor: entry.name, reason: "is in another file too")
      }
    }
  }
}
