import Foundation
import JSON
import Testing

@testable import Evaluation

struct SummaryTableTests {
  let runs: ScriptedRuns

  init() throws { runs = try ScriptedRuns() }

  @Test func programsGetEveryField() throws {
    let first = try Summary(journal: runs.journal("a.jsonl") { _ in ("\\boxed{3}", .stop) })
    let second = try Summary(
      journal: runs.journal("b.jsonl", engine: "a, \"b\" | c") { _ in ("\\boxed{4}", .stop) })
    let table = SummaryTable([
      SummaryTable.Run(name: "one", summary: first),
      SummaryTable.Run(name: "two", summary: second, tokensPerSecond: 1234.5),
    ])
    let objects = try #require(try JSONValue(parsing: table.text(.json).utf8).array)
    #expect(objects.count == 2)
    #expect(objects[0][["accuracy"]] == .number(0.05))
    #expect(objects[1][["engine model"]] == .string("a, \"b\" | c"))
    #expect(objects[0][["peak_bytes"]] == .null)
    #expect(objects[0][["tokens_per_second"]] == .null)
    #expect(objects[1][["tokens_per_second"]] == .number(1234.5))
    let records = try CSVParser.records(of: table.text(.csv), file: "csv").map(\.fields)
    #expect(records.map(\.count) == Array(repeating: table.fields.count, count: 3))
    #expect(records[0] == table.fields)
    #expect(records[2].contains("a, \"b\" | c"))
  }

  @Test func readersGetWhatDiffers() throws {
    let runs = try [("a.jsonl", "small"), ("b.jsonl", "a | b")].map { file, engine in
      SummaryTable.Run(
        name: file,
        summary: try Summary(
          journal: self.runs.journal(file, engine: engine) { _ in ("\\boxed{3}", .stop) }),
        tokensPerSecond: 1234.5)
    }
    let table = SummaryTable(runs).text(.table).split(separator: "\n")
    #expect(Set(table.map(\.count)).count == 1)
    func row(_ name: String) -> [Substring]? {
      table.first { $0.hasPrefix(name + " ") }?.split(separator: " ")
    }
    #expect(row("accuracy_se")?.dropFirst() == ["0.0500", "0.0500"])
    #expect(row("tokens_per_second")?.dropFirst() == ["1234.5", "1234.5"])
    #expect(row("kv")?.dropFirst() == ["0.00", "MiB", "0.00", "MiB"])
    #expect(table.contains { $0.hasPrefix("engine model") })
    #expect(row("temperature") == nil && row("fingerprint") == nil && row("accuracy_low95") == nil)
    let markdown = SummaryTable(runs).text(.markdown).split(separator: "\n")
    #expect(markdown.count == table.count + 1)
    #expect(markdown[1] == "| --- | --- | --- |")
    #expect(markdown.contains("| engine model | small | a \\| b |"))
    let alone = SummaryTable([runs[0]]).text(.table).split(separator: "\n")
    #expect(alone.contains { $0.hasPrefix("temperature") })
  }

  /// A table as wide as it is stays whole; runs that do not fit stand below, under their names.
  @Test func narrowTerminalsGetRunsBelowEachOther() throws {
    let summary = try Summary(journal: runs.journal("a.jsonl") { _ in ("\\boxed{3}", .stop) })
    let table = SummaryTable(
      ["first", "second", "third"].map { SummaryTable.Run(name: $0, summary: summary) })
    let whole = table.text(.brief)
    let width = try #require(whole.split(separator: "\n").first?.count)
    #expect(table.text(.brief, width: width) == whole)
    let narrow = table.text(.brief, width: width - 1).split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(narrow.allSatisfy { $0.count < width })
    let heads = narrow.filter { $0.hasPrefix("run ") }.map { $0.split(separator: " ").dropFirst() }
    #expect(heads == [["first", "second"], ["third"]])
    let single = table.text(.brief, width: 1).split(separator: "\n").filter { $0.hasPrefix("run ") }
    #expect(single.count == 3)
  }

  @Test func theBriefFormHasFewLines() throws {
    let some = try Summary(journal: runs.journal("a.jsonl") { _ in ("\\boxed{3}", .stop) })
    let none = try Summary(journal: runs.journal("b.jsonl") { _ in ("no box", .length) })
    let table = SummaryTable([
      SummaryTable.Run(name: "one", summary: some, tokensPerSecond: 1234.5),
      SummaryTable.Run(name: "two", summary: none),
    ])
    let lines = table.text(.brief).split(separator: "\n")
    #expect(Set(lines.map(\.count)).count == 1)
    #expect(lines.count < table.text(.table).split(separator: "\n").count / 2)
    let rows = lines.map { $0.split(separator: " ") }
    #expect(rows[0] == ["run", "one", "two"])
    let error = String(format: "%.1f", 100 * (some.accuracy?.standardError ?? 0))
    #expect(rows.contains(["accuracy", "5.0", "±", Substring(error), "%", "0.0", "±", "0.0", "%"]))
    #expect(rows.contains(["tokens/s", "1234", "-"]))
    let others = SummaryTable(rows: [[("model", .text("A"))], [("model", .text("B"))]])
    #expect(others.text(.brief) == "model  A  B\n")
  }
}
