import AppSupport
import Foundation

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
    let process = Process()
    process.executableURL = program
    process.arguments = [name] + arguments
    // The study says everything: options that a user sets for every command must not change its
    // runs.
    process.environment = Settings.withoutOptions(ProcessInfo.processInfo.environment)
      .merging(Interrupts.childEnvironment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    var isTold = false
    while process.isRunning {
      if Interrupts.isPending && !isTold {
        process.terminate()
        isTold = true
      }
      usleep(20_000)
    }
    try Interrupts.check()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let how =
        process.terminationReason == .exit
        ? "failed with \(process.terminationStatus)"
        : "was ended by signal \(process.terminationStatus)"
      throw UserError("\(name) \(arguments.joined(separator: " ")) \(how)")
    }
  }
}
