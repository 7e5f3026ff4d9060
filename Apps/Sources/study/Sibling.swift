import AppSupport
import Foundation
import SystemCalls

/// Another command of the program, run as a process of its own: its memory is its own, and so are
/// its faults.
struct Sibling {
  private let program: URL
  private let name: String

  /// The command of that name.
  ///
  /// - Throws: `UserError` where the program's own file is not known.
  init(_ name: String) throws {
    guard let program = Bundle.main.executableURL,
      FileManager.default.isExecutableFile(atPath: program.path)
    else { throw UserError("the program's own file is not known; \(name) cannot be started") }
    self.program = program
    self.name = name
  }

  /// Runs it to its end; its messages appear on standard error, what it prints is let go.
  ///
  /// - Throws: `UserError` when it fails; an interrupt is handed on to it first.
  func run(_ arguments: [String]) throws {
    // The study says everything: options that a user sets for every command must not change its
    // runs.
    let environment = Settings.withoutOptions(ProcessInfo.processInfo.environment)
      .merging(Interrupts.childEnvironment) { $1 }
    let process = try ChildProcess(program.path, [name] + arguments, environment: environment)
    var isTold = false
    while process.ended == nil {
      if Interrupts.isPending && !isTold {
        process.send(SIGTERM)
        isTold = true
      }
      usleep(20_000)
    }
    try Interrupts.check()
    let how: String
    switch process.wait() {
    case .exited(0): return
    case .exited(let status): how = "failed with \(status)"
    case .killed(let signal): how = "was ended by signal \(signal)"
    }
    throw UserError("\(name) \(arguments.joined(separator: " ")) \(how)")
  }
}
