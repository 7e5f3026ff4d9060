import Foundation
import SystemCalls
import Testing

@testable import Evaluation

/// Benchmarks whose replies are programs, on made-up rows of the forms in which data exists.
@Suite(.serialized) struct CodeBenchmarkTests {
  private func benchmark(_ name: String, _ file: String, _ rows: [String]) throws -> Benchmark {
    let folder = try TemporaryFolder()
    _ = try folder.file(file, rows.joined(separator: "\n"))
    return try Benchmark(
      BenchmarkCatalog(ResourceSearch()).definition(named: name),
      in: DataFolders(folders: [folder.url]))
  }

  private static let halves = #"""
    {"task_id": "HumanEval/1", "prompt": "def half(x):\n    \"\"\" Half of it, \\ or more. \"\"\"\n", 
     "entry_point": "half", "canonical_solution": "    return x / 2\n", "contract": "", "base_input": [[4]], 
     "plus_input": [[1], [9999999999999999999999999999999999]], "atol": 0}
    """#.split(separator: "\n").joined()

  /// The program of a reply and its tests, as they are run.
  private func passes(_ reply: String, _ benchmark: Benchmark, item: Int = 0) throws -> Bool {
    let sandbox = try #require(SandboxTests.sandbox)
    let test = try #require(ProgramTest(key: benchmark.items[item].answer))
    return try test.grade(reply, in: sandbox).correct
  }

  @Test(.enabled(if: SandboxTests.sandbox != nil, "needs a sandbox"))
  func inputsAreComparedWithTheCanonicalSolution() throws {
    let plus = try benchmark(
      "humaneval-plus", "humaneval/HumanEvalPlus-Mini.jsonl", [Self.halves])
    #expect(plus.items[0].question.hasPrefix("def half"))
    #expect(try passes("    return x / 2\n", plus))
    #expect(try passes("    return x / 2 + 1e-9\n", plus))
    #expect(try !passes("    return x / 2 + 1e-5\n", plus))
    // Right where HumanEval asks, wrong elsewhere.
    #expect(try !passes("    return x // 2\n", plus))
    // Whole numbers reach programs with all their digits.
    #expect(
      try passes(
        "    assert x < 10 ** 9 or x % 1000 == 999 and type(x) == int\n    return x / 2\n", plus))
  }

  @Test(.enabled(if: SandboxTests.sandbox != nil, "needs a sandbox"))
  func rowsWithATestProgramAreRunAsTheyAre() throws {
    let plus = try benchmark(
      "humaneval-plus", "humaneval/HumanEvalPlus.jsonl",
      [
        #"{"task_id": "HumanEval/0", "prompt": "def one():\n", "entry_point": "one", "#
          + #""canonical_solution": "    return 1\n", "test": "def check(f):\n    assert f() == 1"}"#
      ])
    #expect(try passes("    return 1\n", plus))
    #expect(try !passes("    return 2\n", plus))
  }

  private static func task(_ id: Int, setup: String = "") -> String {
    #"{"text": "Write a function to add \#(id).", "code": "", "task_id": \#(id), "#
      + #""test_setup_code": "\#(setup)", "test_list": ["assert add(1) == 1 + K", "#
      + #""assert add(2) == 2 + K ", "assert add(0) == K"], "challenge_test_list": []}"#
  }

  @Test(.enabled(if: SandboxTests.sandbox != nil, "needs a sandbox"))
  func problemsOfMBPPAreAskedBehindThree() throws {
    let rows = [Self.task(10), Self.task(11, setup: "K = 11"), Self.task(510), Self.task(511)]
    let mbpp = try benchmark("mbpp", "mbpp/mbpp.jsonl", rows)
    #expect(mbpp.items.map(\.id) == ["11", "510"])
    let text = mbpp.question(0, order: []).text()
    #expect(
      text.hasSuffix(
        "  return largest_nums\n[DONE]\n\nYou are an expert Python programmer, and here is your task: "
          + "Write a function to add 11. Your code should pass these tests:\n\nassert add(1) == 1 + K\n"
          + "assert add(2) == 2 + K \nassert add(0) == K\n[BEGIN]\n"))
    #expect(text.components(separatedBy: "[BEGIN]\n").count == 5)
    #expect(text.contains("[BEGIN]\ndef similar_elements(test_tup1, test_tup2):\r\n  res = "))
    #expect(try passes("def add(x):\n    return x + K\n", mbpp))
    #expect(try !passes("def add(x):\n    return K\n", mbpp))
  }

  @Test(.enabled(if: SandboxTests.sandbox != nil, "needs a sandbox"))
  func modulesThatTestsImportHaveToBeThere() throws {
    func row(_ module: String) -> String {
      #"{"task_id": 2, "prompt": "Write it.", "code": "", "test_list": ["a", "b", "c"], "#
        + #""test": "import \#(module) as m\nfrom math import inf\ndef f():\n    import absent\n"}"#
    }
    let there = try benchmark("mbpp-plus", "mbpp/mbpp-plus.jsonl", [row("json")])
    #expect(try Sandbox.made(for: [there]) != nil)
    let missing = try benchmark("mbpp-plus", "mbpp/mbpp-plus.jsonl", [row("no_such_module.x")])
    let error = #expect(throws: EvaluationError.self) { try Sandbox.made(for: [missing]) }
    #expect(error?.description.contains("mbpp-plus") == true)
    #expect(error?.description.contains("without 'no_such_module'") == true)
  }

  private struct Program: Responder {
    func respond(
      to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
    ) throws {
      for request in requests {
        try each(
          request,
          SampleResponse(
            thought: "", answer: "    return x / 2\n", promptTokens: 1, thoughtTokens: 0,
            injectedTokens: 0, answerTokens: 1, finish: .stop, cost: SampleCost(seconds: 0)))
      }
    }
  }

  @Test(.enabled(if: SandboxTests.sandbox != nil, "needs a sandbox"))
  func journalsNameTestsByTheirDigest() throws {
    let second = Self.halves.replacingOccurrences(of: "HumanEval/1", with: "HumanEval/2")
    let plus = try benchmark(
      "humaneval-plus", "humaneval/HumanEvalPlus-Mini.jsonl", [Self.halves, second])
    let folder = try TemporaryFolder()
    let run = try EvaluationRun(
      benchmark: plus, scenario: scenario(of: plus), journal: folder.url.appending(path: "j.jsonl"),
      sandbox: SandboxTests.sandbox)
    #expect(try run.run(with: Program()).summary.correct == 2)
    var records: [SampleRecord] = []
    let index = try JournalIndex.read(run.journal) { records.append($0) }
    let header = try #require(index.header)
    let record = try #require(records.first)
    #expect(record.key == ProgramTest.recorded(plus.items[0].answer))
    #expect(record.key != ProgramTest.recorded(plus.items[1].answer + " "))
    #expect(record.key.count == 71)
    #expect(record.expectation == "a program that passes its tests")
    #expect(try !String(contentsOf: run.journal, encoding: .utf8).contains("9999999999999"))
    // As it was recorded before: with the tests. Such a journal is read, and gone on with.
    let older = SampleRecord(
      item: record.item, index: record.index, sample: record.sample, seed: record.seed, order: nil,
      key: plus.items[0].answer, group: nil, response: record.response,
      grade: Grade(extracted: "passed", step: nil, correct: true, scores: nil),
      fingerprint: header.fingerprint)
    let lines = try [
      JournalFile.line(header, file: "j"), JournalFile.line(older, file: "j"),
    ].reduce(Data(), +)
    try lines.write(to: run.journal)
    #expect(older.expectation == record.expectation)
    #expect(try run.run(with: Program()).summary.correct == 2)
    var keys: [String] = []
    _ = try JournalIndex.read(run.journal) { keys.append($0.key) }
    #expect(keys == [older.key, ProgramTest.recorded(plus.items[1].answer)])
  }

  /// Replies with a program, and then fails, or not; tells how long it was kept from the next reply.
  private final class Writer: Responder {
    let program: String
    let fails: Bool
    var waited = Duration.zero

    init(_ program: String, fails: Bool = false) {
      self.program = program
      self.fails = fails
    }

    func respond(
      to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
    ) throws {
      for request in requests {
        let response = SampleResponse(
          thought: "", answer: program, promptTokens: 1, thoughtTokens: 0, injectedTokens: 0,
          answerTokens: 1, finish: .stop, cost: SampleCost(seconds: 0))
        waited += try ContinuousClock().measure { try each(request, response) }
      }
      if fails { throw Adder.Stopped() }
    }
  }

  private func run(_ writer: Writer) throws -> (seconds: Double, records: [SampleRecord]) {
    let rows = ["2", "3", "4"].map {
      Self.halves.replacingOccurrences(of: "HumanEval/1", with: "HumanEval/" + $0)
    }
    let plus = try benchmark("humaneval-plus", "humaneval/HumanEvalPlus-Mini.jsonl", rows)
    let folder = try TemporaryFolder()
    let run = try EvaluationRun(
      benchmark: plus, scenario: scenario(of: plus, samples: 1),
      journal: folder.url.appending(path: "j.jsonl"), sandbox: SandboxTests.sandbox)
    let time = try ContinuousClock().measure {
      if writer.fails {
        #expect(throws: Adder.Stopped.self) { try run.run(with: writer) }
      } else {
        _ = try run.run(with: writer)
      }
    }
    var records: [SampleRecord] = []
    _ = try JournalIndex.read(run.journal) { records.append($0) }
    return (time / .seconds(1), records)
  }

  /// While a program runs the next reply is written.
  @Test(.enabled(if: SandboxTests.sandbox != nil, "needs a sandbox"))
  func aProgramKeepsNobodyFromWriting() throws {
    let writer = Writer("    import time; time.sleep(0.2); return x / 2\n")
    let (seconds, records) = try run(writer)
    #expect(records.count == 3 && records.allSatisfy(\.correct))
    #expect(seconds > 0.4 && writer.waited < .milliseconds(200))
  }

  /// Where the writing fails, programs are ended that nobody will hear of, and nothing is left of them.
  @Test(.enabled(if: SandboxTests.sandbox != nil, "needs a sandbox"))
  func programsEndWithTheRun() throws {
    let word = "unheard-\(UUID().uuidString)"
    let (seconds, records) = try run(Writer("    while True: pass  # \(word)\n", fails: true))
    #expect(seconds < 2 && records.isEmpty)
    let place = FileManager.default.temporaryDirectory
    let left = try FileManager.default.contentsOfDirectory(atPath: place.path).filter { name in
      let program = place.appending(path: name).appending(path: "program.py")
      return (try? String(contentsOf: program, encoding: .utf8))?.contains(word) == true
    }
    #expect(left.isEmpty)
  }

  @Test func benchmarksWithoutProgramsNeedNoSandbox() throws {
    #expect(try Sandbox.made(for: [sums(in: TemporaryFolder())]) == nil)
  }
}
