import Foundation
import JSON
import SystemCalls
import Tensors

/// How the files of a checkpoint are written.
public struct CheckpointLayout: Sendable, Hashable, Codable {
  /// What the shards are.
  public enum Container: String, Sendable, Hashable, Codable {
    /// Plain safetensors, as other engines read them.
    case safetensors
    /// The compressed checkpoint between our own stages: safetensors in zstd frames (see
    /// `SeekTable`).
    case zstd
  }

  /// What the shards are.
  public let container: Container
  /// How quantized layers are stored; nil: as plain matrices, their values rounded to the model's
  /// own type.
  public let method: QuantizationSummary.Method?
  /// A new shard begins before this many bytes of tensors are exceeded.
  public let shardLimit: Int

  /// A layout.
  ///
  /// - Throws: `CheckpointError.setting` when the limit is not positive.
  public init(
    container: Container, method: QuantizationSummary.Method? = .packQuantized,
    shardLimit: Int = 4 << 30
  ) throws(CheckpointError) {
    guard shardLimit > 0 else {
      throw .setting(
        name: "shard limit", value: "\(shardLimit)", expected: "a positive number of bytes")
    }
    self.container = container
    self.method = method
    self.shardLimit = shardLimit
  }
}

/// Writes a checkpoint made from another one, tensor by tensor.
///
/// The folder appears under its name when `finish` returns and not before; on any error, or when
/// the writer goes away unfinished, everything written is removed. At no time is more than one
/// tensor in memory. The tensors of the current shard wait in a file of their own until the shard
/// is full, because a safetensors header comes first: the disk has to hold one shard more than the
/// result.
public final class CheckpointWriter: ModelWriter {
  /// The type in which scales of quantized layers are stored. A quantizer that rounds its scales to
  /// this type before it chooses codes loses nothing when they are written.
  public let scaleType: DType

  private let source: Checkpoint
  private let layout: CheckpointLayout
  private let encoder: (any LinearEncoder)?
  private let folder: StagedFolder
  private let companionFiles: [String]
  private var shard: ShardBuilder?
  private var shardNames: [[String]] = []
  private var names: Set<String> = []
  private var totalSize = 0
  private var quantized: [(name: String, shape: QuantizedLayer.MatrixShape)] = []
  private var dense: [String] = []
  private var failure: CheckpointError?
  private var changedKeys: [(key: String, value: JSONValue)] = []

  /// Files that belong to a model beside its weights and `config.json`, copied where the source has
  /// them.
  public static let companions = [
    "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "chat_template.jinja", "chat_template.json", "vocab.json", "merges.txt",
    "vocab.txt", "tokenizer.model", "LICENSE",
  ]

  /// How a checkpoint was made; every one that is written here has it.
  static let recordFile = "bitbudget.json"

  /// Whether a file of this name is written as part of a checkpoint.
  static func writes(_ name: String) -> Bool {
    let shard = #/model(-[0-9]{5,}-of-[0-9]{5,})?\.safetensors(\.zst)?/#
    return ["config.json", recordFile, ShardIndex.fileName].contains(name)
      || companions.contains(name) || name.wholeMatch(of: shard) != nil
  }

  /// Starts a checkpoint in a hidden folder beside `target`.
  ///
  /// - Parameters:
  ///   - target: the folder to be; the one it stands in has to exist.
  ///   - source: the checkpoint it is made from, which is only read.
  ///   - layout: form of the files.
  ///   - replacing: whether a model that is already there may be replaced.
  ///   - companions: files to copy from the source, where it has them.
  ///   - scaleType: the type of scales where the format leaves it open; nil for that of the model.
  /// - Throws: `.occupied`, `.missing`, `.system`, or `.value` for a source whose element type is
  ///   unknown.
  public init(
    target: URL, source: Checkpoint, layout: CheckpointLayout, replacing: Bool = false,
    companions: [String] = CheckpointWriter.companions, scaleType: DType? = nil
  ) throws(CheckpointError) {
    let modelType = try Self.modelType(of: source.config)
    encoder =
      switch layout.method {
      case .packQuantized: PackQuantizedEncoder(scaleType: scaleType ?? modelType)
      case .gptq: GPTQEncoder(method: .gptq)
      case .gptqV2: GPTQEncoder(method: .gptqV2)
      // Forms that are read alone: layers are written as plain matrices.
      case .intQuantized: EightBitEncoder(scaleType: modelType, isFloat: false)
      case .floatQuantized: EightBitEncoder(scaleType: modelType, isFloat: true)
      case .bitbudget: OutlierEncoder(scaleType: modelType)
      case .float8Blocks, .awq, .gguf, nil: nil
      }
    self.scaleType = encoder?.scaleType ?? modelType
    self.source = source
    self.layout = layout
    companionFiles = companions
    folder = try StagedFolder(target: target, replacing: replacing, source: source.directory)
  }

