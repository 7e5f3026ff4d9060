/// Published models with short names of their own.
public struct KnownModel: Sendable, Hashable {
  /// What people type, as in `0.6b`.
  public let shortName: String
  /// Repository on the hub, as in `Qwen/Qwen3-0.6B`.
  public let repository: String
  /// Bytes of its weights.
  public let bytes: Int

  /// A known model.
  public init(shortName: String, repository: String, bytes: Int) {
    self.shortName = shortName
    self.repository = repository
    self.bytes = bytes
  }

  /// The Qwen3 models; sizes are those of the published BF16 weights.
  public static let qwen3: [KnownModel] = [
    KnownModel(shortName: "0.6b", repository: "Qwen/Qwen3-0.6B", bytes: 1_503_264_768),
    KnownModel(shortName: "1.7b", repository: "Qwen/Qwen3-1.7B", bytes: 4_063_479_808),
    KnownModel(shortName: "4b", repository: "Qwen/Qwen3-4B", bytes: 8_044_936_192),
    KnownModel(shortName: "8b", repository: "Qwen/Qwen3-8B", bytes: 16_381_470_720),
    KnownModel(shortName: "14b", repository: "Qwen/Qwen3-14B", bytes: 29_536_614_400),
    KnownModel(shortName: "32b", repository: "Qwen/Qwen3-32B", bytes: 65_524_246_528),
  ]

  /// A name without what other programs and browsers put before it.
  private static func plain(_ name: String) -> String {
    var rest = name[...]
    for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) {
      rest = rest.dropFirst(scheme.count)
    }
    for host in ["huggingface.co/", "www.huggingface.co/", "hf.co/"] where rest.hasPrefix(host) {
      let path = rest.dropFirst(host.count)
      let parts = path.split(separator: "/")
      guard parts.count >= 4, parts[2] == "tree" else {
        return String(path.hasSuffix("/") ? path.dropLast() : path)
      }
      return "\(parts[0])/\(parts[1])@\(parts[3...].joined(separator: "/"))"
    }
    for family in ["qwen3:", "qwen3-"]
    where name.lowercased().hasPrefix(family)
      && name.dropFirst(family.count).first?.isNumber == true
    {
      return String(name.dropFirst(family.count))
    }
    return name
  }

  /// The repository that a name stands for: a short name's, also as Ollama writes it
  /// (`qwen3:0.6b`), or what `org/name` or the address of its page says.
  ///
  /// - Throws: `HubError.badName`.
  public static func repository(
    of name: String, among known: [KnownModel] = qwen3
  ) throws(HubError) -> RepositoryName {
    let name = plain(name)
    let head = name.prefix { $0 != "@" && $0 != ":" }
    let match = known.first { $0.shortName == head.lowercased() }
    return try RepositoryName(
      parsing: match.map { $0.repository + name.dropFirst(head.count) } ?? name)
  }
}
