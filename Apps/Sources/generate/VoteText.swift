import AppSupport
import Evaluation
import Foundation

extension VoteTally {
  /// A table of the votes, and the outcome in words.
  var text: String {
    var rows = [["answer", "votes"]] + ranking.map { [$0.answer, "\($0.votes)"] }
    if none > 0 { rows.append(["(no answer)", "\(none)"]) }
    if isWeighted {
      let weights = ranking.map { String(format: "%.2f", $0.weight) }
      rows = zip(rows, ["weight"] + weights + [""]).map { $0 + [$1] }
    }
    return Text.table(rows) + "\nthe vote: " + outcome
  }

  /// The winner, or why there is none.
  var outcome: String {
    if let winner { return winner }
    if leaders.isEmpty { return "no sample gave an answer" }
    return "a tie of \(leaders.joined(separator: ", ")); each counts 1/\(leaders.count)"
  }
}
