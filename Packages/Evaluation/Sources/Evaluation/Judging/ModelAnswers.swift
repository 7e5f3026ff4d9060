import Foundation
import JSON

/// One model's answers to the questions of a benchmark.
public struct ModelAnswers: Sendable {
  /// The model, or whoever else answered.
  public let name: String
  /// The run; nil where the answers are no journal's.
  public let scenario: Scenario?
  /// The answers by the identifier of the question, without thoughts; empty ones included.
  let texts: [String: String]

  /// Reads the answers of a run, the first to each question, or of a file of rows as Arena-Hard
  /// publishes them: `{"question_id", "model_id", "choices": [{"turns": [{"content"}]}]}`.
  ///
  /// - Throws: ``EvaluationError`` for a damaged journal, and for rows that are neither.
  public init(contentsOf url: URL) throws(EvaluationError) {
    var reader = try LineReader(url)
    let first = try reader.next().flatMap { try? JSONValue(parsing: $0.bytes) }
    if first?["choices"] != nil {
      self = try Self.rows(url)
      return
    }
    var texts: [String: String] = [:]
    let index = try JournalIndex.read(url) { record in
      guard record.sample == 0, record.response.finish != .failed else { return }
      texts[record.item] = GradingRule.visible(record.response)
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let scenario = try index.header(of: url).scenario
    self.init(
      name: scenario.engine["model"] ?? url.deletingPathExtension().lastPathComponent,
      scenario: scenario, texts: texts)
  }

  private init(name: String, scenario: Scenario?, texts: [String: String]) {
    self.name = name
    self.scenario = scenario
    self.texts = texts
  }

  private static func rows(_ url: URL) throws(EvaluationError) -> ModelAnswers {
    var texts: [String: String] = [:]
    var name = url.deletingPathExtension().lastPathComponent
    var reader = try LineReader(url)
    while let line = try reader.next() {
      guard !line.bytes.allSatisfy(\.isBlank) else { continue }
      let row = try? JSONValue(parsing: line.bytes)
      guard let id = row?["question_id"]?.fieldText,
        let text = row?["choices.0.turns.0.content".split(separator: ".")]?.string
      else {
        throw .dataRow(
          file: url.path, line: line.number,
          reason: "has no text in 'question_id' and 'choices.0.turns.0.content'")
      }
      texts[id] = text
      name = row?["model_id"]?.string ?? name
    }
    return ModelAnswers(name: name, scenario: nil, texts: texts)
  }
}

extension Benchmark {
  /// What a judge is asked of a model's answers: which of two is better, another model's or its own.
  ///
  /// - Parameters:
  ///   - questions: What was answered.
  ///   - answers: The model's answers; questions without one are left out.
  ///   - baseline: The other model's.
  ///   - definition: How the judge is asked.
  /// - Throws: ``EvaluationError/notComparable(reason:)`` where the other model did not answer a
  ///   question, the answers are to other questions, or there are none.
  public init(
    judging questions: Benchmark, _ answers: ModelAnswers, against baseline: ModelAnswers,
    by definition: BenchmarkDefinition
  ) throws(EvaluationError) {
    for scenario in [answers.scenario, baseline.scenario].compactMap(\.self)
    where scenario.data != questions.digest {
      throw .notComparable(
        reason: "the answers of \(scenario.engine["model"] ?? "a run") are to other questions than "
          + "those of \(questions.definition.name) here")
    }
    var items: [BenchmarkItem] = []
    for item in questions.items {
      guard let own = answers.texts[item.id] else { continue }
      guard let other = baseline.texts[item.id] else {
        throw .notComparable(reason: "\(baseline.name) has no answer to \(item.id)")
      }
      items.append(
        BenchmarkItem(
          id: item.id, question: item.question, answer: own, choices: [other, own],
          correctChoice: 1))
    }
    guard !items.isEmpty else {
      throw .notComparable(reason: "\(answers.name) has no answers to \(questions.definition.name)")
    }
    self.init(definition, items: items, files: questions.files)
  }
}
