import Foundation

/// A generated program with its tests, as an item's key holds them.
struct ProgramTest: Sendable, Hashable, Codable {
  /// What stands before the reply: the beginning of the program that the prompt gave.
  var before: String
  /// What stands behind it and fails where the program is wrong.
  var tests: String

  /// Reads a key; nil for anything else.
  init?(key: String) {
    guard let test = try? JSONDecoder().decode(ProgramTest.self, from: Data(key.utf8)) else {
      return nil
    }
    self = test
  }

  init(before: String, tests: String) {
    self.before = before
    self.tests = tests
  }

  /// The key.
  var key: String {
    CanonicalJSON.encode(self).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// What a record keeps of a key: the tests themselves stand in the data, whose digest the scenario has.
  static func recorded(_ key: String) -> String {
    digestMark + CanonicalJSON.hexadecimalDigest(of: Data(key.utf8))
  }

  /// Whether a record's key stands for tests: their digest, or in older journals the tests.
  static func isTest(_ key: String) -> Bool {
    key.hasPrefix(digestMark) || ProgramTest(key: key) != nil
  }

  private static let digestMark = "sha256:"

  /// The modules that the tests import on lines of their own.
  var modules: [String] {
    tests.split(whereSeparator: \.isNewline).compactMap { line in
      let words = line.split(separator: " ")
      guard words.count > 1, words[0] == "import" || words[0] == "from" && words.contains("import"),
        !line.hasPrefix(" ")
      else { return nil }
      return words[1].split(separator: ".").first.map(String.init)
    }
  }

  /// The program of a reply: its last block between fences, or all of it where there is none.
  static func code(in reply: String) -> String {
    let pieces = reply.components(separatedBy: "```")
    guard pieces.count > 1 else { return reply }
    // Every second piece stands between fences; behind an opening fence may be the language's name.
    let last = pieces.count % 2 == 0 ? pieces.count - 1 : pieces.count - 2
    let block = pieces[last]
    let name = block.prefix { $0.isLetter || $0.isNumber }
    return block.dropFirst(name.count).first?.isNewline == true
      ? String(block.dropFirst(name.count + 1)) : block
  }

  /// Runs the program of a reply with its tests, as long as that is wanted.
  ///
  /// - Returns: A grade whose answer is the verdict: `passed`, `failed` with the last line that it
  ///   printed, `out of time`, `too much output` or `killed`.
  /// - Throws: ``EvaluationError`` where nothing can be run.
  func grade(
    _ reply: String, in sandbox: Sandbox, isWanted: () -> Bool = { true }
  ) throws(EvaluationError) -> Grade {
    let program = before + Self.code(in: reply) + "\n" + tests + "\n"
    let outcome = try sandbox.run(program, isWanted: isWanted)
    let verdict: String
    switch outcome.end {
    case .exited(0): verdict = Self.passed
    case .exited:
      let last = outcome.output.split(whereSeparator: \.isNewline).last ?? ""
      verdict = "failed: \(last.prefix(200))"
    case .killed(let signal): verdict = "killed by signal \(signal)"
    case .outOfTime: verdict = "out of time"
    case .tooMuchOutput: verdict = "too much output"
    }
    return Grade(
      extracted: verdict, step: nil, correct: verdict == Self.passed, scores: nil)
  }

  private static let passed = "passed"
}
