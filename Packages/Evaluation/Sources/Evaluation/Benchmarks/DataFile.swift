import Foundation
import JSON
import SystemCalls

/// One row of a data file and where it stands.
struct DataRow {
  /// The line it begins on, from 1.
  let line: Int
  /// An object with the row's fields.
  let fields: JSONValue
  /// The line itself, where a row is one.
  var bytes: Data?
}

/// Reads data files by the ending of their name: `.jsonl`, also compressed (`.jsonl.gz`), `.json` (a
/// list of objects) and `.csv`.
enum DataFile {
  /// Data files larger than this are refused; JSON and CSV are read whole.
  static let largest = 1 << 30

  /// All rows of a file.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - source: The layout: names for the columns of a CSV file without header line, the member of
  ///     a JSON file that holds the rows, and which of them are wanted.
  /// - Returns: The rows in order, each an object.
  /// - Throws: ``EvaluationError`` naming file and line.
  static func rows(of url: URL, _ source: DataSource) throws(EvaluationError) -> [DataRow] {
    try allRows(of: url, source).filter { row in
      func text(_ path: String) -> String? { row.fields[path.split(separator: ".")]?.fieldText }
      return (source.only ?? [:]).allSatisfy { text($0.key) == $0.value }
        && (source.between ?? [:]).allSatisfy { path, bounds in
          text(path).flatMap { Int($0) }.map { bounds.contains($0) } ?? false
        }
    }
  }

  private static func allRows(
    of url: URL, _ source: DataSource
  ) throws(EvaluationError) -> [DataRow] {
    switch url.pathExtension.lowercased() {
    case "jsonl": return try jsonLines(LineReader(url), of: url)
    case "gz" where url.deletingPathExtension().pathExtension.lowercased() == "jsonl":
      let bytes = try EvaluationError.wrapping { () throws(FileError) in
        try GzipFile.contents(of: url.path, atMost: largest)
      }
      return try jsonLines(LineReader(bytes, path: url.path), of: url)
    case "parquet":
      throw .file(
        path: url.path,
        reason: "is a Parquet file, which is not read; write its rows as JSON lines: "
          + "python3 -c 'import pandas, sys; pandas.read_parquet(sys.argv[1]).to_json(sys.argv[2], "
          + "orient=\"records\", lines=True)' FILE.parquet FILE.jsonl")
    case "json": return try jsonList(of: url, in: source.rows)
    case "csv": return try csv(of: url, columns: source.columns)
    case "txt": return try WorkedExamples.rows(of: url)
    default:
      throw .file(path: url.path, reason: "is no .jsonl, .jsonl.gz, .json, .csv or .txt file")
    }
  }

  private static func jsonLines(
    _ reader: consuming LineReader, of url: URL
  ) throws(EvaluationError) -> [DataRow] {
    var reader = reader
    var rows: [DataRow] = []
    while let line = try reader.next() {
      if line.bytes.allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) }) { continue }
      let value: JSONValue
      do { value = try JSONValue(parsing: line.bytes) } catch {
        throw .dataRow(file: url.path, line: line.number, reason: "is no JSON: \(error.reason)")
      }
      guard case .object = value else {
        throw .dataRow(file: url.path, line: line.number, reason: "is no JSON object")
      }
      rows.append(DataRow(line: line.number, fields: value, bytes: line.bytes))
    }
    return rows
  }

  private static func jsonList(
    of url: URL, in member: String?
  ) throws(EvaluationError) -> [DataRow] {
    let bytes = try WholeFile.read(url, atMost: largest)
    let value: JSONValue
    do { value = try JSONValue(parsing: bytes) } catch {
      throw .file(path: url.path, reason: "is no JSON: \(error.reason)")
    }
    guard case .array(let elements) = member.map({ value[$0.split(separator: ".")] }) ?? value
    else {
      throw .file(
        path: url.path,
        reason: member.map { "has no list '\($0)'" } ?? "is no JSON list of objects")
    }
    return elements.enumerated().map { DataRow(line: $0.offset + 1, fields: $0.element) }
  }

  private static func csv(
    of url: URL, columns: [String]?
  ) throws(EvaluationError) -> [DataRow] {
    let bytes = try WholeFile.read(url, atMost: largest)
    guard var text = String(validating: bytes, as: UTF8.self) else {
      throw .file(path: url.path, reason: "is not UTF-8")
    }
    if text.hasPrefix("\u{feff}") { text.removeFirst() }
    var records = try CSVParser.records(of: text, file: url.path)
    let names: [String]
    if let columns {
      names = columns
    } else {
      guard !records.isEmpty else { return [] }
      names = records.removeFirst().fields
    }
    var rows: [DataRow] = []
    for record in records {
      guard record.fields.count == names.count else {
        throw .dataRow(
          file: url.path, line: record.line,
          reason: "has \(record.fields.count) columns; expected \(names.count)")
      }
      var fields = OrderedObject<JSONValue>()
      for (name, field) in zip(names, record.fields) where fields[name] == nil {
        fields[name] = .string(field)
      }
      rows.append(DataRow(line: record.line, fields: .object(fields)))
    }
    return rows
  }
}
