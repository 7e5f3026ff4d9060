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
      "grading", "samples", "sampling", "limits", "form", "description", "shots", "prefill",
      "stops",
      "descriptions",
    ])
    name = try top.required("name", top.string("name"))
    guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) })
    else { throw top.error("name", "may only hold letters, digits, '-', '_' and '.'") }
    title = try top.required("title", top.string("title"))
    version = try top.positive("version")
    size = try top.positive("size")
    fetch = try top.required("fetch", top.string("fetch"))
      .trimmingCharacters(in: .whitespacesAndNewlines)
    grading = try GradingRule(top.required("grading", top.section("grading")))
    data = []
    let layouts = try top.sections("data")
    // What judges are asked about comes from runs.
    for section in try grading == .verdict ? [] : top.required("data", layouts) {
      data.append(try DataSource(section, isText: grading.isOfText))
    }
    let template = try top.required("prompt", top.string("prompt"))
    prompt = try top.checked("prompt") { () throws(EvaluationError) in
      try PromptTemplate(template.trimmingCharacters(in: .newlines))
    }
    choices = try top.section("choices").map(ChoicePresentation.init)
    let steps = try top.words("extraction", ExtractionStep.self)
    if grading.bringsItsOwnSteps, steps != nil {
      throw top.error("extraction", "has no effect on grading by \(grading)")
    }
    extraction = grading.bringsItsOwnSteps ? [] : try top.required("extraction", steps)
    // Nothing is drawn where candidates are scored.
    let isScored = grading.isOfLikelihoods
    samples = isScored ? 1 : try top.positive("samples")
    sampling = try Sampling(top.section("sampling"))
    limits =
      isScored
      ? try TokenLimits(tokens: 1)
      : try TokenLimits(top.required("limits", top.section("limits")))
    form = try top.word("form", PromptForm.self)
    preamble = try top.string("description")
    shots = try top.section("shots").map(Shots.init)
    prefill = try top.string("prefill")
    stops = try top.strings("stops")
    preambles = try top.section("descriptions").map { inner throws(EvaluationError) in
      try inner.texts()
    }
    try checkForm(top)
    if isScored || grading.bringsItsOwnSteps {
      try checkScored(top)
    } else {
      try checkChoices(top)
    }
  }

  /// Keys that say how a reply is generated have no effect on candidates, nor prefill on texts.
  private func checkForm(_ top: YAMLSection) throws(EvaluationError) {
    let generated = ["samples", "sampling", "limits", "stops", "prefill"]
    if grading.isOfLikelihoods, let key = generated.first(where: top.keys.contains) {
      throw top.error(key, "has no effect where candidates are scored")
    }
    if promptForm == .text, prefill != nil {
      throw top.error("prefill", "has no effect on form text")
    }
    if promptForm == .text, shots?.areTurns == true {
      throw top.error("shots.turns", "has no effect on form text")
    }
  }

  /// Candidates come from options; texts have neither.
  private func checkScored(_ top: YAMLSection) throws(EvaluationError) {
    let needsChoices = grading.isOfLikelihoods && !grading.isOfText
    guard choices != nil || !needsChoices else { throw top.error("choices", "is missing") }
    guard choices == nil || !grading.isOfText else {
      throw top.error("choices", "has no meaning for a text")
    }
    for source in data + (shots?.data ?? [])
    where (source.fields.choices != nil) != (choices != nil && choices?.fixed == nil) {
      throw top.error("data", "needs fields.choices exactly when there are choices")
    }
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
    for source in data where choices == nil && ![.value, .boxed].contains(source.fields.answerForm)
    {
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
  /// A layout; of a text that is no list of rows there are no fields to name.
  init(_ section: YAMLSection, isText: Bool = false) throws(EvaluationError) {
    try section.allow(
      ["files", "hub", "web"]
        + (isText ? [] : ["columns", "fields", "group", "rows", "only", "between"]))
    files = try section.required("files", section.strings("files"))
    hub = try section.string("hub")
    if let address = try section.section("web") { web = try WebAddress(address, for: files) }
    if isText {
      fields = FieldMap(question: "text", answer: "text", answerForm: .value)
      return
    }
    columns = try section.strings("columns")
    fields = try FieldMap(section.required("fields", section.section("fields")))
    group = try section.string("group")
    if let group, group.split(separator: "*", omittingEmptySubsequences: false).count != 2 {
      throw section.error("group", "is '\(group)'; expected a name with one '*' for the group")
    }
    rows = try section.string("rows")
    only = try section.section("only").map { inner throws(EvaluationError) in try inner.texts() }
    between = try section.section("between").map { inner throws(EvaluationError) in
      try inner.ranges()
    }
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
      "labels", "group", "verbatim", "clean", "clean-options",
      "before",
    ])
    id = try section.string("id")
    question = try section.required("question", section.string("question"))
    questionBefore = try section.string("question-before")
    answer = try section.required("answer", section.string("answer"))
    answerForm = try section.word("answer-form", AnswerForm.self) ?? .value
    answerAfter = try section.string("answer-after")
    if section.isList("choices") {
      choices = try section.strings("choices").map(Choices.each)
    } else if section.isMapping("choices") {
      choices = try section.section("choices").map(Choices.init)
    } else {
      choices = try section.string("choices").map(Choices.list)
    }
    labels = try section.string("labels")
    let usesLabels = answerForm == .label || answerForm == .instructions
    if usesLabels != (labels != nil) {
      throw section.error("labels", "go together with answer-form label or instructions")
    }
    before = try section.string("before")
    guard before == nil || answerForm == .program else {
      throw section.error("before", "goes together with answer-form program")
    }
    group = try section.string("group")
    verbatim = try section.flag("verbatim")
    clean = try section.word("clean", TextCleaning.self)
    cleanOptions = try section.word("clean-options", TextCleaning.self) ?? clean
  }
}

