import DecoderModels
import Evaluation
import Foundation
import KVLayout
import ModelLoader
import SystemCalls

extension ModelFlags {
  /// Takes the KV policy of the file that was named, or of the one that lies beside the model where
  /// no flag says how the cache is kept.
  ///
  /// - Throws: `EvaluationError` naming the file, and what of it is for another model or impossible.
  public mutating func takePolicyFile(for checkpoint: Checkpoint) throws {
    guard !cache.isGiven else { return }
    let beside = checkpoint.policyPlace
    let isThere = FileCalls.isNamed(beside.path)
    guard
      let file = cache.policyFile.map({ URL(fileURLWithPath: $0) }) ?? (isThere ? beside : nil)
    else { return }
    let stored = try KVPolicyFile(contentsOf: file, evictions: Known.evictions)
    let (model, shape) = try checkpoint.tunedModel()
    try stored.check(model, shape, file: file)
    cache.kv = stored.policy
    cache.policyFile = file.relativePath
    Console.note("KV cache: \(stored.policy), by \(file.relativePath)")
  }

  /// Where the policy is from, to stand behind it; empty where flags or nobody said it.
  public var policySource: String { cache.policyFile.map { " by \($0)" } ?? "" }
}

extension Checkpoint {
  /// Where the KV policy lies that is used where nothing says another: in the model's folder, or
  /// beside its GGUF file.
  public var policyPlace: URL {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: directory.path, isDirectory: &isFolder)
    return exists && !isFolder.boolValue
      ? URL(fileURLWithPath: "\(directory.path).\(KVPolicyFile.name)")
      : directory.appendingPathComponent(KVPolicyFile.name)
  }

  /// What a policy file says of its model, and the sizes of its caches.
  ///
  /// - Throws: what is wrong with `config.json`, naming the key.
  public func tunedModel() throws -> (model: KVPolicyFile.Model, shape: KVShape) {
    let shape = try DecoderSource(self, families: Known.families).shape.cacheShape
    let config = try companionFile("config.json") ?? []
    return (KVPolicyFile.Model(name: modelName, shape: shape, config: config), shape)
  }
}
