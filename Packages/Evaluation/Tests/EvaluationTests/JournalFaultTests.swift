import Foundation
import Testing

@testable import Evaluation

/// Journals that a crash, a full disk or a careless hand has damaged.
struct JournalFaultTests {
  let folder: TemporaryFolder
  let benchmark: Benchmark
  let journal: URL

  init() throws {
    folder = try TemporaryFolder()
    benchmark = try sums(in: folder)
    journal = folder.url.appending(path: "run.jsonl")
  }

  func run() throws -> EvaluationRun {
    try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark, samples: 1), journal: journal)
  }

  func finished() throws -> Data {
    _ = try run().run(with: Adder())
    return try Data(contentsOf: journal)
  }

  @Test func aCrashAtAnyByteOfTheLastLineLosesNothingElse() throws {
    let whole = try finished()
    let lastLine = try #require(whole.dropLast().lastIndex(of: 10)) + 1
    for length in lastLine...whole.count {
      try whole.prefix(length).write(to: journal)
      var fresh = 0
      let (_, notes) = try run().run(with: Adder()) { fresh = $0.fresh }
      // A record that lacks only its line feed is complete.
      let isTorn = length > lastLine && length < whole.count - 1
      #expect(fresh == (length < whole.count - 1 ? 1 : 0), "\(length)")
      #expect(notes == (isTorn ? ["line 21 was torn by a crash and is left out"] : []))
      #expect(try Data(contentsOf: journal) == whole, "\(length)")
    }
  }

  @Test func aCrashWithinTheHeaderStartsAgain() throws {
    let whole = try finished()
    for length in [0, 1, 50] {
      try whole.prefix(length).write(to: journal)
      _ = try run().run(with: Adder())
      #expect(try Data(contentsOf: journal) == whole)
    }
  }

  @Test func anotherFileIsLeftAlone() throws {
    for text in ["my notes", "{\"a\": 1}", "my notes\n"] {
      try Data(text.utf8).write(to: journal)
      #expect(throws: EvaluationError.self) { try run().run(with: Adder(), damage: .drop) }
      #expect(try Data(contentsOf: journal) == Data(text.utf8))
    }
  }

  @Test func aDamagedMiddleLineIsNamedAndRefusedUnlessTold() throws {
    let whole = try finished()
    var lines = whole.split(separator: 10).map { Data($0) }
    lines[4] = lines[4].dropLast(7)
    let damaged = Data(lines.joined(separator: [10])) + [10]
    try damaged.write(to: journal)
    let error = EvaluationError.journalLine(
      file: journal.path, line: 5, reason: "is no valid JSON record")
    #expect(throws: error) { try run().run(with: Adder()) }
    #expect(throws: error) { try Summary(journal: journal) }
    #expect(try Data(contentsOf: journal) == damaged)

    var fresh = 0
    let (_, notes) = try run().run(with: Adder(), damage: .drop) { fresh = $0.fresh }
    #expect(fresh == 1)
    #expect(notes == ["\(error) (left out)"])
    #expect(try Data(contentsOf: journal) == whole)
  }

  @Test func repeatedForeignAndImpossibleRecordsAreRefused() throws {
    let lines = String(decoding: try finished(), as: UTF8.self).split(separator: "\n")
    let cases: [(String, String)] = [
      (lines[3] + "\n", "repeats sample 0 of s2 of line 4"),
      (
        lines[3].replacing("\"index\":2", with: "\"index\":20") + "\n",
        "has sample 0 of item 20, which is no part of the run"
      ),
      (
        lines[3].replacing("\"sample\":0", with: "\"sample\":-1") + "\n",
        "has sample -1 of item 2, which is no part of the run"
      ),
      (
        lines[20].replacing("\"promptTokens\":4", with: "\"promptTokens\":-4") + "\n",
        "has a negative or impossible count or time"
      ),
      (
        lines[20].replacing("\"promptTokens\":4", with: "\"promptTokens\":1e30") + "\n",
        "is no valid JSON record"
      ),
      (lines[20].replacing("\"key\":", with: "\"kez\":") + "\n", "has no field 'key'"),
      (
        lines[20].replacing("\"correct\":", with: "\"correct\":\"yes\",\"was\":") + "\n",
        "has a wrong value in field 'correct'"
      ),
      (String(repeating: "[", count: 100_000) + "\n", "is no valid JSON record"),
      ("\u{0}\u{0}\n", "is no valid JSON record"),
    ]
    for (line, reason) in cases {
      let text = lines[..<20].joined(separator: "\n") + "\n" + line
      try Data(text.utf8).write(to: journal)
      let found = #expect(throws: EvaluationError.self) { try Summary(journal: journal) }
      let expected = EvaluationError.journalLine(file: journal.path, line: 21, reason: reason)
      #expect(found == expected)
    }
  }

  @Test func aHeaderThatDoesNotFitItselfIsRefused() throws {
    let text = String(decoding: try finished(), as: UTF8.self)
    for (from, to, reason) in [
      ("\"seed\":7", "\"seed\":8", "has a fingerprint that is not its scenario's"),
      ("\"format\":2", "\"format\":3", "has format 3; expected 2"),
      ("\"shard\":\"1/1\"", "\"shard\":\"4/3\"", "is no valid JSON record"),
    ] {
      let range = try #require(text.firstRange(of: from))
      try Data(text.replacingCharacters(in: range, with: to).utf8).write(to: journal)
      #expect(
        throws: EvaluationError.journalLine(file: journal.path, line: 1, reason: reason)
      ) { try Summary(journal: journal) }
    }
  }

  @Test func twoRunsCannotWriteOneJournal() throws {
    struct Nested: Responder {
      let inner: () throws -> Void
      func respond(
        to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
      ) throws {
        try inner()
        for request in requests { try each(request, Adder.reply(to: request)) }
      }
    }
    let run = try run()
    _ = try run.run(
      with: Nested {
        #expect(throws: EvaluationError.journalInUse(file: journal.path)) {
          try run.run(with: Adder())
        }
      })
    #expect(try Summary(journal: journal).replies == 20)
  }

  @Test func unwritablePlacesAreNamed() throws {
    let missing = folder.url.appending(path: "missing/run.jsonl")
    let run = try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark), journal: missing)
    #expect(
      throws: EvaluationError.file(
        path: missing.path, reason: "cannot be opened for writing: No such file or directory")
    ) { try run.run(with: Adder()) }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "needs /dev/full"))
  func aDeviceIsNoJournal() throws {
    #expect(
      throws: EvaluationError.file(
        path: "/dev/full", reason: "cannot be opened for writing: it is no regular file")
    ) { try LockedFile(URL(filePath: "/dev/full")) }
  }

  /// An edit of what identifies a reply, or of what was graded and how, is noticed; of times it is
  /// not.
  @Test func editedLinesAreRefused() throws {
    let lines = String(decoding: try finished(), as: UTF8.self).split(separator: "\n").map(
      String.init)
    for (pattern, changed, isRefused) in [
      (#""item":"s2""#, #""item":"s3""#, true), (#""sample":0"#, #""sample":0 "#, false),
      (#""seed":[0-9]+"#, #""seed":1"#, true), (#""key":"[^"]*""#, #""key":"0""#, true),
      (#""correct":true"#, #""correct":false"#, true),
      (#""extracted":"[^"]*""#, #""extracted":"0""#, true),
      (#""answerTokens":[0-9]+"#, #""answerTokens":77"#, true),
      (#""seconds":[0-9.]+"#, #""seconds":77"#, false),
    ] {
      var edited = lines
      edited[3] = edited[3].replacing(try Regex(pattern), with: changed)
      #expect(edited[3] != lines[3], "\(pattern)")
      try Data((edited.joined(separator: "\n") + "\n").utf8).write(to: journal)
      let message = "journal \(journal.path), line 4: was edited"
      let error = Result { try Summary(journal: journal) }
      switch error {
      case .success: #expect(!isRefused, "\(pattern)")
      case .failure(let error): #expect(isRefused && "\(error)".hasPrefix(message), "\(error)")
      }
    }
  }

  /// Lines of journals of format 1 have no digest; they are read, with a note, and the run goes on.
  @Test func journalsOfFormatOneAreReadWithANote() throws {
    let text = String(decoding: try finished(), as: UTF8.self)
    let old = text.replacing(try Regex(#""digest":"[0-9a-f]{32}","#), with: "")
      .replacing(#""format":2"#, with: #""format":1"#)
    #expect(old.utf8.count == text.utf8.count - 20 * 44)
    let cut = old.split(separator: "\n").prefix(11).joined(separator: "\n") + "\n"
    try Data(cut.utf8).write(to: journal)
    var fresh = 0
    let (summary, notes) = try run().run(with: Adder()) { fresh = $0.fresh }
    #expect(fresh == 10 && summary.replies == 20)
    #expect(notes.count == 1 && notes[0].hasPrefix("10 replies were recorded without a digest"))
    #expect(try run().isFinished(damage: .refuse))
  }
}
