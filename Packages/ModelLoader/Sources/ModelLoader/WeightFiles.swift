import Foundation
import SystemCalls

/// The weight files of a model folder: which shards there are and which tensor is in which.
struct WeightFiles {
  /// The single file of a model that is not sharded, without compression.
  static let singleFile = "model.safetensors"
  /// A folder with more shards than this is refused before they are opened.
  static let shardLimit = 4096

  /// The open shards by file name.
  let shards: [String: TensorFile]
  /// The tensors by name.
  let tensors: [String: TensorInfo]

  /// Whether a folder holds weights of any kind, be they read here or not.
  static func arePresent(in directory: String) -> Bool {
    single(in: directory) != nil || FileCalls.isNamed(directory + "/" + ShardIndex.fileName)
      || ForeignWeights.explanation(in: directory) != nil
  }

  private static func single(in directory: String) -> String? {
    [singleFile, singleFile + ZstdShard.suffix].first { FileCalls.isNamed(directory + "/" + $0) }
  }

  /// Opens the shards of `directory`: one file, or those that the index names.
  ///
  /// - Throws: `.missing`, or what is wrong with the index or the first wrong shard.
  init(in directory: String, workers: Int) throws(CheckpointError) {
    let single = Self.single(in: directory)
    let decoders = ReusePool(ZstdDecoder.init)
    let buffers = ReusePool(ReadBuffer.init)
    func open(_ shard: String) throws(CheckpointError) -> TensorFile {
      let file = try FileSource(
        path: directory + "/" + shard, what: "weights", workers: workers)
      try LFSPointer.refuse(file)
      let source: any ByteSource =
        shard.hasSuffix(ZstdShard.suffix)
        ? try ZstdShard(file, workers: workers, decoders: decoders) : file
      return try TensorFile(safetensors: source, shard: shard, buffers: buffers)
    }
    if let single {
      let shard = try open(single)
      shards = [single: shard]
      tensors = Dictionary(uniqueKeysWithValues: shard.tensors.map { ($0.name, $0) })
      guard !tensors.isEmpty else {
        throw .malformed(file: directory + "/" + single, reason: "holds no tensors")
      }
    } else {
      (shards, tensors) = try Self.openIndexed(in: directory, open)
    }
  }

  private static func openIndexed(
    in directory: String, _ open: (String) throws(CheckpointError) -> TensorFile
  ) throws(CheckpointError) -> ([String: TensorFile], [String: TensorInfo]) {
    let path = directory + "/" + ShardIndex.fileName
    if !FileCalls.isNamed(path), let reason = ForeignWeights.explanation(in: directory) {
      throw .malformed(file: directory, reason: reason)
    }
    let bytes = try FileSource.contents(
      of: path, what: "the index of the shards; there is no \(singleFile) either",
      limit: ShardIndex.sizeLimit)
    let index = try ShardIndex(parsing: bytes, file: path)
    guard index.shards.count <= shardLimit else {
      throw .malformed(
        file: path, reason: "names \(index.shards.count) shards; at most \(shardLimit) are read")
    }
    var shards: [String: TensorFile] = [:]
    var stored: [String: [String: TensorInfo]] = [:]
    for name in index.shards {
      let shard = try open(name)
      shards[name] = shard
      stored[name] = Dictionary(uniqueKeysWithValues: shard.tensors.map { ($0.name, $0) })
    }
    var tensors: [String: TensorInfo] = [:]
    for (tensor, shard) in index.shardOfTensor.sorted(by: { $0.key < $1.key }) {
      guard let info = stored[shard]?[tensor] else {
        throw .tensor(
          file: directory + "/" + shard, tensor: tensor,
          reason: "not in this shard, though \(ShardIndex.fileName) says so")
      }
      tensors[tensor] = info
    }
    return (shards, tensors)
  }
}
