import AppSupport
import ArgumentParser

/// `load`: what a model takes in the use cases of arXiv:2411.02355.
struct LoadTest: CommandOfManyDefaults {
  static let configuration = CommandConfiguration(
    commandName: Program.called("load"),
    abstract: "Measures latency, throughput and cost in eight use cases, here or at an endpoint.",
    discussion: """
      Synchronous runs send one request at a time; asynchronous ones look for the highest rate at which the first \
      token comes in time and the others follow fast enough.
      """,
    version: Program.version,
    subcommands: [RunLoad.self, ShowLoad.self], defaultSubcommand: RunLoad.self)

  static let firstWords = """
    say what to measure: --model nano --scale 0.1 takes some minutes, eight whole use cases and larger models \
    take hours
    """
}
