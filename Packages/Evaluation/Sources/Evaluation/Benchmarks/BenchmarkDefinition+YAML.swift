import Foundation
import TextGeneration

extension BenchmarkDefinition {
  /// Reads a definition from its file.
  ///
  /// - Parameter url: A YAML file of at most 1 MiB.
  /// - Throws: ``EvaluationError`` naming the file, and the key that is unknown, missing or wrong.
  public init(contentsOf url: URL) throws(EvaluationError) {
    guard let text = String(validating: try WholeFile.read(url, atMost: 1 << 20), as: UTF8.self)
    else { throw .file(path: url.path, reason: "is not UTF-8") }
    try self.init(yaml: text, file: url.path)
    folder = url.deletingLastPathComponent()
  }

  /// Reads a definition from a text.
  ///
  /// - Parameters:
  ///   - yaml: The text.
  ///   - file: The name that errors give.
  /// - Throws: ``EvaluationError`` naming the key that is unknown, missing or wrong.
  public init(yaml: String, file: String) throws(EvaluationError) {
    let top = try YAMLSection(text: yaml, file: file)
    try top.allow([
      "name", "title", "version", "size", "fetch", "data", "prompt", "choices", "extraction",
      "grading", "samples", "sampling", "limits",
    ])
    name = try top.required("name", top.string("name"))
    guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) })
    else { throw top.error("name", "may only hold letters, digits, '-', '_' and '.'") }
    title = try top.required("title", top.string("title"))
    version = try top.positive("version")
    size = try top.positive("size")
    fetch = try top.required("fetch", top.string("fetch"))
      .trimmingCharacters(in: .whitespacesAndNewlines)
    data = []
    for section in try top.required("data", top.sections("data")) {
      data.append(try DataSource(section))
    }
    let template = try top.required("prompt", top.string("prompt"))
    prompt = try top.checked("prompt") { () throws(EvaluationError) in
      try PromptTemplate(template.trimmingCharacters(in: .newlines))
    }
    choices = try top.section("choices").map(ChoicePresentation.init)
    extraction = try top.required("extraction", top.words("extraction", ExtractionStep.self))
    grading = try GradingRule(top.required("grading", top.section("grading")))
    samples = try top.positive("samples")
    sampling = try Sampling(top.section("sampling"))
    limits = try TokenLimits(top.required("limits", top.section("limits")))
    try checkChoices(top)
  }

  /// Options have to be shown where there are some, and answered with letters.
  private func checkChoices(_ top: YAMLSection) throws(EvaluationError) {
    guard prompt.showsChoices == (choices != nil) else {
      throw top.error("prompt", "needs {choices} exactly when there are choices")
    }
    if let choices, grading != .letter(count: choices.count) {
      throw top.error("grading", "has to be rule letter, count \(choices.count), as in choices")
    }
    for source in data where (source.fields.choices != nil) != (choices != nil) {
      throw top.error("data", "needs fields.choices exactly when there are choices")
    }
    for source in data where choices == nil && source.fields.answerForm != .value {
      throw top.error("data", "answer-form \(source.fields.answerForm) needs choices")
    }
  }
}

extension YAMLSection {
  /// An integer of 1 or more that must be there.
  fileprivate func positive(_ key: String) throws(EvaluationError) -> Int {
    let value = try required(key, integer(key))
    guard value > 0 else { throw error(key, "is \(value); expected 1 or more") }
    return value
  }
}

extension DataSource {
  fileprivate init(_ section: YAMLSection) throws(EvaluationError) {
    try section.allow(["files", "hub", "web", "columns", "fields"])
    files = try section.required("files", section.strings("files"))
    hub = try section.string("hub")
    if let address = try section.section("web") { web = try WebAddress(address, for: files) }
    columns = try section.strings("columns")
    fields = try FieldMap(section.required("fields", section.section("fields")))
  }
}

