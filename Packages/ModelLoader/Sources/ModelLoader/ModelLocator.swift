import Foundation

/// Finds the folder of a model by what people call it. Nothing is downloaded.
public struct ModelLocator: Sendable {
  /// A published model with a short name of its own.
  public struct Known: Sendable, Hashable {
    /// What people type, as in `0.6b`.
    public let shortName: String
    /// Repository on the hub, as in `Qwen/Qwen3-0.6B`.
    public let repository: String
    /// What a download takes, in bytes.
    public let bytes: Int

    /// A known model.
    public init(shortName: String, repository: String, bytes: Int) {
      self.shortName = shortName
      self.repository = repository
      self.bytes = bytes
    }
  }

  /// The Qwen3 models; sizes are those of the published BF16 weights.
  public static let qwen3: [Known] = [
    Known(shortName: "0.6b", repository: "Qwen/Qwen3-0.6B", bytes: 1_503_264_768),
    Known(shortName: "1.7b", repository: "Qwen/Qwen3-1.7B", bytes: 4_063_479_808),
    Known(shortName: "4b", repository: "Qwen/Qwen3-4B", bytes: 8_044_936_192),
    Known(shortName: "8b", repository: "Qwen/Qwen3-8B", bytes: 16_381_470_720),
    Known(shortName: "14b", repository: "Qwen/Qwen3-14B", bytes: 29_536_614_400),
    Known(shortName: "32b", repository: "Qwen/Qwen3-32B", bytes: 65_524_246_528),
  ]

  private let cache: HubCache
  private let folders: [URL]
  private let known: [Known]

  /// A locator.
  ///
  /// - Parameters:
  ///   - cache: where downloaded models lie.
  ///   - folders: folders whose subfolders are models, found by their own names.
  ///   - known: models with short names.
  public init(cache: HubCache, folders: [URL] = [], known: [Known] = ModelLocator.qwen3) {
    self.cache = cache
    self.folders = folders
    self.known = known
  }

  /// The folder of the model `name`: a path of a folder, the name of a model in one of the extra
  /// folders, a short name, or `org/name` in the hub cache, in this order.
  ///
  /// - Throws: `.unknownModel` saying what to download and how; `.missing` or `.malformed` for a
  ///   broken download.
  public func locate(_ name: String) throws(CheckpointError) -> URL {
    guard !name.isEmpty, !name.utf8.contains(0) else {
      throw .unknownModel(name: "\"\"", advice: "Give a folder or the name of a model.")
    }
    // Whatever begins like this can only be meant as a path.
    if ["/", "./", "../", "~"].contains(where: { name.hasPrefix($0) }) {
      guard Self.isFolder(name) else { throw .missing(path: name, what: "model folder") }
      return URL(fileURLWithPath: name)
    }
    if Self.isModel(name) { return URL(fileURLWithPath: name) }
    if !name.contains("/") {
      let models = folders.map { $0.appendingPathComponent(name) }
      if let model = models.first(where: { Self.isModel($0.path) }) { return model }
    }
    let match = known.first { $0.shortName == name.lowercased() || $0.repository == name }
    let repository = match?.repository ?? name
    guard Self.isRepository(repository) else {
      throw .unknownModel(name: name, advice: advice(for: nil))
    }
    if let folder = try cache.snapshot(of: repository) { return folder }
    throw .unknownModel(
      name: name == repository ? name : "\(name) (\(repository))",
      advice: advice(for: repository, bytes: match?.bytes))
  }

  private func advice(for repository: String?, bytes: Int? = nil) -> String {
    guard let repository else {
      let names = (known.map(\.shortName) + folders.flatMap(Self.modelNames)).joined(
        separator: ", ")
      return "Give the path of a folder, a repository as org/name, or one of: \(names)."
    }
    let size = bytes.map { String(format: " (%.1f GB)", Double($0) / 1e9) } ?? ""
    return "Looked in \(cache.root.path). Download it\(size) with "
      + "`hf download \(repository)` (the tool comes with `pip install huggingface_hub`), or fetch "
      + "config.json, generation_config.json, tokenizer.json, tokenizer_config.json and all "
      + "*.safetensors files with model.safetensors.index.json from "
      + "https://huggingface.co/\(repository) into one folder and give its path."
  }

  private static func modelNames(in folder: URL) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    return (names ?? []).filter { isModel(folder.appendingPathComponent($0).path) }.sorted()
  }

  private static func isFolder(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      && isDirectory.boolValue
  }

  private static func isModel(_ path: String) -> Bool {
    isFolder(path) && access(path + "/config.json", F_OK) == 0
  }

  /// Whether this can be `org/name` on the hub: two parts of letters, digits, `-`, `_` and `.`, no
  /// part beginning with a dot.
  private static func isRepository(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 2
      && parts.allSatisfy { part in
        !part.isEmpty && !part.hasPrefix(".")
          && part.utf8.allSatisfy { byte in
            Unicode.Scalar(byte).properties.isAlphabetic && byte < 0x80
              || (0x30...0x39).contains(byte) || [0x2D, 0x2E, 0x5F].contains(byte)
          }
      }
  }
}
