import AppSupport
import Foundation

/// Another command of the distribution, run as a process of its own: its memory is its own, and so are its faults.
struct Sibling {
  private let program: URL

  /// The command of that name, which lies beside this one.
  ///
  /// - Throws: `UserError` where it does not.
  init(_ name: String) throws {
    let here = Bundle.main.executableURL?.deletingLastPathComponent()
    let invoked = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let places = [here, invoked].compactMap(\.self).map { $0.appendingPathComponent(name) }
    guard let found = places.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) })
    else {
      throw UserError(
        "the command \(name) is not beside this one; looked for "
          + places.map(\.path).joined(separator: ", "))
    }
    program = found
  }

  /// Runs it to its end; its messages appear on standard error, what it prints is let go.
  ///
  /// - Throws: `UserError` when it fails; an interrupt is handed on to it first.
  func run(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
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
      throw UserError("\(program.lastPathComponent) \(arguments.joined(separator: " ")) \(how)")
    }
  }
}
