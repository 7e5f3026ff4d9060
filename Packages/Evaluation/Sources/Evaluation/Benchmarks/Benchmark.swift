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
  /// The position of the right option in `choices`, the first of several; nil for free answers.
  public let correctChoice: Int?
  /// The positions of all right options, where there may be several.
  public var rightChoices: [Int]?
  /// The group it belongs to, such as a subject; scores are shown for each.
  public var group: String?
}

/// A benchmark with its data: what is asked, in which order, and what is right.
public struct Benchmark: Sendable, Hashable {
  /// What is asked and how answers are graded.
  public let definition: BenchmarkDefinition
  /// The items in the order of the data.
  public let items: [BenchmarkItem]
  /// What stands answered before them, where the definition wants examples.
  public let examples: [BenchmarkItem]
  /// Of each item the positions of its examples in `examples`; empty where none are wanted.
  private(set) var drawn: [[Int]] = []
  /// The tokens of each item, where it is a window of text.
  private(set) var windows: [[Int32]] = []
  /// SHA-256 of all items and examples, in hexadecimal, whatever file they came from.
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
    let items = try Self.items(definition, source, files)
    guard !items.isEmpty else {
      throw .file(path: files.first?.path ?? "data", reason: "holds no items")
    }
    self.definition = definition
    self.items = items
    self.files = files
    examples = try Self.examples(definition, items, folders)
    digest =
      examples.isEmpty || definition.shots?.fromItems == true
      ? CanonicalJSON.digest(of: items) : CanonicalJSON.digest(of: [items, examples])
    drawn = try drawExamples()
  }

  /// Items that were made elsewhere.
  init(_ definition: BenchmarkDefinition, items: [BenchmarkItem], files: [URL]) {
    self.definition = definition
    self.items = items
    self.files = files
    examples = []
    digest = CanonicalJSON.digest(of: items)
  }

  /// A text in windows of tokens, an item each.
  init(_ definition: BenchmarkDefinition, windows: [[Int32]], files: [URL]) {
    self.definition = definition
    self.windows = windows
    self.files = files
    items = windows.indices.map {
      BenchmarkItem(
        id: "window \($0)", question: "", answer: "", choices: [], correctChoice: nil)
    }
    examples = []
    digest = CanonicalJSON.digest(of: windows)
  }

  /// The items of a layout's files.
  static func items(
    _ definition: BenchmarkDefinition, _ source: DataSource, _ files: [URL]
  ) throws(EvaluationError) -> [BenchmarkItem] {
    var items: [BenchmarkItem] = []
    var places: [String: String] = [:]
    for file in files {
      let rows = try DataFile.rows(of: file, source)
      for (number, row) in rows.enumerated() {
        let reader = RowReader(file: file, number: number + 1, row: row, source: source)
        guard let item = try reader.item(for: definition) else { continue }
        if let place = places.updateValue(
          "\(file.lastPathComponent), line \(row.line)", forKey: item.id)
        {
          throw .dataRow(
            file: file.path, line: row.line, reason: "repeats the id '\(item.id)' of \(place)")
        }
        items.append(item)
      }
    }
    return items
  }

  /// The first layout whose fields the first row has.
  ///
  /// - Throws: ``EvaluationError/dataRow(file:line:reason:)`` naming the fields where none fits.
  static func fitting(
    _ layouts: [(source: DataSource, files: [URL])]
  ) throws(EvaluationError) -> (source: DataSource, files: [URL]) {
    var line = 1
    for layout in layouts {
      guard let file = layout.files.first else { continue }
      // Of a single layout every row says what it lacks.
      if layouts.count == 1 { return layout }
      let row = try DataFile.rows(of: file, layout.source).first
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
    items.count == definition.size || !windows.isEmpty
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
    case .turns: return item.choices.indices.map { ($0 + sample) % item.choices.count }
    }
    let seed = SampleSeed.derive(run: seed, item: item.id, sample: drawn, purpose: "choices")
    return SampleSeed.permutation(of: item.choices.count, seed: seed)
  }

  /// The right answer of a sample that shows the options in a given order.
  ///
  /// Where options are scored it is the places of the right ones, with commas between.
  public func key(of item: BenchmarkItem, order: [Int]) -> String {
    guard let correct = item.correctChoice, let place = order.firstIndex(of: correct) else {
      return item.answer
    }
    if definition.grading.isOfLikelihoods {
      let right = item.rightChoices ?? [correct]
      return order.indices.filter { right.contains(order[$0]) }.map(String.init)
        .joined(separator: ",")
    }
    if case .exact = definition.grading {
      return definition.choices?.scoredText(item.choices[correct], place: place) ?? item.answer
    }
    return ChoiceLetter.name(place)
  }

  /// The request for one reply, but for how it is computed.
  func question(_ index: Int, order: [Int]) -> SampleQuestion {
    let item = items[index]
    guard windows.isEmpty else { return SampleQuestion(prompt: "", tokens: windows[index]) }
    var question = SampleQuestion(prompt: definition.message(for: item, order: order))
    question.form = definition.promptForm
    question.opening = definition.opening(of: item)
    question.candidates = definition.candidates(of: item, order: order)
    question.prefill = definition.prefill ?? ""
    question.stops = definition.stops ?? []
    question.examplesAreTurns = definition.shots?.areTurns == true
    if let written = definition.shots?.items {
      question.examples = written.prefix(definition.shots?.count ?? 0).map {
        PromptExample(
          question: definition.prompt.render(question: $0.question, choices: []),
          answer: $0.answer)
      }
    } else if !drawn.isEmpty {
      question.examples = drawn[index].map { definition.example(examples[$0]) }
    }
    return question
  }
}
