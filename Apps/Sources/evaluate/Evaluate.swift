import AppSupport
import ArgumentParser

/// `evaluate`: a benchmark in, accuracy with its standard error out.
struct Evaluate: CommandOfManyDefaults {
  static let configuration = CommandConfiguration(
    commandName: Program.called("evaluate"),
    abstract: "Measures a model on a benchmark: accuracy, tokens, time and memory.",
    discussion: """
      Every reply is written to a journal as it is finished; a run that was stopped, even by kill -9, goes on \
      where it was when the same command is given again.
      """,
    version: Program.version,
    subcommands: [
      RunBenchmark.self, ListBenchmarks.self, ShowTable.self, ShowReplies.self, MergeShards.self,
      RegradeRun.self, CompareRuns.self, StoppingRules.self, ShowLeaderboard.self,
      CompareTexts.self, JudgeRun.self,
    ],
    defaultSubcommand: RunBenchmark.self)

  static let firstWords = """
    say what to measure: --model nano --bench nano-math --limit 100 takes some seconds, all problems and \
    larger models take hours; 'evaluate list' names the benchmarks
    """
}
