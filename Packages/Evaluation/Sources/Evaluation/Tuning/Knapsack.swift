/// A knapsack with one option of every group, where losses and costs add up.
enum Knapsack {
  /// What one option of a group costs and loses.
  struct Option: Sendable, Hashable {
    let cost: Int
    let loss: Double
  }

  /// One option of every group.
  struct Choice: Sendable, Hashable {
    let cost: Int
    let loss: Double
    /// The place of each group's option in it.
    let options: [Int]
  }

  /// A choice among the groups so far, and where it came from.
  private struct State {
    let cost: Int
    let loss: Double
    let option: Int
    let parent: Int
  }

  /// The choices that no other beats in both cost and loss, from the cheapest to the dearest.
  ///
  /// Exact, by going through the groups one after the other and keeping what is not beaten so far
  /// (Nemhauser and Ullmann, 1969): time and memory grow with the number of different sums.
  static func frontier(_ groups: [[Option]]) -> [Choice] {
    var stages = [[State(cost: 0, loss: 0, option: -1, parent: -1)]]
    for group in groups {
      let last = stages[stages.count - 1]
      let states = last.indices.flatMap { parent in
        group.indices.map { option in
          State(
            cost: last[parent].cost + group[option].cost,
            loss: last[parent].loss + group[option].loss, option: option, parent: parent)
        }
      }
      var kept: [State] = []
      for state in states.sorted(by: { ($0.cost, $0.loss) < ($1.cost, $1.loss) })
      where kept.last.map({ state.loss < $0.loss }) ?? true {
        kept.append(state)
      }
      stages.append(kept)
    }
    let last = stages[stages.count - 1]
    return groups.isEmpty || last.isEmpty
      ? []
      : last.map { end in
        var (options, state) = ([Int](), end)
        for stage in stages.dropLast().reversed() {
          options.append(state.option)
          state = stage[state.parent]
        }
        return Choice(cost: end.cost, loss: end.loss, options: options.reversed())
      }
  }
}