extension WebAddress {
  fileprivate init(_ section: YAMLSection, for files: [String]) throws(EvaluationError) {
    try section.allow(["url", "sha256"])
    let text = try section.required("url", section.string("url"))
    guard let url = URL(string: text), ["http", "https"].contains(url.scheme), files.count == 1,
      DataFolders.isMatch(url.lastPathComponent[...], files[0][...])
    else { throw section.error("url", "has to end in a name that 'files', then one, has") }
    self.url = url
    sha256 = try section.required("sha256", section.string("sha256"))
    guard sha256.utf8.count == 64,
      sha256.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { throw section.error("sha256", "has to be 64 hexadecimal digits") }
  }
}

extension FieldMap {
  fileprivate init(_ section: YAMLSection) throws(EvaluationError) {
    try section.allow([
      "id", "question", "question-before", "answer", "answer-form", "answer-after", "choices",
      "labels",
    ])
    id = try section.string("id")
    question = try section.required("question", section.string("question"))
    questionBefore = try section.string("question-before")
    answer = try section.required("answer", section.string("answer"))
    answerForm = try section.word("answer-form", AnswerForm.self) ?? .value
    answerAfter = try section.string("answer-after")
    if section.isList("choices") {
      choices = try section.strings("choices").map(Choices.each)
    } else {
      choices = try section.string("choices").map(Choices.list)
    }
    labels = try section.string("labels")
    if (answerForm == .label) != (labels != nil) {
      throw section.error("labels", "go together with answer-form label")
    }
  }
}

extension ChoicePresentation {
  fileprivate init(_ section: YAMLSection) throws(EvaluationError) {
    try section.allow(["count", "shuffle"])
    count = try section.choiceCount("count")
    shuffle = try section.required("shuffle", section.word("shuffle", Shuffle.self))
  }
}

extension YAMLSection {
  /// How many options there are at most.
  fileprivate func choiceCount(_ key: String) throws(EvaluationError) -> Int {
    let count = try required(key, integer(key))
    guard (2...ChoiceLetter.all.count).contains(count) else {
      throw error(key, "is \(count); expected 2 to \(ChoiceLetter.all.count)")
    }
    return count
  }
}

extension GradingRule {
  /// The rules by name.
  private enum Name: String, CaseIterable {
    case integer, letter, text, latex, mathematics
  }

  fileprivate init(_ section: YAMLSection) throws(EvaluationError) {
    switch try section.required("rule", section.word("rule", Name.self)) {
    case .integer:
      try section.allow(["rule", "from", "to"])
      let from = try section.integer("from")
      let to = try section.integer("to")
      guard (from ?? .min) <= (to ?? .max) else { throw section.error("to", "is below 'from'") }
      self = .integer(from: from, to: to)
    case .letter:
      try section.allow(["rule", "count"])
      self = .letter(count: try section.choiceCount("count"))
    case .text:
      try section.allow(["rule"])
      self = .text
    case .latex:
      try section.allow(["rule"])
      self = .latex
    case .mathematics:
      try section.allow(["rule"])
      self = .mathematics
    }
  }
}

extension Sampling {
  fileprivate init(_ section: YAMLSection?) throws(EvaluationError) {
    try section?.allow(["temperature", "top-p", "top-k", "min-p"])
    let temperature = try section?.number("temperature")
    let (topP, topK) = (try section?.number("top-p"), try section?.integer("top-k"))
    let minP = try section?.number("min-p")
    do throws(GenerationError) {
      try self.init(temperature: temperature, topP: topP, topK: topK, minP: minP)
    } catch {
      throw section?.error("value", error.description)
        ?? .setting(name: "sampling", value: "\(error)", expected: "no setting")
    }
  }
}

extension TokenLimits {
  fileprivate init(_ section: YAMLSection) throws(EvaluationError) {
    try section.allow(["tokens", "thinking"])
    let tokens = try section.required("tokens", section.integer("tokens"))
    let thinking = try section.integer("thinking")
    self = try section.checked("tokens") { () throws(EvaluationError) in
      try TokenLimits(tokens: tokens, thinking: thinking)
    }
  }
}
