import Foundation
import JSON
import KVLayout

/// A KV policy that was tuned for one model, with what was measured of it: what `tune` writes and
/// `--kv-policy` takes. JSON, with the policy in its text form.
public struct KVPolicyFile: Sendable, Hashable, Codable {
  /// The model that a policy is for.
  public struct Model: Sendable, Hashable, Codable {
    /// Its name, for messages.
    public let name: String
    /// Decoder layers.
    public let layers: Int
    /// Key/value heads of a layer.
    public let kvHeads: Int
    /// Values in a key.
    public let headDimension: Int
    /// SHA-256 of its `config.json`, in hexadecimal.
    public let config: String

    /// A model with caches of a shape, and the text of its `config.json`.
    public init(name: String, shape: KVShape, config: [UInt8]) {
      self.name = name
      layers = shape.layers
      kvHeads = shape.kvHeads
      headDimension = shape.headDimension
      self.config = CanonicalJSON.hexadecimalDigest(of: config)
    }
  }

  /// What was measured, for readers.
  public struct Measured: Sendable, Hashable, Codable {
    /// The benchmark.
    public let task: String
    /// Bytes for each token.
    public let bytesPerToken: Double
    /// The same of a cache in BF16.
    public let fullBytesPerToken: Double
    /// Mean divergence from that cache, in nats a token.
    public let divergence: Double
    /// Accuracy minus that with a cache in BF16, over the items that were compared.
    public let difference: Estimate?
    /// The loss of accuracy that was accepted.
    public let margin: Double

    /// Keeps the figures.
    public init(
      task: String, bytesPerToken: Double, fullBytesPerToken: Double, divergence: Double,
      difference: Estimate?, margin: Double
    ) {
      self.task = task
      self.bytesPerToken = bytesPerToken
      self.fullBytesPerToken = fullBytesPerToken
      self.divergence = divergence
      self.difference = difference
      self.margin = margin
    }
  }

  /// The version of the format.
  public let version: Int
  /// The policy.
  public let policy: KVPolicy
  /// The model it is for.
  public let model: Model
  /// What was measured of it.
  public let measured: Measured?

  private static let currentVersion = 1
  private static let keys: Set = ["version", "policy", "model", "measured"]
  /// The name of the file that is used beside a model's files where no flag says another.
  public static let name = "kv-policy.json"

  /// A policy for a model.
  public init(policy: KVPolicy, model: Model, measured: Measured?) {
    version = Self.currentVersion
    self.policy = policy
    self.model = model
    self.measured = measured
  }

  /// Reads a file that `write(to:)` made, or that was written by hand.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - evictions: The evictions that its policy may name.
  /// - Throws: ``EvaluationError/file(path:reason:)`` naming the key, and the layer where the policy
  ///   has an impossible entry for one.
  public init(
    contentsOf url: URL, evictions: EvictionCatalog = .standard
  ) throws(EvaluationError) {
    func problem(_ reason: String) -> EvaluationError { .file(path: url.path, reason: reason) }
    let bytes = try WholeFile.read(url, atMost: 1 << 20)
    guard let object = (try? JSONValue(parsing: bytes))?.object else {
      throw problem("is no JSON object; expected a KV policy that 'tune' wrote")
    }
    if let key = object.keys.first(where: { !Self.keys.contains($0) }) {
      throw problem("'\(key)' is no key of a KV policy")
    }
    guard object["version"]?.integer == Self.currentVersion else {
      throw problem(
        "'version' is \(object["version"]?.summary ?? "absent"); expected \(Self.currentVersion)")
    }
    let decoder = JSONDecoder()
    if let key = EvictionCatalog.userInfoKey { decoder.userInfo[key] = evictions }
    do {
      self = try decoder.decode(Self.self, from: bytes)
    } catch let error as KVPolicyError {
      throw problem("'policy': \(error)")
    } catch DecodingError.keyNotFound(let key, let context) {
      let path = (context.codingPath.map(\.stringValue) + [key.stringValue]).joined(separator: ".")
      throw problem("'\(path)' is absent")
    } catch DecodingError.typeMismatch(_, let context) {
      throw problem(
        "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is no such value")
    } catch {
      throw problem("holds no KV policy: \(error)")
    }
  }

  /// Writes the file, whole or not at all.
  ///
  /// - Throws: ``EvaluationError/file(path:reason:)``.
  public func write(to url: URL) throws(EvaluationError) { try WholeFile.write(self, to: url) }

  /// Checks that the policy was made for caches of a shape and that they can be kept so.
  ///
  /// - Parameters:
  ///   - shape: The sizes of the model's caches.
  ///   - name: The model's name, for messages.
  ///   - file: The file, for messages.
  /// - Throws: ``EvaluationError/file(path:reason:)`` naming what differs, or the layer.
  public func check(_ shape: KVShape, of name: String, file: URL) throws(EvaluationError) {
    let sizes = [
      ("layers", model.layers, shape.layers), ("KV heads", model.kvHeads, shape.kvHeads),
      ("values a head", model.headDimension, shape.headDimension),
    ]
    if let (size, expected, found) = sizes.first(where: { $0.1 != $0.2 }) {
      throw .file(
        path: file.path,
        reason: "is for \(model.name), which has \(expected) \(size); \(name) has \(found)")
    }
    do throws(KVPolicyError) { try policy.check(shape) } catch {
      throw .file(path: file.path, reason: "'policy': \(error)")
    }
  }

  /// Checks that the policy was made for this very model.
  ///
  /// - Throws: ``EvaluationError/file(path:reason:)`` naming what differs.
  public func check(_ other: Model, _ shape: KVShape, file: URL) throws(EvaluationError) {
    try check(shape, of: other.name, file: file)
    guard model.config == other.config else {
      throw .file(
        path: file.path,
        reason: "is for \(model.name); the config.json of \(other.name) is another (SHA-256 "
          + "\(other.config.prefix(12)), not \(model.config.prefix(12)))")
    }
  }
}
