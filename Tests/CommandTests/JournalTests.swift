import Foundation
import Testing

/// A run of `evaluate` that is stopped goes on where it was, and journals are never mixed.
@Suite struct JournalTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Arguments of a run that lasts long enough to be stopped.
  private func arguments(_ journal: String, limit: Int = 20) -> [String] {
    [
      "--model", Nano.model, "--limit", "\(limit)", "--max-tokens", "48", "--batch", "2",
      "--threads", "1", "--journal", folder.path(journal),
    ]
  }

  private func lineCount(_ journal: String) -> Int {
    folder.text(journal).filter { $0 == "\n" }.count
  }

  /// Starts a run, waits until its journal has some records, and halts it there.
  private func startAndHalt(_ journal: String, records: Int, limit: Int) throws -> TestProcess {
    let running = try folder.start(.evaluate, arguments(journal, limit: limit))
    try #require(running.waits { lineCount(journal) > records }, "\(running.errors)")
    running.send(SIGSTOP)
    return running
  }

  @Test func killedTwiceNothingIsLostOrRepeated() throws {
    let problems = 80
    let whole = try folder.run(.evaluate, arguments("whole.jsonl", limit: problems))
    #expect(whole.isSuccess)
    for records in [2, 7] {
      let running = try startAndHalt("killed.jsonl", records: records, limit: problems)
      if records == 2 {
        let second = try folder.run(.evaluate, arguments("killed.jsonl", limit: problems))
        expectRefusal(second, naming: ["killed.jsonl"])
      }
      running.send(SIGKILL)
      #expect(running.finish().end == .killed(SIGKILL))
      #expect(lineCount("killed.jsonl") < problems + 1)
    }
    let resumed = try folder.run(.evaluate, arguments("killed.jsonl", limit: problems))
    #expect(resumed.isSuccess)
    let journals = try ["whole.jsonl", "killed.jsonl"].map { try Journal(folder.text($0)) }
    #expect(journals[0].samples.count == problems)
    #expect(journals[0] == journals[1])
    #expect(accuracy(whole) != nil)
    #expect(accuracy(whole) == accuracy(resumed))
  }

  private func accuracy(_ outcome: Outcome) -> Substring? {
    outcome.output.split(separator: "\n").first { $0.hasPrefix("accuracy") }
  }

  @Test(arguments: StopSignal.allCases)
  func signalsLeaveAJournalToGoOnWith(signal: StopSignal) throws {
    let problems = 80
    let running = try startAndHalt("run.jsonl", records: 1, limit: problems)
    running.send(signal.number)
    running.send(SIGCONT)
    #expect(running.finish().end == .exited(signal.exitCode))
    let kept = try Journal(folder.text("run.jsonl"))
    #expect(kept.samples.count < problems)
    let resumed = try folder.run(.evaluate, arguments("run.jsonl", limit: problems))
    #expect(resumed.isSuccess)
    let complete = try Journal(folder.text("run.jsonl"))
    #expect(Set(kept.samples).isSubset(of: complete.samples))
    #expect(Set(complete.samples).count == problems)
  }

  @Test func otherSettingsGetAnotherJournal() throws {
    let common = ["--model", Nano.model, "--limit", "2", "--max-tokens", "8"]
    for seed in ["1", "2", "2"] {
      #expect(try folder.run(.evaluate, common + ["--seed", seed]).isSuccess)
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("runs"))
    #expect(names.filter { $0.hasSuffix(".jsonl") }.count == 2)
  }

  @Test func theJournalOfAnotherRunIsRefused() throws {
    #expect(try folder.run(.evaluate, arguments("run.jsonl", limit: 2)).isSuccess)
    let before = folder.text("run.jsonl")
    let more = try folder.run(.evaluate, arguments("run.jsonl", limit: 3))
    expectRefusal(more, naming: ["run.jsonl", "items: 2, not 3"])
    let other = try folder.run(.evaluate, arguments("run.jsonl", limit: 2) + ["--seed", "5"])
    expectRefusal(other, naming: ["run.jsonl", "seed: 0, not 5"])
    #expect(folder.text("run.jsonl") == before)
  }

  @Test func onlyATornLastLineIsForgiven() throws {
    #expect(try folder.run(.evaluate, arguments("run.jsonl", limit: 3)).isSuccess)
    let whole = try Journal(folder.text("run.jsonl"))
    let lines = folder.text("run.jsonl").split(separator: "\n").map(String.init)
    let file = folder.url.appendingPathComponent("run.jsonl")

    try Data((lines[0...2] + [String(lines[3].prefix(40))]).joined(separator: "\n").utf8)
      .write(to: file)
    let resumed = try folder.run(.evaluate, arguments("run.jsonl", limit: 3))
    #expect(resumed.isSuccess)
    #expect(resumed.errors.contains("line 4 was torn"))
    #expect(try Journal(folder.text("run.jsonl")) == whole)

    let torn = [lines[0], String(lines[1].prefix(40)), lines[2], lines[3], ""]
    try Data(torn.joined(separator: "\n").utf8).write(to: file)
    let refused = try folder.run(.evaluate, arguments("run.jsonl", limit: 3))
    expectRefusal(refused, naming: ["run.jsonl", "line 2"])
  }

  /// What changes replies is obeyed, recorded, and keeps runs apart.
  @Test func penaltiesAreObeyedAndRecorded() throws {
    func run(_ name: String, _ more: [String] = []) throws -> Journal {
      let outcome = try folder.run(.evaluate, arguments(name, limit: 3) + ["--greedy"] + more)
      #expect(outcome.isSuccess, "\(outcome.errors)")
      return try Journal(folder.text(name))
    }
    let plain = try run("plain.jsonl")
    let penalized = try run("penalized.jsonl", ["--repeat-penalty", "1.5"])
    #expect(plain.samples.count == 3 && penalized.samples.count == 3)
    #expect(plain.samples != penalized.samples)
    #expect(!plain.header.contains("penalties"))
    #expect(penalized.header.contains("\"repetition\":1.5"))
    let mixed = try folder.run(
      .evaluate, arguments("plain.jsonl", limit: 3) + ["--greedy", "--repeat-penalty", "1.5"])
    expectRefusal(mixed, naming: ["plain.jsonl"])
  }
}
