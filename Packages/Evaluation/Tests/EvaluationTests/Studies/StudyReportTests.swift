import Foundation
import MemoryPlanner
import Testing

@testable import Evaluation

@Suite struct StudyReportTests {
  /// Two models at 16 and 4 bits on both tasks, with votes and an evicted cache; larger and longer
  /// is better, and `knowledgeLoss` is what 4 bits cost where knowledge is asked.
  private func results(
    mathLoss: Double = 0.3, knowledgeLoss: Double = 0, isComplete: Bool = true
  ) -> StudyResults {
    var points: [StudyPoint] = []
    for (model, parameters) in [("small <1>", 1000), ("large", 8000)] {
      for bits in [16, 4] {
        for (task, loss) in [(TaskKind.math, mathLoss), (.knowledge, knowledgeLoss)] {
          for budget in [16, 64, 256] {
            for (kv, share) in [("bf16", 1.0), ("rkv:32", 0.25)] {
              for samples in task == .math && kv == "bf16" ? [1, 4] : [1] {
                let skill = model == "large" ? 0.6 : 0.3
                let thought = Double(budget).squareRoot() / 60
                let accuracy = (skill + thought) * (bits == 4 ? 1 - loss : 1)
                points.append(
                  StudyPoint(
                    benchmark: "\(task)", task: task, model: model, parameters: parameters,
                    bits: bits, kv: kv, thinkBudget: budget, samples: samples,
                    accuracy: min(1, accuracy + (samples > 1 ? 0.1 : 0)), standardError: 0.01,
                    replies: 100, weightsBytes: parameters * bits * 16,
                    kvBytes: Int(Double(budget * samples * 100) * share),
                    seconds: Double(budget * parameters * bits) / 1e6, tokens: Double(budget)))
              }
            }
          }
        }
      }
    }
    return StudyResults(
      study: "test", title: "A \"test\" & more", concurrency: 16,
      scenarios: points.count + (isComplete ? 0 : 5), points: points)
  }

  private func verdicts(_ results: StudyResults) -> [StudyFinding.Verdict] {
    StudyReport(results).findings.map(\.verdict)
  }

  @Test func findingsFollowTheData() {
    let usual = verdicts(results())
    #expect(usual[1] == .holds)
    #expect(usual[3] == .fails || usual[3] == .holds)
    #expect(usual[4] == .holds)  // The evicted cache is as good for a quarter of the bytes.
    #expect(usual[5] == .unknown)  // Nothing is quantized.
    // 4 bits that cost knowledge everything and mathematics nothing turn finding 2 round.
    #expect(verdicts(results(mathLoss: 0, knowledgeLoss: 0.9))[1] == .fails)
  }

  @Test(arguments: ["int4", "bf16:0,int8:64,int4", "int8/int4"])
  func findingSixComparesEvictionWithQuantization(kv: String) {
    var results = results()
    let quantized = results.points.filter { $0.kv == "rkv:32" }.map { point in
      StudyPoint(
        benchmark: point.benchmark, task: point.task, model: point.model,
        parameters: point.parameters, bits: point.bits, kv: kv, thinkBudget: point.thinkBudget,
        samples: point.samples,
        accuracy: point.accuracy - (point.model == "large" ? 0 : 0.1),
        standardError: point.standardError, replies: point.replies,
        weightsBytes: point.weightsBytes, kvBytes: point.kvBytes, seconds: point.seconds,
        tokens: point.tokens)
    }
    results = StudyResults(
      study: results.study, title: results.title, concurrency: results.concurrency,
      scenarios: results.scenarios + quantized.count, points: results.points + quantized)
    let finding = StudyReport(results).findings[5]
    #expect(finding.verdict == .holds, "\(finding.evidence)")
    #expect(results.points.allSatisfy { ($0.cache == .quantized) == ($0.kv == kv) })
  }

