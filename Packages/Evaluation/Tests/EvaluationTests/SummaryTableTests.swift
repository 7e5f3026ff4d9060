import Foundation
import Testing

@testable import Evaluation

struct SummaryTableTests {
  let runs: ScriptedRuns

  init() throws { runs = try ScriptedRuns() }

  @Test func everyFormatHasTheSameFields() throws {
    let first = try Summary(journal: runs.journal("a.jsonl") { _ in ("\\boxed{3}", .stop) })
    let second = try Summary(
      journal: runs.journal("b.jsonl", engine: "a, \"b\" | c") { _ in ("\\boxed{4}", .stop) })
    let table = SummaryTable([("one", first), ("two", second)])
    let objects = try JSONDecoder().decode([JSONValue].self, from: Data(table.text(.json).utf8))
    #expect(objects.count == 2)
    #expect(objects[0][["accuracy"]] == .number(0.05))
    #expect(objects[1][["engine model"]] == .string("a, \"b\" | c"))
    #expect(objects[0][["peak_bytes"]] == .null)
    let records = try CSVParser.records(of: table.text(.csv), file: "csv").map(\.fields)
    #expect(records.map(\.count) == Array(repeating: table.fields.count, count: 3))
    #expect(records[0] == table.fields)
    #expect(records[2].contains("a, \"b\" | c"))
    let lines = table.text(.table).split(separator: "\n")
    #expect(lines.count == table.fields.count)
    #expect(Set(lines.map(\.count)).count == 1)
    #expect(lines.contains { $0.hasPrefix("maj@2_se") && $0.contains("0.0500") })
    let markdown = table.text(.markdown).split(separator: "\n")
    #expect(markdown.count == table.fields.count + 1)
    #expect(markdown[1] == "| --- | --- | --- |")
    #expect(markdown.contains { $0.contains("a, \"b\" \\| c") })
  }
}
