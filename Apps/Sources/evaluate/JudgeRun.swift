import AppSupport
import ArgumentParser
import Evaluation
import Foundation

/// `evaluate judge RUN`: how often a judge prefers the answers of a run to another model's.
struct JudgeRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "judge",
    abstract:
      "Asks a judge behind an endpoint how often the answers of a run are better than another model's.",
    discussion: """
      Every pair of answers is judged twice, in both orders, as Arena-Hard does; the score is the mean of both, with an \
      interval over questions. The judge's replies stand in a journal of their own, with which the same command goes on.
      """)

  @Argument(help: "The journal of the run whose answers are judged.")
  var answers: String
  @Option(
    help: ArgumentHelp(
      "The answers to compare them with: a journal, or a file of answers as Arena-Hard publishes them (.jsonl).",
      valueName: "file"))
  var baseline: String
  @OptionGroup(title: "Judge") var judge: EndpointFlags
  @Option(
    help:
      "Definition file (.yaml) of what was asked (default: the shipped one of the run's benchmark)."
  )
  var bench: String?
  @Option(help: "A folder that holds the benchmark's data.")
  var data: String?
  @Option(help: "Most tokens of a judge's reply (default: 4096).")
  var maxTokens: Int?
  @Option(help: "Replies asked of the judge at a time.")
  var batch = 16
  @Option(help: "The judge's journal to write or continue (default: beside the run's).")
  var journal: String?
  @Flag(help: "Ask again for replies that the judge did not give.")
  var retryFailed = false
  @OptionGroup var table: TableFlags

  func validate() throws {
    guard (1...4096).contains(batch) else {
      throw ValidationError("--batch \(batch): expected 1 to 4096")
    }
    if let maxTokens, maxTokens < 1 {
      throw ValidationError("--max-tokens \(maxTokens): expected at least 1")
    }
  }

  func run() throws {
    guard judge.isGiven else {
      throw UserError("\(answers): without a judge nothing is scored; --endpoint URL names one")
    }
    let place = URL(fileURLWithPath: answers)
    let own = try ModelAnswers(contentsOf: place)
    guard let answered = own.scenario else { throw UserError("\(answers): is no journal") }
    let other = try ModelAnswers(contentsOf: URL(fileURLWithPath: baseline))
    let finder = try BenchmarkFinder(data: data)
    guard let questions = try finder.find(bench ?? answered.benchmark).items else {
      throw UserError("\(answers): scores a text; there is nothing to judge")
    }
    let definition = try finder.catalog.judge()
    let pairs = try Benchmark(judging: questions, own, against: other, by: definition)
    let subject = EndpointSubject(
      endpoint: try EndpointModel(judge, form: .chat, kv: nil, thinking: false, forced: false),
      concurrency: batch, flags: judge)
    let source = try subject.source()
    let scenario = try Scenario(
      pairs, seed: 0, sampling: subject.sampling(SamplingFlags.parse([]).filled(by: definition)),
      limits: TokenLimits(tokens: maxTokens ?? definition.limits.tokens),
      engine: source.facts.merging([
        JudgeReport.answers: own.name, JudgeReport.baseline: other.name,
      ]) { $1 })
    let name = "\(place.runName)-judged-\(scenario.fingerprint.prefix(8)).jsonl"
    let file =
      journal.map { URL(fileURLWithPath: $0) }
      ?? place.deletingLastPathComponent().appendingPathComponent(name)
    let sweep = try BudgetSweep([
      EvaluationRun(benchmark: pairs, scenario: scenario, journal: file)
    ])
    _ = try source.results(
      of: sweep, "\(definition.name)  \(subject.name)", damage: retryFailed ? .dropFailed : .refuse)
    let report = try JudgeReport(journal: file)
    Console.write(SummaryTable(report).text(table.format))
    for warning in report.summary.warnings { Console.note("warning: \(warning)") }
    if pairs.items.count < questions.items.count {
      Console.note(
        "note: judged are \(pairs.items.count) of \(questions.items.count) questions, which have answers"
      )
    }
    Console.note("journal: \(file.relativePath)")
  }
}
