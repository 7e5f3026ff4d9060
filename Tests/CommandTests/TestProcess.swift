import Foundation
import Testing

/// A command of the distribution, as built.
enum Command: String, CaseIterable {
  case quantize, generate, chat, serve, evaluate, plan, study, tune, load

  /// Where the built commands lie: `BITBUDGET_BIN`, or links to the program that lies beside the
  /// tests.
  private static let folder: URL? = {
    if let named = ProcessInfo.processInfo.environment["BITBUDGET_BIN"] {
      return URL(fileURLWithPath: named)
    }
    let places =
      [Bundle.main.executableURL?.deletingLastPathComponent()]
      + Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
    let programs = places.compactMap { $0?.appendingPathComponent("bitbudget") }
    guard
      let program = programs.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) })
    else { return nil }
    let links = FileManager.default.temporaryDirectory
      .appendingPathComponent("bitbudget-commands-\(getpid())")
    try? FileManager.default.createDirectory(at: links, withIntermediateDirectories: true)
    for command in allCases {
      try? FileManager.default.createSymbolicLink(
        at: links.appendingPathComponent(command.rawValue), withDestinationURL: program)
    }
    return links
  }()

  /// The path of the program.
  func path() throws -> String {
    let folder = try #require(
      Self.folder,
      "the built program is not beside the tests; BITBUDGET_BIN may name a folder of the commands")
    return folder.appendingPathComponent(rawValue).path
  }
}

/// A signal that asks a command to stop.
enum StopSignal: CaseIterable {
  case interrupt, terminate

  var number: Int32 { self == .interrupt ? SIGINT : SIGTERM }
  /// The exit code of a command that stopped because of it.
  var exitCode: Int32 { 128 + number }
}

/// How a process ended.
enum End: Hashable {
  case exited(Int32)
  /// Ended by a signal that it did not handle: a crash, or kill -9.
  case killed(Int32)
}

/// What an ended process left.
struct Outcome {
  let end: End
  let output: String
  let errors: String

  var isSuccess: Bool { end == .exited(0) }
  /// The output's token ids, where there is one line of them.
  var ids: [Int] {
    output.split(whereSeparator: { $0 == "," || $0.isWhitespace }).compactMap { Int($0) }
  }
}

/// A running process. Its output goes to files, so that it never waits for a reader.
final class TestProcess {
  private static let limitSeconds = 120.0
  private let process = Process()
  private let folder: TemporaryFolder
  /// Stays open as long as this value, for programs that end with whoever started them.
  private let input: Pipe?

  /// Starts a program in `directory`, without the BITBUDGET variables of the tests themselves; its
  /// input is empty, or open and silent.
  init(
    _ path: String, _ arguments: [String], in directory: URL, environment: [String: String] = [:],
    holdsInput: Bool = false
  ) throws {
    folder = try TemporaryFolder()
    let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("BITBUDGET_") }
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.currentDirectoryURL = directory
    process.environment = inherited.merging(environment) { $1 }
    input = holdsInput ? Pipe() : nil
    process.standardInput = input ?? FileHandle.nullDevice
    let files = try [file("output"), file("errors")]
    process.standardOutput = files[0]
    process.standardError = files[1]
    // The process has descriptors of its own; ours would stay open, and with more than some 1,350
    // of them Foundation reads past the names of /proc/self/fd where it starts the next process.
    defer { for file in files { try? file.close() } }
    try withoutBlockedSignals { try process.run() }
  }

  /// A child inherits the blocked signals of the thread that starts it, and worker threads block
  /// most; and those ignored, which ctrl-C is where the tests run behind a shell's `&`.
  private func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    _ = signal(SIGINT, SIG_DFL)
    try body()
  }

  private func file(_ name: String) throws -> FileHandle {
    let url = folder.url.appendingPathComponent(name)
    try Data().write(to: url)
    return try FileHandle(forWritingTo: url)
  }

  /// What the process wrote so far.
  var output: String { folder.text("output") }
  /// What the process said so far.
  var errors: String { folder.text("errors") }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Whether the process handles a signal by now, as the kernel lists it.
  func handles(_ signal: Int32) -> Bool {
    let status = try? String(
      contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }
    let mask = line.flatMap {
      UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16)
    }
    return (mask ?? 0) >> UInt64(signal - 1) & 1 == 1
  }

  /// Waits until `condition` holds; false when the process ended before.
  func waits(for condition: () -> Bool) -> Bool {
    while !condition() {
      if !process.isRunning { return condition() }
      usleep(2000)
    }
    return true
  }

  /// Waits for the end; a process that hangs is killed.
  func finish() -> Outcome {
    let started = Date()
    while process.isRunning {
      if Date().timeIntervalSince(started) > Self.limitSeconds { send(SIGKILL) }
      usleep(2000)
    }
    let status = process.terminationStatus
    return Outcome(
      end: process.terminationReason == .exit ? .exited(status) : .killed(status),
      output: output, errors: errors)
  }
}

/// A folder that is removed together with this value.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appendingPathComponent("bitbudget-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The path of something in the folder.
  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// The text of a file, empty where there is none.
  func text(_ name: String) -> String {
    String(
      decoding: (try? Data(contentsOf: url.appendingPathComponent(name))) ?? Data(), as: UTF8.self)
  }

  /// Everything in the folder, hidden files included, sorted.
  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
  }

  /// Starts a command here.
  func start(
    _ command: Command, _ arguments: [String], environment: [String: String] = [:]
  ) throws -> TestProcess {
    try TestProcess(command.path(), arguments, in: url, environment: environment)
  }

  /// Runs a command here.
  func run(
    _ command: Command, _ arguments: [String], environment: [String: String] = [:]
  ) throws -> Outcome {
    try start(command, arguments, environment: environment).finish()
  }

  /// Runs a shell script here, which finds the commands on its path.
  func shell(_ script: String) throws -> Outcome {
    let bin = URL(fileURLWithPath: try Command.generate.path()).deletingLastPathComponent().path
    return try TestProcess(
      "/bin/bash", ["-c", "PATH=\(bin):$PATH\n\(script)"], in: url
    ).finish()
  }
}

/// Expects that a command refused: the exit code, nothing on standard output, and a message with
/// these words.
func expectRefusal(
  _ outcome: Outcome, code: Int32 = 1, naming words: [String],
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.end == .exited(code), "\(outcome.errors)", sourceLocation: sourceLocation)
  #expect(outcome.output == "", sourceLocation: sourceLocation)
  for word in words {
    #expect(outcome.errors.contains(word), sourceLocation: sourceLocation)
  }
}
