import Foundation
import JSON

extension FieldMap {
  /// Whether a row has the question and the answer where these fields say.
  func fit(_ row: DataRow) -> Bool {
    let text = row.fields[question.split(separator: ".")]?.fieldText
    let isQuestion = text.map { text in questionBefore.map(text.contains) ?? true } ?? false
    return isQuestion && row.fields[answer.split(separator: ".")]?.fieldText != nil
  }
}

/// Makes an item of one row of data.
struct RowReader {
  /// The file, for errors and identifiers.
  let file: URL
  /// The number of the row in its file, from 1.
  let number: Int
  /// The row.
  let row: DataRow
  /// Where things stand in it.
  let fields: FieldMap

  /// The item of this row.
  ///
  /// - Throws: ``EvaluationError/dataRow(file:line:reason:)`` naming the field.
  func item(for definition: BenchmarkDefinition) throws(EvaluationError) -> BenchmarkItem {
    let question = try question()
    let id =
      if let field = fields.id { try text(field) } else {
        "\(file.deletingPathExtension().lastPathComponent):\(number)"
      }
    guard let presentation = definition.choices else {
      return BenchmarkItem(
        id: id, question: question, answer: try freeAnswer(definition.grading), choices: [],
        correctChoice: nil)
    }
    let options = try choices()
    guard (2...presentation.count).contains(options.count) else {
      throw error("has \(options.count) options; expected 2 to \(presentation.count)")
    }
    let correct = try correctChoice(among: options)
    return BenchmarkItem(
      id: id, question: question, answer: options[correct], choices: options,
      correctChoice: correct)
  }

  private func question() throws(EvaluationError) -> String {
    let question = try text(fields.question)
    guard let mark = fields.questionBefore else { return question }
    guard let found = question.range(of: mark, options: .backwards) else {
      throw error("has no '\(mark)' in field '\(fields.question)'")
    }
    return question[..<found.lowerBound].trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private func freeAnswer(_ grading: GradingRule) throws(EvaluationError) -> String {
    var answer = try text(fields.answer)
    if let mark = fields.answerAfter {
      guard let found = answer.range(of: mark, options: .backwards) else {
        throw error("has no '\(mark)' in field '\(fields.answer)'")
      }
      answer = String(answer[found.upperBound...])
    }
    guard let key = grading.canonical(answer) else {
      throw error("field '\(fields.answer)' is '\(answer)'; expected \(grading)")
    }
    return key
  }

  private func choices() throws(EvaluationError) -> [String] {
    switch fields.choices {
    case nil: return []
    case .each(let names):
      var options: [String] = []
      for name in names { options.append(try text(name)) }
      return options
    case .list(let name): return try list(name)
    }
  }

  private func correctChoice(among options: [String]) throws(EvaluationError) -> Int {
    let answer = try text(fields.answer).trimmingCharacters(in: .whitespacesAndNewlines)
    let found: Int? =
      switch fields.answerForm {
      case .value: options.firstIndex(of: answer)
      case .index: Int(answer)
      case .letter: ChoiceLetter.position(of: answer.uppercased())
      case .label: try fields.labels.map(list)?.firstIndex(of: answer)
      }
    guard let found, options.indices.contains(found) else {
      throw error(
        "field '\(fields.answer)' is '\(answer)', which is none of \(options.count) options")
    }
    return found
  }

  /// A text field, without blanks around it where the data has them.
  private func text(_ field: String) throws(EvaluationError) -> String {
    guard let value = row.fields[field.split(separator: ".")], value != .null else {
      throw error("has no field '\(field)'")
    }
    guard let text = value.fieldText else { throw error("field '\(field)' is no text or number") }
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !trimmed.isEmpty else { throw error("field '\(field)' is empty") }
    return trimmed
  }

  private func list(_ field: String) throws(EvaluationError) -> [String] {
    guard case .array(let elements) = row.fields[field.split(separator: ".")] else {
      throw error("has no list in field '\(field)'")
    }
    let texts = elements.compactMap(\.fieldText)
    guard texts.count == elements.count else {
      throw error("field '\(field)' holds something that is no text")
    }
    return texts
  }

  private func error(_ reason: String) -> EvaluationError {
    .dataRow(file: file.path, line: row.line, reason: reason)
  }
}
