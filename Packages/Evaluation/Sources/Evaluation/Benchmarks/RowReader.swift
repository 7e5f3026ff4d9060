import Foundation
import JSON

extension FieldMap {
  /// Whether a row has the question and the answer where these fields say.
  func fit(_ row: DataRow) -> Bool {
    let (question, answer) = (FieldText(template: question), FieldText(template: answer))
    let hasAnswer = (answer.paths + (question.isTemplate ? question.paths : [])).allSatisfy {
      row.fields[$0.split(separator: ".")] != nil
    }
    guard !question.isTemplate else { return hasAnswer }
    let text = row.fields[question.template.split(separator: ".")]?.fieldText
    let isQuestion = text.map { text in questionBefore.map(text.contains) ?? true } ?? false
    return isQuestion && hasAnswer
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
  /// The layout it is of.
  let source: DataSource

  private var fields: FieldMap { source.fields }

  /// The item of this row; nil where the benchmark leaves it out.
  ///
  /// - Throws: ``EvaluationError/dataRow(file:line:reason:)`` naming the field.
  func item(for definition: BenchmarkDefinition) throws(EvaluationError) -> BenchmarkItem? {
    let question = try question()
    let group = if let field = fields.group { try text(field) } else { source.group(of: file) }
    let id =
      if let field = fields.id { try text(field) } else {
        "\(file.deletingPathExtension().lastPathComponent):\(number)"
      }
    if let fixed = definition.choices?.fixed, fixed[group ?? ""] ?? fixed["*"] == nil { return nil }
    let item = try item(id, question, group, definition)
    guard let presentation = definition.choices, presentation.exactly == true else { return item }
    return item.choices.count == presentation.count ? item : nil
  }

  private func item(
    _ id: String, _ question: String, _ group: String?, _ definition: BenchmarkDefinition
  ) throws(EvaluationError) -> BenchmarkItem {
    guard let presentation = definition.choices else {
      return BenchmarkItem(
        id: id, question: question, answer: try freeAnswer(definition.grading), choices: [],
        correctChoice: nil, group: group)
    }
    let options = try choices(presentation, group)
    guard options.count >= 2, options.count <= presentation.count || presentation.exactly == true
    else {
      throw error("has \(options.count) options; expected 2 to \(presentation.count)")
    }
    if let blank = presentation.blank, !question.contains(blank) {
      throw error("has no '\(blank)' for an option in field '\(fields.question)'")
    }
    let right = try rightChoices(among: options)
    guard let correct = right.first else { throw error("names no right option") }
    return BenchmarkItem(
      id: id, question: question, answer: options[correct], choices: options,
      correctChoice: correct, rightChoices: right.count > 1 ? right : nil, group: group)
  }

  private func question() throws(EvaluationError) -> String {
    let question = try cleaned(FieldText(template: fields.question))
    guard let mark = fields.questionBefore else { return question }
    guard let found = question.range(of: mark, options: .backwards) else {
      throw error("has no '\(mark)' in field '\(fields.question)'")
    }
    return question[..<found.lowerBound].trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The text of a field, or of several, without what the data set says is to be taken out.
  private func cleaned(_ field: FieldText) throws(EvaluationError) -> String {
    let text =
      field.isTemplate
      ? try field { (path) throws(EvaluationError) in try self.text(path, mayBeEmpty: true) }
      : try text(field.template)
    return fields.clean.map { $0(text) } ?? text
  }

  private func freeAnswer(_ grading: GradingRule) throws(EvaluationError) -> String {
    if fields.answerForm == .instructions { return try instructions() }
    if fields.answerForm == .program {
      let (before, tests) = (
        FieldText(template: fields.before ?? ""), FieldText(template: fields.answer)
      )
      return ProgramTest(
        before: try before { (path) throws(EvaluationError) in
          try self.text(path, mayBeEmpty: true)
        }, tests: try tests(text)
      ).key
    }
    var answer = try text(fields.answer)
    if fields.answerForm == .boxed {
      guard let box = BoxedAnswer.last(in: Array(answer.utf8)[...]) else {
        throw error("has no box in field '\(fields.answer)'")
      }
      answer = String(decoding: box, as: UTF8.self)
    }
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

  private func choices(
    _ presentation: ChoicePresentation, _ group: String?
  ) throws(EvaluationError) -> [String] {
    if let fixed = presentation.fixed {
      guard let options = fixed[group ?? ""] ?? fixed["*"] else {
        throw error("is of group '\(group ?? "")', for which the definition fixes no options")
      }
      return options
    }
    let options = try givenChoices()
    return fields.cleanOptions.map { options.map($0.callAsFunction) } ?? options
  }

  private func givenChoices() throws(EvaluationError) -> [String] {
    switch fields.choices {
    case nil: return []
    case .each(let names):
      var options: [String] = []
      for name in names { options.append(try text(name)) }
      return options
    case .list(let name): return try list(name)
    case .python(let name):
      guard let options = PythonList.texts(try text(name)) else {
        throw error("has no list as Python writes it in field '\(name)'")
      }
      return options
    case .keys(let name):
      guard case .object(let object) = row.fields[name.split(separator: ".")] else {
        throw error("has no object in field '\(name)'")
      }
      return object.members.map { $0.0 }
    case .split(let names, let separator):
      var options: [String] = []
      for name in names { options += try pieces(of: name, by: separator) }
      return options
    }
  }

  /// The pieces of a field that holds several texts.
  private func pieces(
    of field: String, by separator: String
  ) throws(EvaluationError) -> [String] {
    try text(field).components(separatedBy: separator)
      .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.filter { !$0.isEmpty }
  }

  /// The positions of the right options.
  private func rightChoices(among options: [String]) throws(EvaluationError) -> [Int] {
    switch fields.answerForm {
    case .flags:
      let flags = try flags()
      guard flags.count == options.count else {
        throw error("has \(flags.count) marks for \(options.count) options")
      }
      return flags.indices.filter { flags[$0] }
    case .first:
      guard case .split(let names, let separator) = fields.choices, let first = names.first else {
        throw error("has options that are not split from fields")
      }
      return Array(0..<(try pieces(of: first, by: separator).count))
    default: return [try correctChoice(among: options)]
    }
  }

  private func flags() throws(EvaluationError) -> [Bool] {
    let values: [JSONValue] =
      switch row.fields[fields.answer.split(separator: ".")] {
      case .array(let elements): elements
      case .object(let object): object.members.map { $0.1 }
      default: []
      }
    return values.map { $0.fieldText == "1" || $0 == .bool(true) }
  }

  private func correctChoice(among options: [String]) throws(EvaluationError) -> Int {
    let answer = try text(fields.answer).trimmingCharacters(in: .whitespacesAndNewlines)
    let found: Int? =
      switch fields.answerForm {
      case .value:
        options.firstIndex {
          $0.trimmingCharacters(in: .whitespacesAndNewlines)
            == (fields.cleanOptions.map { $0(answer) } ?? answer)
        }
      case .index: Int(answer)
      case .number: Int(answer).map { $0 - 1 }
      case .letter: ChoiceLetter.position(of: answer.uppercased())
      case .label: try fields.labels.map(list)?.firstIndex(of: answer)
      case .flags, .first, .boxed, .instructions, .program: nil
      }
    guard let found, options.indices.contains(found) else {
      throw error(
        "field '\(fields.answer)' is '\(answer)', which is none of \(options.count) options")
    }
    return found
  }

  /// The instructions that a reply has to follow, as canonical JSON.
  private func instructions() throws(EvaluationError) -> String {
    let names = try list(fields.answer)
    guard let field = fields.labels,
      case .array(let arguments) = row.fields[field.split(separator: ".")],
      arguments.count == names.count
    else { throw error("has no arguments for each of its \(names.count) instructions") }
    let unknown = InstructionList.unknown(in: names, arguments)
    guard unknown.isEmpty else {
      throw error(
        "has instructions that are not known or lack an argument: "
          + unknown.joined(separator: ", "))
    }
    let list = zip(names, arguments).map { name, arguments in
      let parts = OrderedObject<JSONValue>([("id", .string(name)), ("arguments", arguments)])
      return JSONValue.object(parts)
    }
    return JSONValue.array(list).line
  }

  private func text(_ field: String) throws(EvaluationError) -> String {
    try text(field, mayBeEmpty: false)
  }

  /// A text field, without blanks around it where the data has them.
  private func text(
    _ field: String, mayBeEmpty: Bool
  ) throws(EvaluationError) -> String {
    if field == FieldText.wholeRow {
      guard let bytes = row.bytes else { throw error("is no line of a .jsonl file") }
      return String(decoding: bytes, as: UTF8.self)
    }
    guard let value = row.fields[field.split(separator: ".")], value != .null else {
      throw error("has no field '\(field)'")
    }
    guard let text = value.fieldText else { throw error("field '\(field)' is no text or number") }
    let trimmed =
      fields.verbatim == true ? text : text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !trimmed.isEmpty || mayBeEmpty else { throw error("field '\(field)' is empty") }
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
