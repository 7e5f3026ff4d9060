import Kernels

/// Which experts the rows of a batch are sent to. A row's experts and their weights depend on that
/// row alone.
struct ExpertRoutes {
  /// The experts that some row is sent to, in ascending order, and the slots of their rows.
  let used: [(expert: Int, slots: Range<Int>)]
  /// The row of each slot: those of an expert one after the other, in ascending order.
  let rows: [Int]
  /// What the output of each slot is multiplied by.
  let weights: [Float]
  /// `[rows, experts of a row]`: the slots of each row, by expert in ascending order.
  let slots: [Int]

  /// Sorts choices by expert.
  ///
  /// - Parameters:
  ///   - choices: `[rows, experts of a row]`: the experts of each row, in ascending order, and
  ///     their weights.
  ///   - each: experts of a row.
  ///   - experts: experts there are.
  init(_ choices: [Choice], each: Int, experts: Int) {
    var start = [Int](repeating: 0, count: experts + 1)
    for choice in choices { start[choice.expert + 1] += 1 }
    for expert in 0..<experts { start[expert + 1] += start[expert] }
    var used: [(expert: Int, slots: Range<Int>)] = []
    for expert in 0..<experts where start[expert] < start[expert + 1] {
      used.append((expert, start[expert]..<start[expert + 1]))
    }
    var (rows, slots) = ([Int](repeating: 0, count: choices.count), [Int]())
    var weights = [Float](repeating: 0, count: choices.count)
    slots.reserveCapacity(choices.count)
    for (index, choice) in choices.enumerated() {
      let slot = start[choice.expert]
      start[choice.expert] += 1
      (rows[slot], weights[slot]) = (index / each, choice.weight)
      slots.append(slot)
    }
    self.used = used
    (self.rows, self.weights, self.slots) = (rows, weights, slots)
  }

  /// Experts that are at work together.
  struct Round {
    /// Which of those in use.
    let used: Range<Int>
    /// The slots of their rows.
    let slots: Range<Int>
  }

  /// The experts in use in rounds, in ascending order: as many as have no more than `most` rows
  /// together, at least one.
  func rounds(ofRows most: Int) -> [Round] {
    var rounds: [Round] = []
    var first = 0
    for (index, expert) in used.enumerated() {
      let isFull =
        index + 1 == used.count
        || used[index + 1].slots.upperBound - used[first].slots.lowerBound > most
      guard isFull else { continue }
      rounds.append(
        Round(
          used: first..<index + 1, slots: used[first].slots.lowerBound..<expert.slots.upperBound))
      first = index + 1
    }
    return rounds
  }

  /// An expert that a row is sent to.
  struct Choice {
    var expert: Int
    var weight: Float
  }

  /// The likeliest `count` experts of a row, in ascending order; of equally likely ones the first.
  ///
  /// - Parameters:
  ///   - scores: `[experts]`; replaced by their softmax.
  ///   - experts: how many there are, at least `count`.
  ///   - count: experts of a row.
  ///   - normalizes: whether the weights are divided by their sum.
  ///   - kernels: of this machine.
  ///   - target: `[count]`, overwritten.
  static func choose(
    among scores: UnsafeMutablePointer<Float>, experts: Int, count: Int, normalizes: Bool,
    _ kernels: bb_kernel_table, into target: UnsafeMutablePointer<Choice>
  ) {
    let sum = kernels.exp_sum(scores, kernels.highest(scores, experts), scores, experts)
    var chosen: Float = 0
    for place in 0..<count {
      var best = Choice(expert: -1, weight: -.infinity)
      for expert in 0..<experts where scores[expert] > best.weight || best.expert < 0 {
        // Whoever was chosen before is below 0.
        if scores[expert] < 0 { continue }
        best = Choice(expert: expert, weight: scores[expert])
      }
      scores[best.expert] = -1
      chosen += best.weight
      // Insertion among those before it, by expert.
      var at = place
      while at > 0, target[at - 1].expert > best.expert {
        target[at] = target[at - 1]
        at -= 1
      }
      target[at] = best
    }
    let divisor = normalizes ? chosen : sum
    for place in 0..<count { target[place].weight /= divisor }
  }
}
