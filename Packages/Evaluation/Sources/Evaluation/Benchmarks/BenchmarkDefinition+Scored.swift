import Foundation

extension Shots {
  /// Reads which examples stand before a question.
  init(_ section: YAMLSection) throws(EvaluationError) {
    try section.allow(["count", "take", "seed", "turns", "data", "items", "from-items"])
    count = try section.required("count", section.integer("count"))
    guard (0...1000).contains(count) else {
      throw section.error("count", "is \(count); expected 0 to 1000")
    }
    take = try section.required("take", section.word("take", Choice.self))
    if let given = try section.integer("seed") {
      guard let seed = UInt32(exactly: given), take == .random else {
        throw section.error("seed", "is \(given); expected 0 to \(UInt32.max), and take random")
      }
      self.seed = seed
    }
    areTurns = try section.flag("turns")
    data = []
    for inner in try section.sections("data") ?? [] { data.append(try DataSource(inner)) }
    fromItems = try section.flag("from-items")
    if let written = try section.sections("items") {
      var items: [WrittenShot] = []
      for inner in written {
        try inner.allow(["question", "answer"])
        items.append(
          WrittenShot(
            question: try inner.required("question", inner.string("question")),
            answer: try inner.required("answer", inner.string("answer"))))
      }
      self.items = items
    }
    let origins = [!data.isEmpty, items != nil, fromItems == true].count { $0 }
    guard origins == 1 else {
      throw section.error("data", "has to be given, or 'items', or from-items: one of the three")
    }
    if let items, take != .first || items.count < count {
      throw section.error("items", "are \(items.count), taken as the first \(count)")
    }
  }
}

extension ExactMatch {
  /// Reads the patterns of a grading rule.
  init(_ section: YAMLSection) throws(EvaluationError) {
    try section.allow(["rule", "filters", "ignore", "ignore-case", "ignore-punctuation"])
    filters = []
    for inner in try section.required("filters", section.sections("filters")) {
      try inner.allow(["name", "pattern", "take"])
      let filter = Filter(
        name: try inner.required("name", inner.string("name")),
        pattern: try inner.string("pattern"),
        take: try inner.required("take", inner.word("take", Filter.Place.self)))
      if let pattern = filter.pattern { try Self.check(pattern, "pattern", in: inner) }
      guard !filters.contains(where: { $0.name == filter.name }) else {
        throw inner.error("name", "is '\(filter.name)' a second time")
      }
      filters.append(filter)
    }
    ignore = try section.strings("ignore")
    for pattern in ignore ?? [] { try Self.check(pattern, "ignore", in: section) }
    ignoresCase = try section.flag("ignore-case")
    ignoresPunctuation = try section.flag("ignore-punctuation")
  }

  private static func check(
    _ pattern: String, _ key: String, in section: YAMLSection
  ) throws(EvaluationError) {
    do { _ = try NSRegularExpression(pattern: pattern) } catch {
      throw section.error(key, "is '\(pattern)', which is no regular expression")
    }
  }
}
