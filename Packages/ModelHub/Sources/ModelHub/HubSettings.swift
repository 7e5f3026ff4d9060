import Foundation
import SystemCalls

/// Where the hub is, what opens it, and where its files go: decided once, by whoever starts the
/// program.
public struct HubSettings: Sendable {
  /// What a hub speaks.
  public enum Dialect: Sendable {
    /// The protocol of Hugging Face and of its mirrors.
    case huggingFace
    /// That of ModelScope.
    case modelScope
  }

  /// The hub, or a mirror of it.
  public var endpoint: URL
  /// What it speaks.
  public var dialect = Dialect.huggingFace
  /// Opens private and gated repositories.
  public var token: String?
  /// Where files are kept.
  public var cache: HubCache
  /// Which setting forbids requests, if one does.
  public var offlineBy: String?
  /// Seconds without a byte after which a connection counts as dead.
  public var timeout: Double
  /// Seconds of the first pause before a request is repeated; each further one is twice as long.
  public var firstPause: Double
  /// How often a request that fails is sent, while nothing arrives.
  public var attempts: Int
  /// Files or pieces of files that are fetched at once.
  public var connections: Int

  /// The longest pause, in seconds; where a server asks for more, the request fails with what it
  /// asks for.
  public static let longestPause = 120.0
  /// A token is one line of at most so many bytes.
  static let tokenLimit = 4096

  /// Settings of one's own.
  public init(
    endpoint: URL, cache: HubCache, token: String? = nil, offlineBy: String? = nil,
    timeout: Double = 10, firstPause: Double = 0.5, attempts: Int = 5, connections: Int = 4
  ) {
    self.endpoint = endpoint
    self.cache = cache
    self.token = token
    self.offlineBy = offlineBy
    self.timeout = timeout
    self.firstPause = firstPause
    self.attempts = attempts
    self.connections = connections
  }

  /// What an environment says, by the variables of the hub's own tools: `HF_ENDPOINT`, `HF_TOKEN`
  /// or the file `HF_TOKEN_PATH` or `HF_HOME/token`, `HF_HUB_OFFLINE`, `HF_HUB_DOWNLOAD_TIMEOUT`,
  /// and those of the cache. `VLLM_USE_MODELSCOPE`, or a `HF_ENDPOINT` of ModelScope, chooses that
  /// hub, which gets no token.
  ///
  /// - Throws: `HubError.badSetting` naming the variable; `HubError.file` for a token file that
  ///   cannot be read.
  public init(environment: [String: String], home: URL) throws(HubError) {
    func value(_ names: String...) -> (name: String, value: String)? {
      for name in names {
        if let value = environment[name], !value.isEmpty { return (name, value) }
      }
      return nil
    }
    let isModelScope = value("VLLM_USE_MODELSCOPE").map { Self.isTrue($0.value) } ?? false
    let address =
      value("HF_ENDPOINT")?.value
      ?? (isModelScope ? "https://modelscope.cn" : "https://huggingface.co")
    guard let endpoint = URL(string: address.hasSuffix("/") ? String(address.dropLast()) : address),
      ["http", "https"].contains(endpoint.scheme?.lowercased()), endpoint.host?.isEmpty == false
    else {
      throw .badSetting(
        variable: "HF_ENDPOINT", value: address,
        expected: "an address such as https://huggingface.co")
    }
    let cache = HubCache(environment: environment, home: home)
    let offline = value("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE").flatMap { entry in
      Self.isTrue(entry.value) ? entry.name : nil
    }
    var timeout = 10.0
    if let entry = value("HF_HUB_DOWNLOAD_TIMEOUT") {
      guard let seconds = Double(entry.value), seconds > 0, seconds <= 86400 else {
        throw .badSetting(variable: entry.name, value: entry.value, expected: "seconds above 0")
      }
      timeout = seconds
    }
    self.init(
      endpoint: endpoint, cache: cache, token: nil, offlineBy: offline, timeout: timeout)
    let host = "." + (endpoint.host?.lowercased() ?? "")
    if isModelScope || host.hasSuffix(".modelscope.cn") || host.hasSuffix(".modelscope.ai") {
      dialect = .modelScope
      return
    }
    let hidden = value("HF_HUB_DISABLE_IMPLICIT_TOKEN").map { Self.isTrue($0.value) } ?? false
    if hidden { return }
    if let entry = value("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN") {
      token = try Self.token(entry.value, from: entry.name)
    } else {
      let base = HubCache.home(environment: environment, home: home)
      let file =
        HubCache.folder("HF_TOKEN_PATH", environment: environment, home: home)
        ?? base.appendingPathComponent("token")
      guard access(file.path, F_OK) == 0 else { return }
      let text = try onDisk { () throws(FileError) in
        try TextFile.contents(of: file.path, atMost: Self.tokenLimit)
      }
      token = try Self.token(text, from: file.path)
    }
  }

  /// The token in a text, nil where it is blank.
  private static func token(_ text: String, from place: String) throws(HubError) -> String? {
    let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
    // Anything else would end the header field that it is sent in.
    guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), token.utf8.count <= tokenLimit
    else {
      throw .badSetting(variable: place, value: "(not shown)", expected: "a token: one word")
    }
    return token.isEmpty ? nil : token
  }

  private static func isTrue(_ text: String) -> Bool {
    ["1", "ON", "YES", "TRUE"].contains(text.uppercased())
  }
}
