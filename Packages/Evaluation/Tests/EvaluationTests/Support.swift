import Foundation
import Testing

@testable import Evaluation

/// Files beside the repository that tests read when they are there.
enum Shared {
  /// The repository's root, found from the place of this file.
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Expected answers; `BITBUDGET_GOLDENS` names another folder of the same form.
  static let goldens =
    ProcessInfo.processInfo.environment["BITBUDGET_GOLDENS"].map { URL(filePath: $0) }
    ?? root.appending(path: "../shared/goldens")

  /// Public benchmark data.
  static let benchmarks = root.appending(path: "../shared/data/benchmarks")

  /// The nano benchmarks of this repository.
  static let nano = root.appending(path: "Packages/NanoModels/Sources/NanoModels/Resources")

  static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }
}

/// A folder that disappears with the value.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "evaluation-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// Writes a file into the folder.
  func file(_ name: String, _ text: String) throws -> URL {
    let file = url.appending(path: name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    return file
  }
}

/// A definition for tests: sums, answered in a box.
let sumsYAML = """
  name: sums
  title: Sums
  version: 1
  size: 20
  fetch: Make it.
  data:
    - files: [sums.jsonl]
      fields: {id: id, question: question, answer: answer}
  prompt: "{question}"
  extraction: [box, open-box]
  grading: {rule: integer}
  samples: 2
  limits: {tokens: 16}
  """

/// Twenty sums: item i asks i + 1.
func sums(in folder: TemporaryFolder) throws -> Benchmark {
  let rows = (0..<20).map {
    #"{"id": "s\#($0)", "question": "\#($0) + 1 =", "answer": \#($0 + 1)}"#
  }
  _ = try folder.file("sums.jsonl", rows.joined(separator: "\n"))
  return try Benchmark(
    BenchmarkDefinition(yaml: sumsYAML, file: "sums.yaml"), in: DataFolders(folders: [folder.url]))
}

func scenario(
  of benchmark: Benchmark, samples: Int? = nil, engine: [String: String] = ["model": "adder"]
) throws -> Scenario {
  try Scenario(
    benchmark, samples: samples, seed: 7, sampling: Sampling(temperature: 0.6),
    limits: benchmark.definition.limits, engine: engine)
}

/// Adds, wrongly for one seed in four, and hands its replies over in any order, a few at a time.
struct Adder: Responder {
  /// Stops with an error after this many replies.
  var stopAfter = Int.max
  /// Decides the order in which replies come.
  var shuffle: UInt64 = 0

  struct Stopped: Error {}

  static func reply(to request: SampleRequest) -> SampleResponse {
    let number = Int(request.prompt.split(separator: " ").first ?? "") ?? 0
    let sum = number + (request.seed % 4 == 0 ? 2 : 1)
    return SampleResponse(
      thought: "<think>\n\(number) und 1 – hm</think>", answer: "\n\n\\boxed{\(sum)}",
      promptTokens: 4, thoughtTokens: 6, injectedTokens: 0, answerTokens: 3, finish: .stop,
      cost: SampleCost(seconds: 0.25, kvBytes: 1024))
  }

  func respond(
    to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
  ) throws {
    let order = SampleSeed.permutation(of: requests.count, seed: shuffle)
    for (count, position) in order.enumerated() {
      if count == stopAfter { throw Stopped() }
      let request = requests[position]
      try each(request, Self.reply(to: request))
    }
  }
}

/// Runs of the sums with replies chosen by item and sample.
struct ScriptedRuns {
  let folder: TemporaryFolder
  let benchmark: Benchmark

  init() throws {
    folder = try TemporaryFolder()
    benchmark = try sums(in: folder)
  }

  /// Replies chosen by item and sample.
  struct Scripted: Responder {
    let reply: (SampleRequest) -> (answer: String, finish: FinishReason)
    func respond(
      to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
    ) throws {
      for request in requests {
        var response = Adder.reply(to: request)
        (response.answer, response.finish) = reply(request)
        try each(request, response)
      }
    }
  }

  func journal(
    _ name: String, engine: String = "adder",
    reply: @escaping (SampleRequest) -> (answer: String, finish: FinishReason)
  ) throws -> URL {
    let run = try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark, engine: ["model": engine]),
      journal: folder.url.appending(path: name))
    _ = try run.run(with: Scripted(reply: reply))
    return run.journal
  }
}
