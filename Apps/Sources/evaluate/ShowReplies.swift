import AppSupport
import ArgumentParser
import Evaluation
import Foundation

/// `evaluate show RUN`: the stored replies with the answers found in them.
struct ShowReplies: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows the replies of a run, and how each was graded.")

  @Argument(help: "The journal of the run.")
  var journal: String
  @Flag(help: "Only replies that are not right.")
  var wrong = false
  @Option(help: "Only replies to the problem with this id.")
  var item: String?
  @Option(help: "Show at most so many replies.")
  var limit: Int?

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit \(limit): expected at least 1") }
  }

  func run() throws {
    var shown = 0
    let index = try JournalIndex.read(URL(fileURLWithPath: journal)) { record in
      guard isWanted(record), shown < limit ?? .max else { return }
      shown += 1
      print(Self.text(record))
    }
    for note in index.notes { Console.note("note: \(note)") }
    guard shown == 0 else { return }
    Console.note("none of the \(index.count) replies is like that")
  }

  private func isWanted(_ record: SampleRecord) -> Bool {
    !(wrong && record.correct) && (item ?? record.item) == record.item
  }

  private static func text(_ record: SampleRecord) -> String {
    let response = record.response
    let verdict = record.correct ? "right" : "wrong"
    let found = record.extracted.map { "'\($0)'" } ?? "no answer"
    let step = record.step.map { " (by \($0.rawValue))" } ?? ""
    return """
      == \(record.item), sample \(record.sample): \(verdict), \(found)\(step), expected \(record.expectation)
      prompt \(response.promptTokens) tokens, thought \(response.thoughtTokens), injected \
      \(response.injectedTokens), answer \(response.answerTokens), ended by \(response.finish.rawValue)
      \(Console.dim(response.thought))\(response.answer)

      """
  }
}
