import AppSupport
import ArgumentParser

/// `bitbudget`: the one program; every command is also reached through a link of its own name.
struct BitBudget: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.name,
    abstract: "Makes reasoning models smaller, runs them, and measures what every bit buys.",
    discussion: """
      'bitbudget COMMAND --help' explains a command. Text and results go to standard output, progress and \
      messages to standard error; the exit code is 0, or 1 for a failure, 2 for wrong usage, 130 for ctrl-C \
      and 143 for termination.
      """,
    version: Program.version,
    subcommands: commands.map(\.type))

  /// The commands by the names that links to the program may have.
  static let commands: [(name: String, type: any ParsableCommand.Type)] = [
    ("plan", Plan.self), ("quantize", Quantize.self), ("generate", Generate.self),
    ("chat", Chat.self), ("serve", Serve.self),
    ("evaluate", Evaluate.self), ("study", Study.self), ("tune", Tune.self),
    ("load", LoadTest.self), ("pull", Pull.self),
    ("models", Models.self), ("rm", Remove.self),
  ]

  /// The command of that name.
  static func command(_ name: String) -> (any ParsableCommand.Type)? {
    commands.first { $0.name == name }?.type
  }

  func run() throws {
    throw CleanExit.helpRequest(Self.self)
  }
}
