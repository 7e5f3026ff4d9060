import Foundation
import Testing

@testable import Evaluation

/// What a sandbox that can be had on this machine does; where it cannot, that it says why.
///
/// One after the other: a program that forks without end takes the time of those beside it.
@Suite(.serialized) struct SandboxTests {
  /// A sandbox for short programs; nil where there can be none here.
  static let sandbox: Sandbox? = {
    var limits = Sandbox.Limits()
    limits.seconds = 3
    return try? Sandbox(limits: limits)
  }()

  @Test(
    .enabled(if: sandbox != nil, "needs namespaces, util-linux and /usr/bin/python3"),
    arguments: [
      ("print(6 * 7)", "passed"), ("assert 1 == 2", "failed: AssertionError"),
      ("import sys; sys.exit(3)", "failed: "), ("import time; time.sleep(60)", "out of time"),
      ("while True: print('x' * 10000)", "too much output"),
      ("x = bytearray(8 << 30)", "failed: MemoryError"),
      ("import socket; socket.create_connection(('1.1.1.1', 53), 2)", "failed: OSError"),
      ("open('/usr/written', 'w')", "failed: OSError: [Errno 30]"),
      ("f = open('a', 'wb')\nwhile True: f.write(b'x' * 1000000)", "failed: OSError"),
      ("import os; os.kill(-1, 9)", "failed: ProcessLookupError"),
      ("import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", "out of time"),
      ("import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(600)", "passed"),
    ])
  func programsEndInTimeWithAVerdict(program: String, verdict: String) throws {
    let sandbox = try #require(Self.sandbox)
    let clock = ContinuousClock.now
    let grade = try ProgramTest(before: "", tests: "").grade(program, in: sandbox)
    #expect(grade.extracted?.hasPrefix(verdict) == true, "\(grade)")
    #expect(grade.correct == (verdict == "passed"))
    #expect(ContinuousClock.now - clock < .seconds(30))
  }

  /// A program that forks so often and then waits a little.
  private static func forks(_ count: Int) -> String {
    """
    import os, time
    for _ in range(\(count)):
      if os.fork() == 0:
        time.sleep(60)
    time.sleep(0.4)
    """
  }

  /// Two programs together may have more processes than one of them.
  @Test(
    .enabled(
      if: sandbox != nil
        && ProcessInfo.processInfo.isOperatingSystemAtLeast(
          OperatingSystemVersion(majorVersion: 5, minorVersion: 14, patchVersion: 0)),
      "needs a sandbox, and Linux 5.14 to count the processes of each"))
  func everyProgramHasABoundOfItsOwn() async throws {
    let sandbox = try #require(Self.sandbox)
    let most = sandbox.limits.processes
    async let first = sandbox.run(Self.forks(most * 2 / 3))
    async let second = sandbox.run(Self.forks(most * 2 / 3))
    let ends = try await [first.end, second.end]
    #expect(ends == [.exited(0), .exited(0)])
    let outcome = try sandbox.run(Self.forks(most + 1))
    #expect(outcome.end == .exited(1) && outcome.output.contains("BlockingIOError"))
  }

  @Test(.enabled(if: sandbox != nil, "needs namespaces, util-linux and /usr/bin/python3"))
  func testsDecide() throws {
    let sandbox = try #require(Self.sandbox)
    let test = ProgramTest(before: "def add(a, b):\n", tests: "assert add(1, 2) == 3")
    #expect(try test.grade("    return a + b\n", in: sandbox).correct)
    #expect(try !test.grade("    return a - b\n", in: sandbox).correct)
    #expect(ProgramTest(key: test.key) == test)
    #expect(ProgramTest(key: "7") == nil)
  }

  /// What goes wrong before a program begins is no verdict about it, and nothing that it does makes it look so.
  @Test(.enabled(if: sandbox != nil, "needs namespaces, util-linux and /usr/bin/python3"))
  func onlyWhatRanIsGraded() throws {
    var sandbox = try #require(Self.sandbox)
    let grade = try ProgramTest(before: "", tests: "")
      .grade(
        "import os\nfor n in range(64):\n  try: os.ftruncate(n, 0)\n  except OSError: pass",
        in: sandbox)
    #expect(grade.extracted == "passed")
    sandbox.limits.folderBytes = 8192
    let long = "print(1)\n" + String(repeating: "# long\n", count: 10_000)
    #expect(throws: EvaluationError.self) { try sandbox.run(long) }
  }

  /// Programs without walls have a folder of their own, which goes with them.
  @Test func openProgramsLeaveNothing() throws {
    let sandbox = try Sandbox(isOpen: true)
    let outcome = try sandbox.run(
      "import os\nopen('x', 'w').close()\nprint(os.getcwd())\nraise SystemExit(3)")
    #expect(outcome.end == .exited(3))
    let folder = outcome.output.trimmingCharacters(in: .newlines)
    #expect(folder.contains("/program-"))
    #expect(!FileManager.default.fileExists(atPath: folder))
    #expect(
      try sandbox.run("print('x' * (2 << 20), flush=True)\nwhile True: pass").end == .tooMuchOutput)
  }

  @Test(arguments: [
    ("    return 1\n", "    return 1\n"), ("So:\n```python\nx = 1\n```\nThat is it.", "x = 1\n"),
    ("```\na\n```\nor\n```py\nb\n```", "b\n"), ("```python\nx = 1\n", "x = 1\n"),
  ])
  func theLastBlockIsTheProgram(reply: String, code: String) {
    #expect(ProgramTest.code(in: reply) == code)
  }

  @Test func withoutSandboxNoProgramIsGraded() throws {
    let request = try SampleRequest(
      id: SampleID(index: 0, sample: 0), of: "x", question: SampleQuestion(prompt: "1 + 1 ="),
      seed: 1, sampling: Sampling(), limits: TokenLimits(tokens: 4))
    let response = Adder.reply(to: request)
    #expect(throws: EvaluationError.self) {
      try GradingRule.program.grade(response, key: "", steps: [], in: nil)
    }
  }
}
