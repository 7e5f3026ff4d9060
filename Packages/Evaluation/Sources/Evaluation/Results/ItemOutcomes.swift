/// The replies to one item, as far as scores need them.
struct ItemOutcomes: Sendable, Hashable {
  /// The canonical answers in the order of the samples; nil where there is none.
  var answers: [String?]
  /// Which of them are right.
  var correct: [Bool]

  /// How many replies there are.
  var count: Int { correct.count }

  /// How many are right.
  var correctCount: Int { correct.count(where: \.self) }

  /// The share of right ones.
  var mean: Double { Double(correctCount) / Double(count) }
}
