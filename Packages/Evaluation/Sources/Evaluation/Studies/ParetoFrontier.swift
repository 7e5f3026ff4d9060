/// Which of many points nobody beats: no other costs at most as much and brings at least as much,
/// one of them strictly.
public enum ParetoFrontier {
  /// The indices of the points on the frontier, by growing cost.
  ///
  /// Of points equal in both all are on the frontier or none. Values that are no numbers never are.
  ///
  /// - Parameters:
  ///   - costs: What each point costs; less is better.
  ///   - values: What each brings, as many; more is better.
  /// - Returns: Indices into both, by cost, then as given.
  public static func indices(costs: [Double], values: [Double]) -> [Int] {
    let order = zip(costs, values).enumerated().filter {
      !$0.element.0.isNaN && !$0.element.1.isNaN
    }
    .map(\.offset).sorted {
      (costs[$0], -values[$0], $0) < (costs[$1], -values[$1], $1)
    }
    var frontier: [Int] = []
    var best: (cost: Double, value: Double)?
    for index in order {
      let point = (cost: costs[index], value: values[index])
      if let best, point.value < best.value || (point.value == best.value && point.cost > best.cost)
      {
        continue
      }
      frontier.append(index)
      best = point
    }
    return frontier
  }
}
