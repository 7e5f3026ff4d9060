import Foundation

/// One question with its right answer.
public struct BenchmarkItem: Sendable, Hashable, Codable {
  /// Unique within the benchmark.
  public let id: String
  /// The question as it stands in the data.
  public let question: String
  /// The right answer in canonical form, or the text of the right option.
  public let answer: String
  /// The options in the order of the data; empty for free answers.
  public let choices: [String]
  /// The position of the right option in `choices`; nil for free answers.
  public let correctChoice: Int?
}

/// A benchmark with its data: what is asked, in which order, and what is right.
public struct Benchmark: Sendable, Hashable {
  /// What is asked and how answers are graded.
  public let definition: BenchmarkDefinition
  /// The items in the order of the data.
  public let items: [BenchmarkItem]
  /// SHA-256 of all items, in hexadecimal, whatever file they came from.
  public let digest: String
  /// The files the items came from.
  public let files: [URL]

  /// Reads the data of a benchmark.
  ///
  /// - Parameters:
  ///   - definition: What the benchmark asks.
  ///   - folders: Where its data may lie.
  /// - Throws: ``EvaluationError`` when the data is missing, a row lacks a field, its answer is not
  ///   of the kind that the grading rule expects, or an identifier occurs twice.
  public init(
    _ definition: BenchmarkDefinition, in folders: DataFolders
  ) throws(EvaluationError) {
    let (source, files) = try Self.fitting(folders.locate(definition))
    var items: [BenchmarkItem] = []
    var places: [String: String] = [:]
    for file in files {
      let rows = try DataFile.rows(of: file, columns: source.columns)
      for (number, row) in rows.enumerated() {
        let reader = RowReader(file: file, number: number + 1, row: row, fields: source.fields)
        let item = try reader.item(for: definition)
        if let place = places.updateValue(
          "\(file.lastPathComponent), line \(row.line)", forKey: item.id)
        {
          throw .dataRow(
            file: file.path, line: row.line, reason: "repeats the id '\(item.id)' of \(place)")
        }
        items.append(item)
      }
    }
    guard !items.isEmpty else {
      throw .file(path: files.first?.path ?? "data", reason: "holds no items")
    }
    self.definition = definition
    self.items = items
    self.files = files
    digest = CanonicalJSON.digest(of: items)
  }

  /// The first layout whose fields the first row has.
  ///
  /// - Throws: ``EvaluationError/dataRow(file:line:reason:)`` naming the fields where none fits.
  private static func fitting(
    _ layouts: [(source: DataSource, files: [URL])]
  ) throws(EvaluationError) -> (source: DataSource, files: [URL]) {
    var line = 1
    for layout in layouts {
      guard let file = layout.files.first else { continue }
      // Of a single layout every row says what it lacks.
      if layouts.count == 1 { return layout }
      let row = try DataFile.rows(of: file, columns: layout.source.columns).first
      line = row?.line ?? line
      if row.map(layout.source.fields.fit) ?? true { return layout }
    }
    let known = layouts.map { layout in
      let fields = layout.source.fields
      let mark = fields.questionBefore.map { " (with '\($0)')" } ?? ""
      return "\(fields.question)\(mark) and \(fields.answer)"
    }
    throw .dataRow(
      file: layouts.first?.files.first?.path ?? "data", line: line,
      reason: "has neither the fields " + known.joined(separator: ", nor "))
  }

  /// A remark when the data found is not the complete benchmark.
  public var note: String? {
    items.count == definition.size
      ? nil : "\(definition.name) has \(definition.size) items; the data here has \(items.count)"
  }

  /// The order in which a sample shows the options: the option shown at place j is
  /// `choices[order[j]]`. Empty for free answers.
  public func choiceOrder(of item: BenchmarkItem, sample: Int, seed: UInt64) -> [Int] {
    let drawn: Int
    switch definition.choices?.shuffle {
    case nil, .some(.none): return Array(item.choices.indices)
    case .item: drawn = 0
    case .sample: drawn = sample
    }
    let seed = SampleSeed.derive(run: seed, item: item.id, sample: drawn, purpose: "choices")
    return SampleSeed.permutation(of: item.choices.count, seed: seed)
  }

  /// The right answer of a sample that shows the options in a given order.
  public func key(of item: BenchmarkItem, order: [Int]) -> String {
    guard let correct = item.correctChoice, let place = order.firstIndex(of: correct) else {
      return item.answer
    }
    return ChoiceLetter.all[place]
  }
}
