import Foundation
import JSON
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
    guard let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    return (try? file.read(upToCount: 4)).map { $0 == Data("GGUF".utf8) } ?? false
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
    let configuration = try GGUFConfiguration(
      metadata, tensors: opened.entries.mapValues(\.entry), rotaryFactors: factors)
    config = JSONObject(file: path, members: try configuration.config())
    generationConfig = JSONObject(file: path, members: try configuration.generationConfig())
    let architecture = try metadata.architecture()
    let names = GGUFNames(
      architecture: architecture,
      hasTwoNorms: opened.entries["blk.0.attn_norm_2.weight"] != nil)
    let rows = try GGUFRows(config)
    var infos: [String: TensorInfo] = [:]
    var types: [String: BlockType] = [:]
    for (name, stored) in opened.entries where !GGUFNames.isRedundant(name) {
      let entry = stored.entry
      guard let hubName = names?.hubName(of: name) else {
        throw .unsupported(
          file: stored.file.file,
          feature: "tensor \(name) in a model of architecture \(architecture)")
      }
      var info = TensorInfo(
        name: hubName, dtype: .u8, shape: entry.shape, shard: stored.shard, range: entry.range)
      switch entry.type {
      case .plain(let dtype): info.dtype = dtype
      case .blocks(let type):
        let layer = hubName.hasSuffix(".weight") ? String(hubName.dropLast(7)) : nil
        guard let layer, entry.shape.count == 2 else {
          throw .unsupported(
            file: stored.file.file, feature: "tensor \(name) \(entry.shape) of type \(type.name)")
        }
        types[layer] = type
        info.name = layer + "." + Self.marker
        info.shape = [entry.shape[0], entry.range.count / entry.shape[0]]
      }
      info.rowOrder = try rows.order(of: name, count: entry.shape[0], file: stored.file.file)
      guard infos.updateValue(info, forKey: info.name) == nil else {
        throw .tensor(
          file: stored.file.file, tensor: name, reason: "stands for \(hubName), as another does")
      }
    }
    tensors = infos
    format = types.isEmpty ? nil : GGUFFormat(types)
    var files: [String: TensorFile] = [:]
    for (_, stored) in opened.entries where files[stored.shard] == nil {
      let own = infos.values.filter { $0.shard == stored.shard }
      files[stored.shard] = TensorFile(
        stored.file, tensors: own.sorted { $0.range.lowerBound < $1.range.lowerBound },
        buffers: opened.buffers)
    }
    shards = files
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