  /// The floating-point type that `config.json` states under its old or its new name; F32 where it
  /// is silent.
  private static func modelType(of config: JSONObject) throws(CheckpointError) -> DType {
    let key = config.has("dtype") ? "dtype" : "torch_dtype"
    switch try config.stringIfPresent(key) {
    case "bfloat16": return .bf16
    case "float16": return .f16
    case "float32", nil: return .f32
    default: throw config.wrong(key, expected: "bfloat16, float16 or float32")
    }
  }

  /// Makes sure, before any work, that quantized layers can be written and that other programs will
  /// read them where the files are meant for these.
  ///
  /// - Throws: `.unsupported` naming the layer and what the format cannot hold.
  public func check(_ layers: [PlannedLayer]) throws(CheckpointError) {
    guard let encoder else { return }
    for layer in layers {
      try encoder.checkForm(layer)
      if layout.container == .safetensors { try encoder.check(layer) }
    }
  }

  // MARK: Tensors

  /// Appends a tensor that is no weight of a linear layer.
  ///
  /// - Throws: `.system` when the disk is full; `.value` for a name that was used before.
  public func append(_ tensor: Tensor, named name: String) throws(CheckpointError) {
    try guarded { () throws(CheckpointError) in try store(tensor, name) }
  }

  /// Appends the weight of the linear layer `prefix`: dense as `prefix.weight`, or as its quantized
  /// parts where the layout stores them.
  ///
  /// - Throws: as above; `.unsupported` or `.tensors` when the layout cannot hold the matrix.
  public func append(_ linear: StoredLinear, named prefix: String) throws(CheckpointError) {
    try guarded { () throws(CheckpointError) in
      switch linear {
      case .dense(let tensor):
        try store(tensor, prefix + ".weight")
        dense.append(prefix)
      case .quantized(let matrix):
        guard let encoder else { return try storeValues(of: matrix, prefix) }
        let parts = try encoder.tensors(of: matrix, named: prefix, workers: source.workers)
        for part in parts { try store(part.tensor, part.name) }
        quantized.append((prefix, .init(matrix)))
      case .float8(let matrix):
        guard let encoder else { return try storeValues(of: matrix, prefix) }
        for part in try encoder.tensors(of: matrix, named: prefix) {
          try store(part.tensor, part.name)
        }
        quantized.append((prefix, .init(matrix)))
      case .outliers(let matrix):
        guard let encoder else { return try storeValues(of: matrix, prefix) }
        let parts = try encoder.tensors(of: matrix, named: prefix, workers: source.workers)
        for part in parts { try store(part.tensor, part.name) }
        quantized.append((prefix, .init(matrix)))
      }
    }
  }

  /// States a key of `config.json` otherwise than the source.
  public func setConfiguration(_ key: String, to value: JSONValue) throws(CheckpointError) {
    changedKeys.append((key, value))
  }

  /// Stores what codes stand for as a plain matrix.
  private func storeValues(
    of matrix: some StoredWeights, _ prefix: String
  ) throws(CheckpointError) {
    let name = prefix + ".weight"
    try store(
      Tensor(
        rounding: matrix.dequantized(), to: scaleType,
        shape: [matrix.outFeatures, matrix.inFeatures], name: name), name)
  }

  private func store(_ tensor: Tensor, _ name: String) throws(CheckpointError) {
    guard names.insert(name).inserted else {
      throw .value(
        file: folder.path, key: name, expected: "one tensor of this name", found: "another")
    }
    if let current = shard, current.count > 0,
      current.count + tensor.bytes.count > layout.shardLimit
    {
      try closeShard()
    }
    var current: ShardBuilder
    if let shard { current = shard } else { current = try ShardBuilder(spool: path("spool")) }
    try current.append(tensor, named: name)
    shard = current
    totalSize += tensor.bytes.count
  }

