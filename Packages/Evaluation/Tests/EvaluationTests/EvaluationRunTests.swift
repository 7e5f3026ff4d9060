import Foundation
import Testing

@testable import Evaluation

struct EvaluationRunTests {
  let folder: TemporaryFolder
  let benchmark: Benchmark

  init() throws {
    folder = try TemporaryFolder()
    benchmark = try sums(in: folder)
  }

  func run(_ name: String, shard: Shard = .whole) throws -> EvaluationRun {
    try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark), shard: shard,
      journal: folder.url.appending(path: name))
  }

  func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: folder.url.appending(path: name))
  }

  @Test func finishesWithEveryReplyOnce() throws {
    var last: RunProgress?
    let (summary, notes) = try run("a.jsonl").run(
      with: Adder(), progress: { last = $0 }, now: { 3 })
    let ids = (0..<20).flatMap { index in (0..<2).map { SampleID(index: index, sample: $0) } }
    let right = try ids.filter { try run("a.jsonl").request(for: $0).seed % 4 != 0 }.count
    #expect(summary.replies == 40)
    #expect(summary.correct == right)
    #expect(summary.accuracy?.value == Double(right) / 40)
    #expect(summary.tokens.generated == 40 * 9)
    #expect(summary.cost.seconds == 10)
    #expect(notes == [])
    #expect(last == RunProgress(done: 40, total: 40, correct: right, fresh: 40, seconds: 0))
  }

  @Test func orderOfRepliesLeavesNoTrace() throws {
    _ = try run("a.jsonl").run(with: Adder(shuffle: 1))
    _ = try run("b.jsonl").run(with: Adder(shuffle: 2))
    #expect(try bytes("a.jsonl") == bytes("b.jsonl"))
  }

  @Test func stoppedRunsContinueWithoutRepeatingOrLosing() throws {
    _ = try run("whole.jsonl").run(with: Adder(shuffle: 3))
    for stop in [3, 1, 11, 0] {
      #expect(throws: Adder.Stopped.self) {
        try run("parts.jsonl").run(with: Adder(stopAfter: stop, shuffle: UInt64(stop)))
      }
    }
    var fresh = 0
    _ = try run("parts.jsonl").run(with: Adder()) { fresh = $0.fresh }
    #expect(fresh == 40 - 15)
    #expect(try bytes("parts.jsonl") == bytes("whole.jsonl"))
  }

  @Test func aFinishedRunAsksForNothing() throws {
    _ = try run("a.jsonl").run(with: Adder())
    let before = try bytes("a.jsonl")
    let (summary, _) = try run("a.jsonl").run(with: Adder(stopAfter: 0))
    #expect(summary.replies == 40)
    #expect(try bytes("a.jsonl") == before)
  }

  @Test func anotherRunIsRefusedWithTheDifference() throws {
    _ = try run("a.jsonl").run(with: Adder())
    let other = try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark, engine: ["model": "subtractor"]),
      journal: folder.url.appending(path: "a.jsonl"))
    #expect(
      throws: EvaluationError.otherRun(
        file: other.journal.path,
        differences: ["engine model: adder, not subtractor"])
    ) { try other.run(with: Adder()) }
    #expect(
      throws: EvaluationError.otherRun(
        file: other.journal.path, differences: ["shard: 1/1, not 1/2"])
    ) { try run("a.jsonl", shard: Shard("1/2")).run(with: Adder()) }
  }

  @Test func unaskedAndMissingRepliesAreErrors() throws {
    struct Twice: Responder {
      func respond(
        to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
      ) throws {
        for request in [requests[0], requests[0]] { try each(request, Adder.reply(to: request)) }
      }
    }
    struct Lazy: Responder {
      func respond(
        to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
      ) throws {
        try each(requests[1], Adder.reply(to: requests[1]))
      }
    }
    #expect(throws: EvaluationError.unexpectedResponse(item: "s0", sample: 0)) {
      try run("twice.jsonl").run(with: Twice())
    }
    let lazy = try run("lazy.jsonl")
    #expect(
      throws: EvaluationError.samplesMissing(
        file: lazy.journal.path, count: 39, examples: ["s0#0", "s1#0", "s1#1"])
    ) { try lazy.run(with: Lazy()) }
  }
}
