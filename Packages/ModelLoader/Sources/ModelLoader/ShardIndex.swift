/// The index of a sharded checkpoint: which file holds which tensor.
///
/// Format: `{"metadata": {"total_size": n}, "weight_map": {tensor: file}}`. `total_size` is not
/// used: published checkpoints carry wrong ones.
struct ShardIndex {
  /// The usual name of the index file.
  static let fileName = "model.safetensors.index.json"
  /// The longest index that is read, in bytes.
  static let sizeLimit = 100_000_000

  /// File of each tensor, relative to the folder.
  let shardOfTensor: [String: String]

  /// The files, each once, in sorted order.
  var shards: [String] { Set(shardOfTensor.values).sorted() }

  /// Parses an index and makes sure that no file name leads out of the folder.
  ///
  /// - Throws: `.json`, `.value` naming the tensor, or `.malformed` when it maps nothing.
  init(parsing bytes: [UInt8], file: String) throws(CheckpointError) {
    let map = try JSONObject(parsing: bytes, file: file).object("weight_map")
    var shards: [String: String] = [:]
    for tensor in map.members.keys.sorted() {
      let shard = try map.string(tensor)
      guard Self.staysInside(shard) else {
        throw map.wrong(tensor, expected: "the name of a file in the same folder")
      }
      shards[tensor] = shard
    }
    guard !shards.isEmpty else { throw .malformed(file: file, reason: "weight_map maps no tensor") }
    shardOfTensor = shards
  }

  /// Whether a relative path names a file below its folder without `.`, `..`, empty parts or NUL.
  static func staysInside(_ path: String) -> Bool {
    !path.utf8.contains(0)
      && path.split(separator: "/", omittingEmptySubsequences: false)
        .allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
  }
}
