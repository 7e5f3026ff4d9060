import Foundation

/// Results of several runs side by side: one list of fields, printed in several ways.
///
/// Shares are from 0 to 1, times in seconds, memory in bytes. `_se` is a standard error, `_low95`
/// and `_high95` are the ends of the 95 % interval. The thinking budget, seed and settings of the
/// engine are fields too, so that a row says how it was made.
///
/// Formats for programs have every field. Formats for readers leave out intervals, digests and the
/// settings that all of several runs share, and show memory in MiB.
public struct SummaryTable: Sendable, Hashable {
  /// The way to print.
  public enum Format: String, Sendable, Hashable, CaseIterable {
    /// The few figures that people look at first, in aligned columns; a table that has none of them
    /// is shown whole.
    case brief
    /// Aligned columns for a terminal, a column per run; for readers.
    case table
    /// A list of objects, an object per run; absent values are null.
    case json
    /// RFC 4180, a line per run; absent values are empty.
    case csv
    /// A Markdown table, a column per run; for readers.
    case markdown
  }

  /// What a table says about one run.
  public struct Run: Sendable, Hashable {
    /// The name it is to have.
    public let name: String
    /// Its results.
    public let summary: Summary
    /// Tokens generated a second, over all replies that ran side by side; nil where nobody
    /// measured.
    public let tokensPerSecond: Double?

    /// Keeps what is to be shown.
    public init(name: String, summary: Summary, tokensPerSecond: Double? = nil) {
      self.name = name
      self.summary = summary
      self.tokensPerSecond = tokensPerSecond
    }
  }

  /// One value.
  enum Cell: Sendable, Hashable {
    case text(String)
    case count(Int64)
    case bytes(Int64)
    case number(Double)
    case missing
  }

  /// The names of all fields, in order.
  let fields: [String]
  /// The values of each run, by name.
  let runs: [[String: Cell]]

  /// Puts results side by side.
  public init(_ runs: [Run]) { self.init(rows: runs.map(Self.row)) }

  /// Puts rows of named values side by side.
  init(rows: [[(String, Cell)]]) {
    var fields: [String] = []
    var known: Set<String> = []
    for row in rows {
      for (field, _) in row where known.insert(field).inserted {
        // A field that only later runs have goes behind its neighbour there.
        let place = row.firstIndex { $0.0 == field } ?? 0
        let before = place > 0 ? fields.firstIndex(of: row[place - 1].0) : nil
        fields.insert(field, at: before.map { $0 + 1 } ?? fields.count)
      }
    }
    self.fields = fields
    self.runs = rows.map { Dictionary($0) { first, _ in first } }
  }

  /// The results as text, with a line feed at the end.
  ///
  /// - Parameters:
  ///   - format: The way to print.
  ///   - width: The most characters of a line in aligned columns; runs that do not fit beside the
  ///     others stand below them.
  /// - Returns: The text.
  public func text(_ format: Format, width: Int = .max) -> String {
    switch format {
    case .brief: Self.aligned(briefLines.isEmpty ? lines : briefLines, width: width)
    case .table: Self.aligned(lines, width: width)
    case .json: json
    case .csv: csv
    case .markdown: markdown
    }
  }

  private static func row(_ run: Run) -> [(String, Cell)] {
    let summary = run.summary
    let scenario = summary.scenario
    var row: [(String, Cell)] = [
      ("run", .text(run.name)), ("benchmark", .text(scenario.benchmark)),
      ("items", .count(Int64(summary.items))), ("samples", .count(Int64(scenario.samples))),
      ("replies", .count(Int64(summary.replies))), ("correct", .count(Int64(summary.correct))),
    ]
    if scenario.grading != .judged { row += estimate("accuracy", summary.accuracy) }
    for score in summary.scores ?? [] {
      let name = score.group.map { "\(score.name) \($0)" } ?? score.name
      row += [
        (name, .number(score.estimate.value)),
        ("\(name)_se", score.estimate.standardError.map(Cell.number) ?? .missing),
      ]
    }
    for group in summary.groups where group.size > 1 && scenario.grading.hasRightReplies {
      row += estimate("maj@\(group.size)", group.majority)
      row += estimate("pass@\(group.size)", group.pass)
    }
    let (flags, tokens, cost) = (summary.flags, summary.tokens, summary.cost)
    row += [
      ("truncated", .count(Int64(flags.truncated))),
      ("looping", flags.looping.map { .count(Int64($0)) } ?? .missing),
      ("budget_ended", .count(Int64(flags.budget))),
      ("unparsed", .count(Int64(flags.unparsed))), ("unanswered", .count(Int64(flags.unanswered))),
      ("failed", .count(Int64(flags.failed))),
      ("prompt_tokens", .count(Int64(tokens.prompt))),
      ("thought_tokens", .count(Int64(tokens.thought))),
      ("injected_tokens", .count(Int64(tokens.injected))),
      ("answer_tokens", .count(Int64(tokens.answer))), ("seconds", .number(cost.seconds)),
      ("longest_seconds", .number(cost.longestSeconds)),
      ("tokens_per_second", run.tokensPerSecond.map(Cell.number) ?? .missing),
      ("weights_bytes", cost.weightsBytes.map(Cell.bytes) ?? .missing),
      ("kv_bytes", cost.kvBytes.map(Cell.bytes) ?? .missing),
      ("peak_bytes", cost.peakBytes.map(Cell.bytes) ?? .missing),
    ]
    let settings = scenario.facts.filter { isSetting($0.key) }
    row += settings.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) }
    return row + [("fingerprint", .text(summary.fingerprint))]
  }

  /// Settings that are shown besides those of the engine.
  private static let given: Set<String> = [
    "seed", "token limit", "thinking budget", "temperature", "top-p", "top-k", "min-p",
  ]

  private static func isSetting(_ field: String) -> Bool {
    field.hasPrefix("engine ") || given.contains(field)
  }

  private static func estimate(_ name: String, _ estimate: Estimate?) -> [(String, Cell)] {
    let interval = estimate?.shareInterval
    return [
      (name, estimate.map { .number($0.value) } ?? .missing),
      ("\(name)_se", estimate?.standardError.map(Cell.number) ?? .missing),
      ("\(name)_low95", interval.map { .number($0.lowerBound) } ?? .missing),
      ("\(name)_high95", interval.map { .number($0.upperBound) } ?? .missing),
    ]
  }
}

