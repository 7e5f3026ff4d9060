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

  /// The repository that a name stands for: a short name's, or what `org/name` says.
  ///
  /// - Throws: `HubError.badName`.
  public static func repository(
    of name: String, among known: [KnownModel] = qwen3
  ) throws(HubError) -> RepositoryName {
    let head = name.prefix { $0 != "@" && $0 != ":" }
    let match = known.first { $0.shortName == head.lowercased() }
    return try RepositoryName(
      parsing: match.map { $0.repository + name.dropFirst(head.count) } ?? name)
  }
}
