import Foundation

/// The first line of a journal: which run the records below belong to.
public struct JournalHeader: Sendable, Hashable, Codable {
  /// Grows when the format of journals changes: from 2 on every record has a digest.
  public static let currentFormat = 2

  /// The format of this journal.
  public let format: Int
  /// The fingerprint of the scenario.
  public let fingerprint: String
  /// The part of the run that this journal holds.
  public let shard: Shard
  /// The run.
  public let scenario: Scenario

  /// The header for a run or a part of it, of the format that its records have.
  init(scenario: Scenario, shard: Shard, format: Int = JournalHeader.currentFormat) {
    self.format = format
    fingerprint = scenario.fingerprint
    self.shard = shard
    self.scenario = scenario
  }

  /// All replies that a complete journal holds, in order.
  var expected: some Sequence<SampleID> {
    let total = scenario.items * scenario.samples
    return stride(from: shard.index - 1, to: total, by: shard.count).lazy.map { number in
      let (index, sample) = number.quotientAndRemainder(dividingBy: scenario.samples)
      return SampleID(index: index, sample: sample)
    }
  }

  /// How many replies a complete journal holds.
  var expectedCount: Int {
    let (each, rest) = (scenario.items * scenario.samples).quotientAndRemainder(
      dividingBy: shard.count)
    return each + (shard.index <= rest ? 1 : 0)
  }

  /// Why this cannot be the header of a journal, or nil.
  var fault: String? {
    guard (1...Self.currentFormat).contains(format) else {
      return "has format \(format); expected \(Self.currentFormat)"
    }
    if fingerprint != scenario.fingerprint { return "has a fingerprint that is not its scenario's" }
    return Self.canHold(scenario)
      ? nil : "has \(scenario.items) items with \(scenario.samples) samples"
  }

  /// Whether there can be a journal of so many items and samples.
  static func canHold(_ scenario: Scenario) -> Bool {
    (1...mostItems).contains(scenario.items)
      && (1...Scenario.mostSamples).contains(scenario.samples)
  }

  /// Whether a torn first line can be the beginning of a header, and not another file's text.
  static func mayBegin(with bytes: Data) -> Bool {
    let start = Array(#"{"fingerprint":""#.utf8)
    return bytes.starts(with: start.prefix(bytes.count))
  }

  /// More items are no benchmark.
  private static let mostItems = 100_000_000
}
