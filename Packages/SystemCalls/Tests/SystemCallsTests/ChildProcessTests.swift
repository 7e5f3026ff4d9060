import Foundation
import SystemCalls
import Testing

/// Programs that are run as processes of their own.
struct ChildProcessTests {
  private func run(
    _ script: String, environment: [String: String] = ["PATH": "/usr/bin:/bin"]
  ) throws -> (end: ChildProcess.End, output: String) {
    let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data().write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    let file = try FileHandle(forWritingTo: url)
    defer { try? file.close() }
    let child = try ChildProcess(
      "/bin/sh", ["-c", script], environment: environment, output: file.fileDescriptor,
      errors: file.fileDescriptor)
    let end = child.wait()
    #expect(child.ended == end)
    child.send(SIGKILL)  // reaches nobody
    return (end, try String(contentsOf: url, encoding: .utf8))
  }

  @Test func statusAndOutputAreItsOwn() throws {
    #expect(try run("echo a; echo b >&2; exit 7") == (.exited(7), "a\nb\n"))
    #expect(try run("kill -9 $$").end == .killed(SIGKILL))
    #expect(try run("echo $A", environment: ["A": "x y"]).output == "x y\n")
    // A signal to its group ends nobody else.
    #expect(try run("kill -TERM 0").end == .killed(SIGTERM))
  }

  /// More descriptors than a page of names has places for, none of which it sees.
  @Test func descriptorsStayHere() throws {
    let held = (0..<1500).map { _ in dup(0) }
    defer { for descriptor in held where descriptor >= 0 { close(descriptor) } }
    // The listing's own is the fourth.
    #expect(try run("ls /proc/self/fd | wc -l").output.contains("4\n"))
  }

  @Test func whatIsNoProgramIsRefused() {
    #expect(throws: FileError.self) {
      try ChildProcess("/nowhere/program", [], environment: [:])
    }
  }
}
