import Foundation

/// A program run as a process of its own, whose output goes to a file. It gets the three standard
/// descriptors and no other, hears every signal, and is in a process group of its own, so that one
/// that signals its group ends nobody else.
///
/// Foundation's `Process` is not used: looking for descriptors to close, it reads names of
/// `/proc/self/fd` beyond their end, which ends a process that has opened more than a thousand.
///
/// Sendable by rule: a lock guards how it ended, and nothing else changes.
public final class ChildProcess: @unchecked Sendable {
  /// How a process ended.
  public enum End: Sendable, Hashable {
    /// By itself, with this status.
    case exited(Int32)
    /// By a signal.
    case killed(Int32)
  }

  private let identifier: pid_t
  private let lock = NSLock()
  private var end: End?

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - program: the path of its file.
  ///   - arguments: those behind its name.
  ///   - environment: all variables that it sees.
  ///   - input: a descriptor to read from; nil: there is nothing to read.
  ///   - output: a descriptor for what it prints; nil: that is let go.
  ///   - errors: a descriptor for its messages; nil: this process's own.
  /// - Throws: ``FileError`` where the system does not start it.
  public init(
    _ program: String, _ arguments: [String], environment: [String: String],
    input: Int32? = nil, output: Int32? = nil, errors: Int32? = nil
  ) throws(FileError) {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for (descriptor, given, flag) in [(0, input, O_RDONLY), (1, output, O_WRONLY)] {
      if let given {
        posix_spawn_file_actions_adddup2(&actions, given, Int32(descriptor))
      } else {
        posix_spawn_file_actions_addopen(&actions, Int32(descriptor), "/dev/null", flag, 0)
      }
    }
    if let errors { posix_spawn_file_actions_adddup2(&actions, errors, 2) }
    // A child inherits the blocked signals of the thread that starts it, and workers block most.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    #if canImport(Darwin)
      let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_CLOEXEC_DEFAULT
      if errors == nil { posix_spawn_file_actions_addinherit_np(&actions, 2) }
    #else
      let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK
      for descriptor in Self.openDescriptors() where descriptor > 2 {
        posix_spawn_file_actions_addclose(&actions, descriptor)
      }
    #endif
    posix_spawnattr_setflags(&attributes, Int16(flags))
    var made = pid_t()
    let variables = environment.map { "\($0.key)=\($0.value)" }
    let code = Self.withList([program] + arguments) { words in
      Self.withList(variables) { posix_spawn(&made, program, &actions, &attributes, words, $0) }
    }
    guard code == 0 else { throw FileError(path: program, action: "starting", code: code) }
    identifier = made
  }

  /// The descriptors that are open, this listing's own among them; one that is closed meanwhile does
  /// no harm.
  private static func openDescriptors() -> [Int32] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    return (names ?? []).compactMap { Int32($0) }
  }

  /// Calls `body` with C strings, and a null behind them.
  private static func withList<Result>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let list = texts.map { strdup($0) }
    defer { for text in list { free(text) } }
    return body(list + [nil])
  }

  /// How it ended; nil while it runs.
  public var ended: End? { wait(WNOHANG) }

  /// Waits for its end.
  public func wait() -> End { wait(0) ?? .exited(0) }

  /// Sends it a signal, where it still runs.
  public func send(_ signal: Int32) {
    lock.withLock { if end == nil { _ = kill(identifier, signal) } }
  }

  private func wait(_ options: Int32) -> End? {
    lock.withLock {
      while end == nil {
        var status: Int32 = 0
        let found = waitpid(identifier, &status, options)
        if found == 0 { return nil }
        if found < 0, errno == EINTR { continue }
        // Somebody else took its status, of which nothing is known.
        guard found > 0 else {
          end = .exited(255)
          break
        }
        let signal = status & 0x7f
        end = signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal)
      }
      return end
    }
  }
}
