import Foundation
import StopSignals

/// Ctrl-C and termination: the first asks the command to stop at its next step; the second, or some
/// seconds in which it did not stop, end the process.
public enum Interrupts {
  /// Begins to listen; where the loader did so before, nothing changes.
  public static func install() { bb_stop_listen() }

  /// Whether the command was asked to stop.
  public static var isPending: Bool { bb_stop_signal() != 0 }

  /// What to exit with after an interrupt: 130 for ctrl-C, 143 for termination.
  public static var exitCode: Int32? {
    let number = bb_stop_signal()
    return number == 0 ? nil : bb_stop_exit_code(number)
  }

  /// Ends the current work when an interrupt is pending.
  ///
  /// - Throws: `UserError`; `runCommand` turns it into the exit code of the signal.
  public static func check() throws {
    if isPending { throw UserError("interrupted") }
  }

  /// Forgets a ctrl-C that was heard, so that the program can go on.
  ///
  /// - Returns: false where the program was asked to end in another way.
  public static func forgetCtrlC() -> Bool { bb_stop_forget_interrupt() == 1 }

  /// Lets the first signal end the process: for commands that only read and leave nothing behind.
  public static func endAtOnce() { bb_stop_at_once() }

  /// Gives a command that was asked to stop other than the usual seconds to end by itself.
  public static func postpone(seconds: Int) { alarm(UInt32(clamping: seconds)) }

  /// What tells a command that is started to end when this process does.
  public static var childEnvironment: [String: String] {
    [BB_PARENT_VARIABLE: "\(getpid())"]
  }
}
