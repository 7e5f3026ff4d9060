import Foundation
import Synchronization

/// Ctrl-C and termination: the first asks the command to stop at its next step, the second ends the process.
public enum Interrupts {
  private static let received = Atomic<Int32>(0)

  /// Begins to listen for SIGINT, SIGTERM and SIGUSR1 (which batch systems send before their limit).
  ///
  /// A reader that goes away ends the process quietly, and a file that may not grow is an error of the write, not a
  /// signal.
  public static func install() {
    signal(SIGPIPE, SIG_DFL)
    signal(SIGXFSZ, SIG_IGN)
    _ = received.load(ordering: .relaxed)  // Made before a handler may touch it.
    // A parent may have blocked them; such a mask is inherited.
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in [SIGINT, SIGTERM, SIGUSR1] { sigaddset(&mask, number) }
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    for number in [SIGINT, SIGTERM, SIGUSR1] {
      signal(number) { number in
        let (isFirst, _) = Interrupts.received.compareExchange(
          expected: 0, desired: number, ordering: .relaxed)
        if !isFirst { _exit(Interrupts.exitCode(of: number)) }
      }
    }
  }

  /// Whether the command was asked to stop.
  public static var isPending: Bool { received.load(ordering: .relaxed) != 0 }

  /// What to exit with after an interrupt: 130 for ctrl-C, 143 for termination.
  public static var exitCode: Int32? {
    let number = received.load(ordering: .relaxed)
    return number == 0 ? nil : exitCode(of: number)
  }

  private static func exitCode(of number: Int32) -> Int32 { number == SIGINT ? 130 : 143 }

  /// Ends the current work when an interrupt is pending.
  ///
  /// - Throws: `UserError`; `runCommand` turns it into the exit code of the signal.
  public static func check() throws {
    if isPending { throw UserError("interrupted") }
  }
}