  /// Schemes change neither findings nor figures; they are compared by themselves.
  @Test func schemesAreComparedByThemselves() {
    let results = results()
    let added = results.points.filter { $0.bits == 4 && $0.samples == 1 }.map { point in
      StudyPoint(
        benchmark: point.benchmark, task: point.task, model: point.model,
        parameters: point.parameters, bits: 8, kv: point.kv, thinkBudget: point.thinkBudget,
        samples: 1, accuracy: 0.99, standardError: 0.001, replies: 100,
        weightsBytes: point.weightsBytes * 2, kvBytes: point.kvBytes,
        seconds: point.seconds / 100, tokens: point.tokens, scheme: "w8a8-int")
    }
    let both = StudyResults(
      study: "s", title: "t", concurrency: 16, scenarios: 0, points: results.points + added)
    #expect(StudyFormats(results).rows.isEmpty)
    #expect(verdicts(both) == verdicts(results))
    let formats = StudyFormats(both)
    #expect(formats.rows.count == 4 * 3)
    #expect(formats.answer.contains("the fastest is w8a8-int (4 of 4)"))
    #expect(formats.answer.contains("throughput"))
    #expect(both.measurements.count == both.points.count)
  }

  @Test func nothingIsSaidWithoutData() {
    let empty = StudyResults(study: "e", title: "e", concurrency: 1, scenarios: 3, points: [])
    #expect(verdicts(empty).allSatisfy { $0 == .unknown })
  }

  @Test func thePageStandsAlone() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let results = results(isComplete: false)
    let count = try StudyReport(results).write(to: folder)
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(files.count == count)
    let page = try String(contentsOf: folder.appendingPathComponent("index.html"), encoding: .utf8)
    #expect(page.contains("Incomplete: \(results.points.count) of \(results.scenarios)"))
    #expect(page.contains("A &quot;test&quot; &amp; more") && page.contains("small &lt;1&gt;"))
    for outside in ["<script", "<link", "src=", "href=", "@import", "url("] {
      #expect(!page.contains(outside), "\(outside)")
    }
    #expect(page.contains("prefers-color-scheme:dark"))
    // Every drawing is XML, and every figure of the paper that has data is there.
    for file in files where file.hasSuffix(".svg") {
      let parser = XMLCheck(try Data(contentsOf: folder.appendingPathComponent(file)))
      #expect(parser.isWellFormed, "\(file)")
    }
    for figure in 1...12 { #expect(page.contains("<h2>Figure \(figure)</h2>"), "\(figure)") }
    let table = try String(contentsOf: folder.appendingPathComponent("points.csv"), encoding: .utf8)
    #expect(table.split(separator: "\r\n").count == results.points.count + 1)
  }

  @Test func resultsKeepTheirFile() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let results = results()
    try results.write(to: file)
    #expect(try StudyResults(contentsOf: file) == results)
    #expect(results.measurements.count == results.points.count)
    for text in ["", "{}", "[1]", #"{"format": 9, "points": []}"#] {
      try Data(text.utf8).write(to: file)
      #expect(throws: EvaluationError.self) { try StudyResults(contentsOf: file) }
    }
  }
}

/// Whether bytes are well-formed XML: tags that nest, attributes in quotes, no bare ampersand.
private struct XMLCheck {
  let isWellFormed: Bool

  init(_ bytes: Data) {
    let text = String(decoding: bytes, as: UTF8.self)
    var open: [Substring] = []
    var rest = text[...]
    while let start = rest.firstIndex(of: "<") {
      let before = rest[..<start]
      guard !before.contains(">") || open.last == "style",
        before.split(separator: "&", omittingEmptySubsequences: false).dropFirst().allSatisfy({
          ["amp;", "lt;", "gt;", "quot;"].contains(where: $0.hasPrefix)
        }), let end = rest[start...].firstIndex(of: ">")
      else {
        isWellFormed = false
        return
      }
      let tag = rest[rest.index(after: start)..<end]
      rest = rest[rest.index(after: end)...]
      if tag.hasPrefix("/") {
        guard open.popLast() == tag.dropFirst() else {
          isWellFormed = false
          return
        }
      } else if !tag.hasSuffix("/") {
        guard tag.count(where: { $0 == "\"" }) % 2 == 0 else {
          isWellFormed = false
          return
        }
        open.append(tag.prefix { !$0.isWhitespace })
      }
    }
    isWellFormed = open.isEmpty
  }
}
