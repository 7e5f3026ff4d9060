import Foundation

/// A score by name, over all items or those of a group.
public struct MetricScore: Sendable, Hashable, Codable {
  /// The score's name, such as `acc_norm`.
  public let name: String
  /// The group of items; nil for all of them.
  public let group: String?
  /// Its mean over items, or what is computed of that.
  public let estimate: Estimate
}

/// Collects the scores of a run's records.
struct ScoreTally {
  /// Sums of an item's replies: by score, the values.
  private var values: [Int: [String: [Double]]] = [:]
  private var groups: [Int: String] = [:]

  /// Counts the scores of a reply to the item at a position.
  mutating func add(_ scores: [String: Double], of item: Int, group: String?) {
    groups[item] = group
    for (name, value) in scores { values[item, default: [:]][name, default: []].append(value) }
  }

  /// The mean of a score over each item's replies.
  func means(_ name: String) -> [Int: Double] {
    values.compactMapValues { scores in
      scores[name].map { $0.reduce(0, +) / Double($0.count) }
    }
  }

  /// The estimate of a score over some items. Shares of instructions count by how many an item has.
  private func estimate(_ name: String, of items: [Int: Double]) -> Estimate? {
    guard name.hasPrefix("instruction_") else { return Estimate(itemMeans: Self.ordered(items)) }
    let weights = means(InstructionList.weight)
    return Estimate(
      clusters: items.sorted { $0.key < $1.key }.map { item, share in
        let count = weights[item] ?? 1
        return (sum: share * count, count: Int(count))
      })
  }

  /// All scores over all items, the main one first, then the main one of each group.
  func scores(main: String?) -> [MetricScore] {
    let names = Set(values.values.flatMap(\.keys)).sorted { left, right in
      (left == main ? 0 : 1, left) < (right == main ? 0 : 1, right)
    }
    var found = names.filter { $0 != InstructionList.weight }.compactMap { name in
      estimate(name, of: self.means(name)).map { estimate in
        name == GradingRule.lossName
          ? MetricScore(name: "perplexity", group: nil, estimate: estimate.exponential)
          : MetricScore(name: name, group: nil, estimate: estimate)
      }
    }
    guard let main, !groups.isEmpty else { return found }
    let means = self.means(main)
    for group in Set(groups.values).sorted() {
      let members = means.filter { groups[$0.key] == group }
      if let estimate = Estimate(itemMeans: Self.ordered(members)) {
        found.append(MetricScore(name: main, group: group, estimate: estimate))
      }
    }
    return found
  }

  private static func ordered(_ means: [Int: Double]) -> [Double] {
    means.sorted { $0.key < $1.key }.map(\.value)
  }
}