extension SummaryTable {
  /// For readers: fields down, runs across.
  private var lines: [[String]] {
    fields.filter(isForReaders).map { field in
      [field.replacingOccurrences(of: "_bytes", with: "")]
        + runs.map { Self.rounded($0[field] ?? .missing) }
    }
  }

  private func isForReaders(_ field: String) -> Bool {
    if ["_low95", "_high95", " digest", "fingerprint"].contains(where: field.hasSuffix) {
      return false
    }
    return !Self.isSetting(field) || runs.count == 1 || Set(runs.map { $0[field] }).count > 1
  }

  private static func aligned(_ lines: [[String]], width: Int) -> String {
    let columns = lines.first?.indices ?? 0..<0
    let widths = columns.map { column in lines.map { $0[column].count }.max() ?? 0 }
    var parts: [[Int]] = []
    var taken = 0
    for column in columns.dropFirst() {
      taken += 2 + widths[column]
      if parts.isEmpty || taken > width {
        parts.append([])
        taken = widths[0] + 2 + widths[column]
      }
      parts[parts.count - 1].append(column)
    }
    func text(_ line: [String], _ part: [Int]) -> String {
      let cells = [0] + part
      return cells.map { column in
        let blanks = String(repeating: " ", count: widths[column] - line[column].count)
        return column == 0 ? line[column] + blanks : blanks + line[column]
      }.joined(separator: "  ") + "\n"
    }
    return parts.map { part in lines.map { text($0, part) }.joined() }.joined(separator: "\n")
  }

  private var markdown: String {
    let rows = lines.map { line in
      "| " + line.map { $0.replacingOccurrences(of: "|", with: "\\|") }.joined(separator: " | ")
        + " |\n"
    }
    let rule = "|" + String(repeating: " --- |", count: runs.count + 1) + "\n"
    return (rows.prefix(1) + [rule] + rows.dropFirst()).joined()
  }

  private var csv: String {
    let rows = [fields] + runs.map { run in fields.map { Self.exact(run[$0] ?? .missing) } }
    return rows.map { $0.map(Self.quoted).joined(separator: ",") + "\r\n" }.joined()
  }

  private var json: String {
    let objects = runs.map { run in
      let members = fields.map { field in
        let value: String =
          switch run[field] ?? .missing {
          case .text(let text): Self.jsonString(text)
          case .missing: "null"
          case let cell: Self.exact(cell)
          }
        return "    \(Self.jsonString(field)): \(value)"
      }
      return "  {\n" + members.joined(separator: ",\n") + "\n  }"
    }
    return "[\n" + objects.joined(separator: ",\n") + "\n]\n"
  }

  /// A value for readers: four digits behind the point, two of very small ones, memory in MiB.
  static func rounded(_ cell: Cell) -> String {
    switch cell {
    case .number(let value) where value != 0 && abs(value) < 1e-3: String(format: "%.1e", value)
    case .number(let value): String(format: abs(value) < 10 ? "%.4f" : "%.1f", value)
    case .bytes(let count): String(format: "%.2f MiB", Double(count) / 1_048_576)
    case .missing: "-"
    case .text, .count: exact(cell)
    }
  }

  /// A value for programs.
  private static func exact(_ cell: Cell) -> String {
    switch cell {
    case .text(let text): text
    case .count(let count), .bytes(let count): "\(count)"
    case .number(let value): "\(value)"
    case .missing: ""
    }
  }

  private static func quoted(_ text: String) -> String {
    guard text.contains(where: { ",\"\r\n".contains($0) || $0 == "\r\n" }) else { return text }
    return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }

  private static func jsonString(_ text: String) -> String {
    CanonicalJSON.encode(text).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }
}
