import AppSupport
import ArgumentParser

/// What the subcommands that generate replies work with.
struct StudyWorkFlags: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: "Threads to compute with (default: the job's processors under Slurm, else all).")
  var threads: Int?
  @Option(help: "A folder that holds the benchmarks' data.")
  var data: String?
  @OptionGroup(title: "Hub") var hub: HubFlags
}
