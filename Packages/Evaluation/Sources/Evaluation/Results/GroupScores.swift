/// Scores of groups of k replies to an item, over all items.
public struct GroupScore: Sendable, Hashable, Codable {
  /// How many replies a group has.
  public let size: Int
  /// The share of items with a right reply in the group ("pass@k").
  public let pass: Estimate
  /// The share of items whose majority is right, ties by lot ("maj@k"). Both are expected values
  /// over all groups that can be picked from the replies.
  public let majority: Estimate
}

extension GroupScore {
  /// The scores for all sizes that the replies allow.
  ///
  /// - Parameters:
  ///   - outcomes: The items. The item with the fewest replies limits the sizes.
  ///   - grading: Which answers are the same.
  /// - Returns: Empty without items; sizes grow.
  static func all(_ outcomes: [ItemOutcomes], grading: GradingRule) -> [GroupScore] {
    let largest = outcomes.map(\.count).min() ?? 0
    let votes = outcomes.map { VoteCounts($0, grading: grading) }
    return sizes(upTo: largest).compactMap { size in
      let pass = votes.map { PassAtK.estimate(right: $0.right, total: $0.total, size: size) }
      let majority = votes.map { MajorityVote.expectedCredit($0, size: size) }
      guard let pass = Estimate(itemMeans: pass), let majority = Estimate(itemMeans: majority)
      else { return nil }
      return GroupScore(size: size, pass: pass, majority: majority)
    }
  }

  /// The sizes people report, and the largest possible one.
  static func sizes(upTo largest: Int) -> [Int] {
    guard largest > 0 else { return [] }
    let usual = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128]
    return usual.filter { $0 < largest } + [largest]
  }
}