extension FieldMap.Choices {
  fileprivate init(_ section: YAMLSection) throws(EvaluationError) {
    try section.allow(["keys", "python", "split", "by"])
    if let keys = try section.string("keys") {
      self = .keys(keys)
    } else if let field = try section.string("python") {
      self = .python(field)
    } else {
      self = .split(
        try section.required("split", section.strings("split")),
        by: try section.required("by", section.string("by")))
    }
  }
}

extension ChoicePresentation {
  fileprivate init(_ section: YAMLSection) throws(EvaluationError) {
    try section.allow(["count", "shuffle", "exactly", "line", "scored", "blank", "fixed"])
    count = try section.choiceCount("count")
    shuffle = try section.required("shuffle", section.word("shuffle", Shuffle.self))
    exactly = try section.flag("exactly")
    line = try section.string("line")
    scored = try section.string("scored")
    blank = try section.string("blank")
    fixed = try section.section("fixed").map { inner throws(EvaluationError) in
      try inner.lists()
    }
  }
}

extension YAMLSection {
  /// How many options there are at most.
  fileprivate func choiceCount(_ key: String) throws(EvaluationError) -> Int {
    let count = try required(key, integer(key))
    guard (2...100).contains(count) else {
      throw error(key, "is \(count); expected 2 to 100")
    }
    return count
  }
}

extension GradingRule {
  /// The rules by name.
  private enum Name: String, CaseIterable {
    case integer, letter, text, latex, mathematics, likelihood, perplexity, exact, instructions,
      program, judged, verdict
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
      let count = try section.choiceCount("count")
      guard count <= ChoiceLetter.all.count else {
        throw section.error("count", "is \(count); expected 2 to \(ChoiceLetter.all.count)")
      }
      self = .letter(count: count)
    case .likelihood:
      try section.allow(["rule", "metric"])
      self = .likelihood(
        metric: try section.required("metric", section.word("metric", LikelihoodMetric.self)))
    case .perplexity:
      try section.allow(["rule", "window"])
      let window = try section.positive("window")
      guard window > 1 else { throw section.error("window", "is 1; expected 2 or more") }
      self = .perplexity(window: window)
    case .exact: self = .exact(try ExactMatch(section))
    case .instructions:
      try section.allow(["rule"])
      self = .instructions
    case .program:
      try section.allow(["rule"])
      self = .program
    case .judged:
      try section.allow(["rule"])
      self = .judged
    case .verdict:
      try section.allow(["rule"])
      self = .verdict
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
