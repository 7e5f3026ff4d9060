/// What a cache keeps, and how it keeps it.
public struct KVConfiguration: Sendable, Hashable, Codable, CustomStringConvertible {
  /// How entries are stored.
  public let format: KVFormat
  /// Which tokens stay; nil keeps all.
  public let eviction: Eviction?

  /// A cache that keeps everything in BF16, unless something else is said.
  public init(format: KVFormat = .bf16, eviction: Eviction? = nil) {
    self.format = format
    self.eviction = eviction
  }

  /// The format, then the eviction where there is one: `bf16 rkv:2048`.
  public var description: String {
    ([format.rawValue] + (eviction.map { [$0.description] } ?? [])).joined(separator: " ")
  }
}
