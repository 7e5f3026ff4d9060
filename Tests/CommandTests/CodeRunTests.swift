import Foundation
import Testing

/// Runs of which replies are programs, killed at moments of their own.
@Suite struct CodeRunTests {
  private static let hasSandbox: Bool = {
    let folder = try? TemporaryFolder()
    let outcome = try? folder?.shell(
      "unshare --mount --pid --net --ipc --uts --fork true || unshare --user --map-root-user true")
    return outcome?.isSuccess == true
      && FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")
  }()

  private static let count = 8

  /// Of every third program the test fails.
  private static func reply(_ request: StubEndpoint.Request) -> StubEndpoint.Answer {
    guard request.path != "/v1/models" else { return .body(#"{"data": [{"id": "m"}]}"#) }
    let number = request.body.range(of: "value of ").flatMap {
      Int(request.body[$0.upperBound...].prefix { $0.isNumber })
    }
    let value = number.map { $0 % 3 == 2 ? $0 + 1 : $0 } ?? 0
    return .body(
      #"{"model": "m", "choices": [{"text": "    return \#(value)\n", "finish_reason": "stop"}]}"#)
  }

  @Test(.enabled(if: hasSandbox, "needs namespaces and /usr/bin/python3"))
  func nothingIsLostOrDoubledByKills() throws { try killed([]) }

  /// Beside a sandbox programs may be run on the host itself.
  @Test(.enabled(if: hasSandbox, "needs /usr/bin/python3"))
  func nothingIsLostOrDoubledOnTheHost() throws { try killed(["--unsafe-code"]) }

  private func killed(_ flags: [String]) throws {
    let (folder, temporary) = (try TemporaryFolder(), try TemporaryFolder())
    let rows = (0..<Self.count).map {
      #"{"id": "p\#($0)", "prompt": "def f():  # the value of \#($0)\n", "test": "assert f() == \#($0)"}"#
    }
    try rows.joined(separator: "\n").write(
      toFile: folder.path("rows.jsonl"), atomically: true, encoding: .utf8)
    try """
    name: programs
    title: Programs
    version: 1
    size: \(Self.count)
    fetch: Make it.
    data:
      - files: [rows.jsonl]
        fields: {id: id, question: prompt, before: "{prompt}", answer: "{test}", answer-form: program, verbatim: true}
    form: text
    prompt: "{question}"
    grading: {rule: program}
    samples: 1
    limits: {tokens: 16}
    """.write(toFile: folder.path("programs.yaml"), atomically: true, encoding: .utf8)
    let stub = try StubEndpoint(Self.reply)
    defer { stub.end() }
    func start(_ journal: String) throws -> TestProcess {
      try folder.start(
        .evaluate,
        [
          "--bench", "programs.yaml", "--endpoint", stub.address, "--journal", journal, "--batch",
          "4",
        ] + flags,
        environment: ["OPENAI_API_KEY": "", "http_proxy": "", "TMPDIR": temporary.url.path])
    }
    func records() -> Int { max(0, folder.text("killed.jsonl").split(separator: "\n").count - 1) }
    // In the middle of a program, right behind a record, and before the first.
    for (target, pause) in [(0, 0), (2, 0), (4, 30_000)] as [(Int, UInt32)] {
      let process = try start("killed.jsonl")
      #expect(process.waits { target == 0 ? stub.requests.count > 1 : records() >= target })
      usleep(pause)
      process.send(SIGKILL)
      #expect(process.finish().end == .killed(SIGKILL))
    }
    for journal in ["killed.jsonl", "whole.jsonl"] {
      let outcome = try start(journal).finish()
      #expect(outcome.isSuccess, "\(outcome.errors)")
    }
    let whole = try Journal(folder.text("whole.jsonl"))
    #expect(whole.samples.count == Self.count)
    #expect(!folder.text("whole.jsonl").contains("assert f()"))
    #expect(whole.samples.count { $0.contains("\"extracted\":\"passed\"") } == 6)
    #expect(whole.samples.count { $0.contains("failed: AssertionError") } == 2)
    #expect(try Journal(folder.text("killed.jsonl")) == whole)
    // What the killed runs had started ends by itself, and nothing of it is left.
    let deadline = Date(timeIntervalSinceNow: 20)
    while try !temporary.names().isEmpty, Date() < deadline { usleep(20_000) }
    #expect(try temporary.names() == [])
  }
}