  private func closeShard() throws(CheckpointError) {
    guard let current = shard else { return }
    let output = try OutputFile(creating: path(shardNames.count))
    let writer: any ShardWriter =
      switch layout.container {
      case .safetensors: PlainShardWriter(output)
      case .zstd: ZstdShardWriter(output, workers: source.workers)
      }
    try current.finish(into: writer)
    shardNames.append(current.names)
    shard = nil
  }

  // MARK: The end

  /// Completes the checkpoint and gives the folder its name.
  ///
  /// - Parameter record: how it was made; becomes `bitbudget.json`.
  /// - Throws: `.system`; `.changed` when the source is no longer what was read; `.malformed` when
  ///   no tensor was written.
  public func finish(record: some Encodable) throws(CheckpointError) {
    try guarded { () throws(CheckpointError) in
      try closeShard()
      guard !shardNames.isEmpty else {
        throw .malformed(file: folder.path, reason: "no tensor was written")
      }
      try nameShards()
      try OutputFile.write(Array(configuration().text.utf8) + [0x0A], to: path("config.json"))
      try OutputFile.write(try encoded(record), to: path(Self.recordFile))
      for name in companionFiles { try copy(name) }
      try source.verifyUnchanged()
      try folder.publish()
    }
  }

  /// Removes everything written so far.
  public func cancel() { folder.discard() }

  /// Gives the shards the names that tell how many there are, and writes the index if there are
  /// several.
  private func nameShards() throws(CheckpointError) {
    let suffix = layout.container == .zstd ? ZstdShard.suffix : ""
    let count = shardNames.count
    var map: OrderedObject<JSONValue> = [:]
    for (number, tensors) in shardNames.enumerated() {
      let name =
        (count == 1
          ? WeightFiles.singleFile
          : "model-\(padded(number + 1))-of-\(padded(count)).safetensors") + suffix
      try CheckpointError.wrapping { () throws(FileError) in
        try FileCalls.rename(path(number), to: path(name))
      }
      for tensor in tensors { map[tensor] = .string(name) }
    }
    guard count > 1 else { return }
    let index = JSONValue.object([
      "metadata": .object(["total_size": .integer(totalSize)]), "weight_map": .object(map),
    ])
    try OutputFile.write(Array(index.text.utf8) + [0x0A], to: path(ShardIndex.fileName))
  }

  private func padded(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }

  private func configuration() -> JSONValue {
    var members = source.config.members
    for (key, value) in changedKeys { members[key] = value }
    members["compression_config"] = nil
    members["quantization_config"] =
      quantized.isEmpty
      ? nil : encoder?.configuration(of: QuantizedLayer.describe(quantized), dense: dense)
    return .object(members)
  }

  private func encoded(_ record: some Encodable) throws(CheckpointError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return [UInt8](try encoder.encode(record)) + [0x0A]
    } catch {
      throw .malformed(
        file: path(Self.recordFile), reason: "the record cannot be written: \(error)")
    }
  }

  private func copy(_ name: String) throws(CheckpointError) {
    // A GGUF file holds what would be in files beside it.
    if source.isGGUF {
      guard let bytes = try source.companionFile(name) else { return }
      return try OutputFile.write(bytes, to: path(name))
    }
    let from = source.directory.appendingPathComponent(name).path
    guard access(from, F_OK) == 0 else { return }
    let file = try FileSource(path: from, what: name)
    let output = try OutputFile(creating: path(name))
    for start in stride(from: 0, to: file.count, by: 1 << 20) {
      try output.write(try file.bytes(start..<min(start + 1 << 20, file.count), of: name))
    }
    try output.close()
  }

  private func path(_ name: String) -> String { folder.path + "/" + name }
  private func path(_ shard: Int) -> String { path("shard-\(shard)") }

  /// Runs `body`; when it fails everything is removed and later calls fail alike.
  private func guarded(_ body: () throws(CheckpointError) -> Void) throws(CheckpointError) {
    if let failure { throw failure }
    do throws(CheckpointError) {
      try body()
    } catch {
      failure = error
      shard = nil
      folder.discard()
      throw error
    }
  }
}
