import Foundation

/// A text that is scored whole, for perplexity.
public struct ScoredTextFile: Sendable, Hashable {
  /// What is asked of it.
  public let definition: BenchmarkDefinition
  /// The text, its paragraphs joined by blank lines.
  public let text: String
  /// The files it came from.
  public let files: [URL]
  private let window: Int

  /// Reads the text of a benchmark.
  ///
  /// Lines are joined with two line feeds between, each with the one that it ends with, as the rows
  /// of the data set are; lines without any word are empty rows.
  ///
  /// - Throws: ``EvaluationError`` where the benchmark is of no text, or the text is missing or no
  ///   UTF-8.
  public init(_ definition: BenchmarkDefinition, in folders: DataFolders) throws(EvaluationError) {
    guard case .perplexity(let window) = definition.grading else {
      throw .setting(
        name: "grading of \(definition.name)", value: "\(definition.grading)",
        expected: "perplexity")
    }
    guard let layout = try folders.locate(definition).first else {
      throw .setting(name: "data", value: "none", expected: "a text")
    }
    var rows: [String] = []
    for file in layout.files {
      guard
        let text = String(
          validating: try WholeFile.read(file, atMost: DataFile.largest), as: UTF8.self)
      else { throw .file(path: file.path, reason: "is not UTF-8") }
      rows += Self.rows(text)
    }
    self.definition = definition
    self.window = window
    text = rows.joined(separator: "\n\n")
    files = layout.files
  }

  /// The text in windows of tokens, an item each; the rest that fills none is left out.
  ///
  /// - Parameters:
  ///   - context: The most tokens that a model reads.
  ///   - encode: The tokens of a text, with what the model wants around it.
  /// - Returns: A benchmark of the windows.
  /// - Throws: ``EvaluationError`` for a text shorter than a window, or a window longer than
  ///   `context`.
  public func windows(
    context: Int, encode: (String) -> [Int32]
  ) throws(EvaluationError) -> Benchmark {
    guard window <= context else {
      throw .setting(
        name: "window of \(definition.name)", value: "\(window) tokens",
        expected: "at most \(context), which the model reads")
    }
    let tokens = encode(text)
    guard tokens.count >= window else {
      throw .file(
        path: files.first?.path ?? "text",
        reason: "has \(tokens.count) tokens; a window takes \(window)")
    }
    let starts = stride(from: 0, through: tokens.count - window, by: window)
    return Benchmark(
      definition, windows: starts.map { Array(tokens[$0..<$0 + window]) }, files: files)
  }

  private static func rows(_ text: String) -> [String] {
    var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
    let endsLine = lines.last?.isEmpty == true
    if endsLine { lines.removeLast() }
    return lines.enumerated().map { number, line in
      let isBlank = line.allSatisfy(\.properties.isWhitespace)
      let end = number + 1 < lines.count || endsLine ? "\n" : ""
      return isBlank ? "" : String(line) + end
    }
  }
}
