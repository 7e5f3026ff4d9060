/// One of n parts of a run: the replies whose number, counted over all items and samples, leaves a
/// given remainder modulo n.
public struct Shard: Sendable, Hashable, Codable, CustomStringConvertible {
  /// The number of this part, from 1 to `count`.
  public let index: Int
  /// How many parts there are.
  public let count: Int

  /// The undivided run.
  public static let whole = Shard(uncheckedIndex: 1, count: 1)

  private init(uncheckedIndex index: Int, count: Int) {
    self.index = index
    self.count = count
  }

  /// A part of a run.
  ///
  /// - Throws: ``EvaluationError/setting(name:value:expected:)`` unless 1 <= index <= count.
  public init(index: Int, count: Int) throws(EvaluationError) {
    guard count >= 1, (1...count).contains(index) else {
      throw .setting(
        name: "shard", value: "\(index)/\(count)", expected: "i/n with 1 <= i <= n, such as 2/4")
    }
    self.init(uncheckedIndex: index, count: count)
  }

  /// Reads `i/n`.
  ///
  /// - Throws: ``EvaluationError/setting(name:value:expected:)`` for anything else.
  public init(_ text: String) throws(EvaluationError) {
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let index = numbers[0], let count = numbers[1] else {
      throw .setting(name: "shard", value: "'\(text)'", expected: "i/n, such as 2/4")
    }
    try self.init(index: index, count: count)
  }

  /// Reads `i/n` from a journal.
  public init(from decoder: any Decoder) throws {
    try self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes `i/n` into a journal.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  /// The part as `i/n`.
  public var description: String { "\(index)/\(count)" }

  /// Whether a reply belongs to this part.
  ///
  /// - Parameters:
  ///   - item: The position of the item, from 0.
  ///   - sample: The number of the reply to it, from 0.
  ///   - samples: How many replies each item gets.
  /// - Returns: True for exactly one of the parts.
  public func contains(item: Int, sample: Int, of samples: Int) -> Bool {
    (item * samples + sample) % count == index - 1
  }
}
