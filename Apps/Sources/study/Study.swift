import AppSupport
import ArgumentParser

/// `study`: measures a grid of configurations and draws what it finds.
struct Study: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.called("study"),
    abstract:
      "Measures accuracy over models, weight bits, KV policies, thinking budgets and votes.",
    discussion: """
      A study is a YAML file such as studies/nano.yaml. Everything it makes lies in its folder (out/study-NAME): the \
      quantized models, a journal a run and budget, results.json for 'plan --study', and the report. 'study run' can be \
      stopped at any moment and given again.
      """,
    version: Program.version,
    subcommands: [RunStudy.self, StudyStatus.self, TimeStudy.self, ReportStudy.self])
}
