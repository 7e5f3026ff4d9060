import Foundation
import JSON

/// Reads texts of worked examples as BIG-Bench Hard has them: `Q:` and a question, `A:` and a
/// worked answer that ends with "the answer is" and the answer.
enum WorkedExamples {
  /// A row for each example: `question`, `answer` without its reasons, and `worked` with them.
  ///
  /// - Throws: ``EvaluationError`` naming the line of a question without such an answer.
  static func rows(of url: URL) throws(EvaluationError) -> [DataRow] {
    guard
      let text = String(
        validating: try WholeFile.read(url, atMost: DataFile.largest), as: UTF8.self)
    else { throw .file(path: url.path, reason: "is not UTF-8") }
    var rows: [DataRow] = []
    var block: (line: Int, lines: [Substring])?
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() {
      if line.hasPrefix("Q: ") {
        if let block { rows.append(try row(block.lines, block.line, url)) }
        block = (number + 1, [])
      }
      block?.lines.append(line)
    }
    if let block { rows.append(try row(block.lines, block.line, url)) }
    return rows
  }

  private static func row(
    _ lines: [Substring], _ number: Int, _ url: URL
  ) throws(EvaluationError) -> DataRow {
    let mark = "the answer is "
    guard let start = lines.firstIndex(where: { $0.hasPrefix("A:") }) else {
      throw .dataRow(file: url.path, line: number, reason: "has a question without 'A:'")
    }
    let question = lines[..<start].joined(separator: "\n").dropFirst(3)
    let worked = lines[start...].joined(separator: "\n").dropFirst(2)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    guard let found = worked.range(of: mark, options: .backwards) else {
      throw .dataRow(file: url.path, line: number, reason: "has an answer without '\(mark)'")
    }
    var answer = worked[found.upperBound...].trimmingCharacters(in: .whitespacesAndNewlines)
    if answer.hasSuffix(".") { answer.removeLast() }
    var fields = OrderedObject<JSONValue>()
    fields["question"] = .string(question.trimmingCharacters(in: .whitespacesAndNewlines))
    fields["answer"] = .string(answer)
    fields["worked"] = .string(worked)
    return DataRow(line: number, fields: .object(fields))
  }
}
