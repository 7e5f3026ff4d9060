import AppSupport
import ArgumentParser
import Evaluation
import Foundation

/// `evaluate similarity RUN RUN`: how alike the texts of two runs are.
struct CompareTexts: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "similarity",
    abstract:
      "Says how alike the texts of two runs on the same problems are: ROUGE-1, ROUGE-2, ROUGE-L.",
    discussion: """
      The texts of the first run are the references; scores are F1 as the package rouge_score has it without its stemmer.
      """)

  @Argument(help: "The journal of the run whose texts are the references.")
  var reference: String
  @Argument(help: "The journal of the other run.")
  var candidate: String

  func run() throws {
    let similarity = try TextSimilarity(
      reference: URL(fileURLWithPath: reference), candidate: URL(fileURLWithPath: candidate))
    let rows = [
      ("ROUGE-1", similarity.rouge1), ("ROUGE-2", similarity.rouge2),
      ("ROUGE-L", similarity.rougeL), ("the same text", similarity.identical),
    ]
    print(
      Text.table(
        [["", "mean", "SE"]]
          + rows.map { name, estimate in
            [
              name, String(format: "%.4f", estimate.value),
              estimate.standardError.map { String(format: "%.4f", $0) } ?? "-",
            ]
          }))
    for setting in similarity.settings { print("  \(setting)") }
  }
}
