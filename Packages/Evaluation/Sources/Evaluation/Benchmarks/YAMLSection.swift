import Yams

/// A mapping in a YAML file, read with types and with errors that name file and key.
struct YAMLSection {
  private let file: String
  private let path: String
  private let mapping: Node.Mapping

  /// As much of a line is shown in messages.
  private static let shownCharacters = 80

  /// The mapping at the top of a document.
  init(text: String, file: String) throws(EvaluationError) {
    let root: Node?
    do { root = try Yams.compose(yaml: text) } catch {
      // The parser's message shows the whole line, which may be the whole file.
      let reason = "\(error)".split(whereSeparator: \.isNewline).map { line in
        let isLong = line.count > Self.shownCharacters
        return isLong ? line.prefix(Self.shownCharacters) + "..." : String(line)
      }.joined(separator: " ")
      throw .definition(file: file, key: "YAML", reason: reason)
    }
    guard let mapping = root?.mapping else {
      throw .definition(file: file, key: "YAML", reason: "is no mapping of keys to values")
    }
    self.init(file: file, path: "", mapping: mapping)
  }

  private init(file: String, path: String, mapping: Node.Mapping) {
    self.file = file
    self.path = path
    self.mapping = mapping
  }

  /// Refuses every key that is not listed.
  func allow(_ keys: [String]) throws(EvaluationError) {
    for key in mapping.keys where !keys.contains(key.string ?? "") {
      throw error(
        key.string ?? "?",
        "is unknown; known here are \(keys.sorted().joined(separator: ", "))")
    }
  }

  /// An error about one key.
  func error(_ key: String, _ reason: String) -> EvaluationError {
    .definition(file: file, key: path + key, reason: reason)
  }

  /// Runs a check and names the key if it fails.
  func checked<Value>(
    _ key: String, _ body: () throws(EvaluationError) -> Value
  ) throws(EvaluationError) -> Value {
    do { return try body() } catch { throw self.error(key, error.description) }
  }

  /// A value that must be there.
  func required<Value>(_ key: String, _ value: Value?) throws(EvaluationError) -> Value {
    guard let value else { throw error(key, "is missing") }
    return value
  }

  /// A text, or nil when the key is absent.
  func string(_ key: String) throws(EvaluationError) -> String? {
    guard let node = mapping[key] else { return nil }
    guard let text = node.scalar?.string, !text.isEmpty else {
      throw error(key, "has to be a text")
    }
    return text
  }

  /// An integer, or nil when the key is absent.
  func integer(_ key: String) throws(EvaluationError) -> Int? {
    guard let text = try string(key) else { return nil }
    guard let value = Int(text) else { throw error(key, "is '\(text)', not a whole number") }
    return value
  }

  /// A number, or nil when the key is absent.
  func number(_ key: String) throws(EvaluationError) -> Double? {
    guard let text = try string(key) else { return nil }
    guard let value = Double(text) else { throw error(key, "is '\(text)', not a number") }
    return value
  }

  /// True or false, or nil when the key is absent.
  func flag(_ key: String) throws(EvaluationError) -> Bool? {
    guard let text = try string(key) else { return nil }
    switch text {
    case "true": return true
    case "false": return false
    default: throw error(key, "is '\(text)', neither true nor false")
    }
  }

  /// All members as texts.
  func texts() throws(EvaluationError) -> [String: String] {
    var texts: [String: String] = [:]
    for key in keys { texts[key] = try string(key) }
    return texts
  }

  /// All members as lists of texts.
  func lists() throws(EvaluationError) -> [String: [String]] {
    var lists: [String: [String]] = [:]
    for key in keys { lists[key] = try strings(key) }
    return lists
  }

  /// All members as ranges, each a list of its two ends.
  func ranges() throws(EvaluationError) -> [String: ClosedRange<Int>] {
    var ranges: [String: ClosedRange<Int>] = [:]
    for key in keys {
      let ends = (try strings(key) ?? []).compactMap { Int($0) }
      guard ends.count == 2, ends[0] <= ends[1] else {
        throw error(key, "has to be a list of the least and the largest whole number")
      }
      ranges[key] = ends[0]...ends[1]
    }
    return ranges
  }

  /// One of the words of an enumeration, or nil when the key is absent.
  func word<Word: RawRepresentable & CaseIterable>(
    _ key: String, _ type: Word.Type
  ) throws(EvaluationError) -> Word? where Word.RawValue == String {
    guard let text = try string(key) else { return nil }
    return try word(text, key: key)
  }

  /// A list of words of an enumeration, or nil when the key is absent.
  func words<Word: RawRepresentable & CaseIterable>(
    _ key: String, _ type: Word.Type
  ) throws(EvaluationError) -> [Word]? where Word.RawValue == String {
    guard let texts = try strings(key) else { return nil }
    var words: [Word] = []
    for text in texts { words.append(try word(text, key: key)) }
    return words
  }

  private func word<Word: RawRepresentable & CaseIterable>(
    _ text: String, key: String
  ) throws(EvaluationError) -> Word where Word.RawValue == String {
    guard let word = Word(rawValue: text) else {
      let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw error(key, "is '\(text)'; expected one of \(known)")
    }
    return word
  }

  /// A list of texts, or nil when the key is absent.
  func strings(_ key: String) throws(EvaluationError) -> [String]? {
    guard let node = mapping[key] else { return nil }
    guard let sequence = node.sequence, !sequence.isEmpty else {
      throw error(key, "has to be a list of texts")
    }
    var texts: [String] = []
    for element in sequence {
      guard let text = element.scalar?.string, !text.isEmpty else {
        throw error(key, "has to be a list of texts")
      }
      texts.append(text)
    }
    return texts
  }

  /// The keys that are texts, sorted.
  var keys: [String] { mapping.keys.compactMap(\.string).sorted() }

  /// Whether the key holds a mapping.
  func isMapping(_ key: String) -> Bool { mapping[key]?.mapping != nil }

  /// Whether the key holds a list.
  func isList(_ key: String) -> Bool { mapping[key]?.sequence != nil }

  /// A mapping within this one, or nil when the key is absent.
  func section(_ key: String) throws(EvaluationError) -> YAMLSection? {
    guard let node = mapping[key] else { return nil }
    guard let inner = node.mapping else { throw error(key, "has to be a mapping") }
    return YAMLSection(file: file, path: "\(path)\(key).", mapping: inner)
  }

  /// A list of mappings, or nil when the key is absent.
  func sections(_ key: String) throws(EvaluationError) -> [YAMLSection]? {
    guard let node = mapping[key] else { return nil }
    guard let sequence = node.sequence, !sequence.isEmpty else {
      throw error(key, "has to be a list of mappings")
    }
    var sections: [YAMLSection] = []
    for (index, element) in sequence.enumerated() {
      guard let inner = element.mapping else { throw error("\(key)[\(index)]", "is no mapping") }
      sections.append(YAMLSection(file: file, path: "\(path)\(key)[\(index)].", mapping: inner))
    }
    return sections
  }
}
