import Foundation
import Testing

/// Output appears whole or not at all, and never over something else.
@Suite struct OutputTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func quantize(to output: String, _ more: String...) throws -> Outcome {
    try folder.run(
      .quantize,
      ["--model", Nano.model, "--bits", "4", "--method", "rtn", "--output", output] + more)
  }

  @Test func noFolderToWriteInto() throws {
    try Data().write(to: folder.url.appendingPathComponent("file"))
    expectRefusal(try quantize(to: folder.path("file/model")), naming: [folder.path("file")])
    expectRefusal(try quantize(to: "/proc/model"), naming: ["/proc"])
    #expect(try folder.names() == ["file"])
    let inNewFolder = try quantize(to: folder.path("new/model"))
    #expect(inNewFolder.isSuccess)
    #expect(folder.text("new/model/config.json").contains("quantization_config"))
  }

  @Test func whatExistsIsKept() throws {
    let first = try quantize(to: folder.path("model"))
    #expect(first.isSuccess)
    let before = try Data(contentsOf: folder.url.appendingPathComponent("model/bitbudget.json"))
    expectRefusal(try quantize(to: folder.path("model")), naming: [folder.path("model"), "exists"])
    #expect(
      try Data(contentsOf: folder.url.appendingPathComponent("model/bitbudget.json")) == before)
    #expect(try quantize(to: folder.path("model"), "--force").isSuccess)

    try Data().write(to: folder.url.appendingPathComponent("file"))
    expectRefusal(try quantize(to: folder.path("file"), "--force"), naming: ["not a folder"])
    let other = folder.url.appendingPathComponent("other")
    try FileManager.default.createDirectory(at: other, withIntermediateDirectories: false)
    try Data("mine".utf8).write(to: other.appendingPathComponent("notes.txt"))
    expectRefusal(try quantize(to: other.path, "--force"), naming: [other.path, "no model"])
    #expect(folder.text("other/notes.txt") == "mine")
    #expect(try folder.names() == ["file", "model", "other"])
  }

  @Test func theSourceIsNeverTouched() throws {
    let copy = try ModelCopy(in: folder)
    let config = folder.text("model/config.json")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("link"), withDestinationPath: copy.path)
    for output in ["model", "model/inside", "link/inside"] {
      let outcome = try folder.run(
        .quantize,
        [
          "--model", copy.path, "--bits", "4", "--method", "rtn", "--force", "--output",
          folder.path(output),
        ])
      expectRefusal(outcome, naming: [folder.path(output), "the model that is read"])
    }
    #expect(folder.text("model/config.json") == config)
    #expect(try folder.names() == ["link", "model"])
  }

  @Test func logitsAndJournalsThatCannotBeWritten() throws {
    try FileManager.default.createDirectory(
      atPath: folder.path("folder"), withIntermediateDirectories: false)
    for path in ["missing/file", "folder"] {
      let logits = try folder.run(
        .generate, ["--model", Nano.model, "--ids", "1,2", "--logits", path])
      expectRefusal(logits, naming: [path, "cannot be written"])
    }
    // The folder of a journal is made where it can be.
    let journal = try folder.run(
      .evaluate, ["--model", Nano.model, "--limit", "1", "--journal", "folder"])
    expectRefusal(journal, naming: ["folder", "cannot be opened for writing"])
    let unmade = try folder.run(
      .evaluate, ["--model", Nano.model, "--limit", "1", "--journal", "/proc/new/run.jsonl"])
    expectRefusal(unmade, naming: ["/proc/new", "cannot be made"])
    #expect(!unmade.errors.contains("loaded"))
    #expect(try folder.names() == ["folder"])
  }

  /// A limit on file sizes stands for a full disk.
  @Test func noSpace() throws {
    try Data("earlier".utf8).write(to: folder.url.appendingPathComponent("logits.npy"))
    let commands = [
      "quantize --model nano-0.5m --bits 4 --method rtn --output model",
      "generate --model nano-0.5m --ids 1,2,3,4,5 --logits logits.npy",
      "evaluate --model nano-0.5m --limit 12 --max-tokens 48 --batch 1 --journal run.jsonl",
    ]
    for command in commands {
      expectRefusal(
        try folder.shell("ulimit -f 3; exec \(command)"), naming: ["File too large"])
    }
    #expect(folder.text("logits.npy") == "earlier")
    #expect(try folder.names() == ["logits.npy", "run.jsonl"])
    let resumed = try folder.shell(commands[2])
    #expect(resumed.isSuccess)
    #expect(try Journal(folder.text("run.jsonl")).samples.count == 12)
  }

  /// Of two runs that write one output, one does, and the other does nothing.
  @Test(arguments: ["zstd", "gguf"]) func twoRunsWithOneOutput(format: String) throws {
    let flags = [
      "--model", Nano.model, "--method", "rtn", "--format", format, "--bits", "8", "--output",
      folder.path("model"),
    ]
    let runs = try [folder.start(.quantize, flags), folder.start(.quantize, flags)]
    let outcomes = runs.map { $0.finish() }
    let (winner, loser) = (
      outcomes.first(where: \.isSuccess), outcomes.first { $0.end == .exited(1) }
    )
    #expect(winner != nil && loser != nil, "\(outcomes)")
    #expect(loser?.errors.contains("exists") == true)
    #expect(loser?.errors.contains("quantizing block") == false)
    #expect(try folder.names() == ["model"])
  }

  /// A file never takes the place of standard output or error that were closed.
  @Test func closedStandardFilesDamageNothing() throws {
    let outcome = try folder.shell(
      """
      quantize --model nano-0.15m --method rtn --output model <&- >&- 2>&-
      test $? = 1 && evaluate --model nano-0.15m --limit 2 --journal run.jsonl <&- >&- 2>&-
      test $? = 1 && quantize --inspect model && evaluate show run.jsonl
      """)
    #expect(outcome.isSuccess && !outcome.output.isEmpty, "\(outcome.errors)")
    #expect(try Journal(folder.text("run.jsonl")).samples.count == 2)
  }

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")),
    arguments: ["--prompt '\(Nano.problem)'", "--ids 1,2 --max-tokens 3 --print-ids"])
  func standardOutputIsFull(prompt: String) throws {
    let outcome = try folder.shell("exec generate --model nano-0.5m \(prompt) >/dev/full")
    expectRefusal(outcome, naming: ["standard output"])
  }
}
