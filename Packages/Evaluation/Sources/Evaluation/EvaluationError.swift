import SystemCalls

/// Everything that can be wrong with a benchmark, its data, a journal or a request.
///
/// Each case names the place (file, line, key) and what was expected and found.
public enum EvaluationError: Error, Equatable, CustomStringConvertible {
  /// A file or folder could not be opened, read, written or locked.
  case file(path: String, reason: String)
  /// A benchmark definition is wrong at one key; `key` is a dotted path such as
  /// `data[0].fields.id`.
  case definition(file: String, key: String, reason: String)
  /// No definition of that name ships with the library.
  case unknownBenchmark(name: String, known: [String])
  /// The folder with the shipped definitions is not installed.
  case resourcesMissing(searched: [String])
  /// None of the places searched holds the benchmark's data.
  case dataMissing(benchmark: String, files: [String], searched: [String], fetch: String)
  /// A row of a data file cannot be used; `line` counts from 1.
  case dataRow(file: String, line: Int, reason: String)
  /// A line of a journal is damaged; `line` counts from 1.
  case journalLine(file: String, line: Int, reason: String)
  /// A journal belongs to another run.
  case otherRun(file: String, differences: [String])
  /// Another process is writing this journal.
  case journalInUse(file: String)
  /// A setting has a value that means nothing.
  case setting(name: String, value: String, expected: String)
  /// Samples of a run have no record; `examples` are some of them as `item#sample`.
  case samplesMissing(file: String, count: Int, examples: [String])
  /// A responder answered something it was not asked, or answered twice.
  case unexpectedResponse(item: String, sample: Int)
  /// Two runs cannot be compared, or several journals cannot be merged.
  case notComparable(reason: String)

  /// One line for the user.
  public var description: String {
    switch self {
    case .file(let path, let reason): "\(path): \(reason)"
    case .definition(let file, let key, let reason): "\(file): \(key): \(reason)"
    case .unknownBenchmark(let name, let known):
      "no benchmark is called '\(name)'; known are \(known.joined(separator: ", ")), "
        + "or give the path of a .yaml file"
    case .resourcesMissing(let searched):
      "the benchmark definitions are not installed; looked in \(searched.joined(separator: ", "))"
    case .dataMissing(let benchmark, let files, let searched, let fetch):
      "the data of \(benchmark) is not here: looked for \(files.joined(separator: " or ")) in "
        + (searched.isEmpty ? "no folder" : searched.joined(separator: ", ")) + ". \(fetch)"
    case .dataRow(let file, let line, let reason): "\(file), line \(line): \(reason)"
    case .journalLine(let file, let line, let reason): "journal \(file), line \(line): \(reason)"
    case .otherRun(let file, let differences):
      "journal \(file) belongs to another run: " + differences.joined(separator: "; ")
    case .journalInUse(let file): "journal \(file) is being written by another process"
    case .setting(let name, let value, let expected):
      "\(name) is \(value); expected \(expected)"
    case .samplesMissing(let file, let count, let examples):
      "\(file): \(count) samples have no record, such as \(examples.joined(separator: ", "))"
    case .unexpectedResponse(let item, let sample):
      "an answer to sample \(sample) of \(item) came that was not asked for, or came twice"
    case .notComparable(let reason): reason
    }
  }
}

extension EvaluationError {
  /// What the system refused about a file.
  init(_ error: FileError) {
    let actions = [
      "opening": "opened", "reading": "read", "writing": "written", "saving": "saved",
      "renaming": "replaced", "creating": "made", "locking": "locked",
    ]
    let action = actions[error.action].map { "cannot be \($0)" } ?? "\(error.action) failed"
    self = .file(path: error.path, reason: "\(action): \(error.reason)")
  }

  /// Runs `body` with its failures as errors of an evaluation.
  static func wrapping<Result>(
    _ body: () throws(FileError) -> Result
  ) throws(EvaluationError) -> Result {
    do throws(FileError) { return try body() } catch { throw EvaluationError(error) }
  }
}
