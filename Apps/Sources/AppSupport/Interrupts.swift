import Foundation
import Synchronization

/// Ctrl-C and termination: the first asks the command to stop at its next step, the second ends the process.
public enum Interrupts {
  private static let received = Atomic<Int32>(0)

  /// Begins to listen for SIGINT and SIGTERM.
  public static func install() {
    _ = received.load(ordering: .relaxed)  // Made before a handler may touch it.
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        let (isFirst, _) = Interrupts.received.compareExchange(
          expected: 0, desired: number, ordering: .relaxed)
        if !isFirst { _exit(128 + number) }
      }
    }
  }

  /// Whether the command was asked to stop.
  public static var isPending: Bool { received.load(ordering: .relaxed) != 0 }

  /// What to exit with after an interrupt: 130 for ctrl-C, 143 for termination.
  public static var exitCode: Int32? {
    let number = received.load(ordering: .relaxed)
    return number == 0 ? nil : 128 + number
  }

  /// Ends the current work when an interrupt is pending.
  ///
  /// - Throws: `UserError`; `runCommand` turns it into the exit code of the signal.
  public static func check() throws {
    if isPending { throw UserError("interrupted") }
  }
}
