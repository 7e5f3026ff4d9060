import Foundation

/// A kind of request by its lengths, as a YAML file says.
///
/// Source of the shipped ones: arXiv:2411.02355, section on inference performance, and the model
/// cards of its authors.
public struct UseCase: Sendable, Hashable, Codable {
  /// Seconds that 99 of 100 requests keep to.
  public struct Limits: Sendable, Hashable, Codable {
    /// To the first token.
    public let first: Double
    /// Between two tokens.
    public let between: Double
  }

  /// The short name.
  public let name: String
  /// What it is.
  public let title: String
  /// Tokens of the prompt.
  public let prompt: Int
  /// Tokens that are generated.
  public let generated: Int
  /// What somebody who waits accepts; nil where only the throughput counts.
  public let limits: Limits?

  /// A use case, whose lengths are positive.
  public init(name: String, title: String, prompt: Int, generated: Int, limits: Limits? = nil) {
    self.name = name
    self.title = title
    self.prompt = prompt
    self.generated = generated
    self.limits = limits
  }

  private init(_ section: YAMLSection) throws(EvaluationError) {
    try section.allow(["name", "title", "prompt", "generated", "first", "between"])
    name = try section.required("name", section.string("name"))
    title = try section.required("title", section.string("title"))
    prompt = try Self.positive(section, "prompt")
    generated = try Self.positive(section, "generated")
    let first = try section.number("first")
    let between = try section.number("between")
    guard (first == nil) == (between == nil) else {
      throw section.error("first", "and between stand together")
    }
    if let first, let between {
      guard first > 0, between > 0 else { throw section.error("first", "has to be above 0") }
      limits = Limits(first: first, between: between)
    } else {
      limits = nil
    }
  }

  private static func positive(
    _ section: YAMLSection, _ key: String
  ) throws(EvaluationError) -> Int {
    let value = try section.required(key, section.integer(key))
    guard (1...1 << 24).contains(value) else {
      throw section.error(key, "is \(value); expected 1 to \(1 << 24)")
    }
    return value
  }

  /// The use cases of a file, in their order.
  ///
  /// - Throws: ``EvaluationError`` naming the file, and the key that is unknown, missing or wrong.
  public static func read(_ url: URL) throws(EvaluationError) -> [UseCase] {
    let bytes = try WholeFile.read(url, atMost: 1 << 20)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .file(path: url.path, reason: "is not UTF-8")
    }
    let top = try YAMLSection(text: text, file: url.path)
    try top.allow(["cases"])
    var cases: [UseCase] = []
    for section in try top.required("cases", top.sections("cases")) {
      let found = try UseCase(section)
      guard !cases.contains(where: { $0.name == found.name }) else {
        throw section.error("name", "is '\(found.name)', which another case has")
      }
      cases.append(found)
    }
    return cases
  }
}

extension BenchmarkCatalog {
  /// The use cases that ship with the library.
  ///
  /// - Throws: ``EvaluationError`` where their file is damaged.
  public func useCases() throws(EvaluationError) -> [UseCase] {
    try UseCase.read(folder.appending(path: "load/use-cases.yaml"))
  }
}
