import JSON

/// Everything that can go wrong while loading a tokenizer or rendering a chat template.
///
/// Each case names where the fault lies: the file, the key path inside it, the byte offset or
/// the line, what was expected and what was found.
public enum TokenizerError: Error, Equatable, Sendable {
  /// None of the `expected` files is in the folder.
  case missingFile(directory: String, expected: [String])
  /// The operating system refused to read the file.
  case unreadable(file: String, reason: String)
  /// The bytes at `offset` are not the JSON (or UTF-8) they should be.
  case malformedJSON(file: String, offset: Int, reason: String)
  /// The value at `key` has the wrong JSON type.
  case wrongType(file: String, key: String, offset: Int, expected: String, found: String)
  /// A required key is absent.
  case missingKey(file: String, key: String)
  /// A value is of the right type but outside what is allowed.
  case invalidValue(file: String, key: String, reason: String)
  /// The file asks for something this package does not implement; guessing would change ids.
  case unsupported(file: String, key: String, value: String)
  /// Two pieces claim the same id.
  case duplicateID(file: String, key: String, id: Int, pieces: [String])
  /// One piece is listed twice.
  case duplicatePiece(file: String, key: String, piece: String)
  /// No piece has this id although higher ids exist.
  case vocabularyGap(file: String, key: String, id: Int)
  /// A merge names a piece (or makes one) that the vocabulary lacks.
  case unknownMergePiece(file: String, merge: Int, piece: String)
  /// A line of a text file (`merges.txt`, `tokenizer.model`) cannot be read.
  case malformedLine(file: String, line: Int, reason: String)
  /// The folder has no chat template.
  case noChatTemplate(directory: String)
  /// The folder has several chat templates, and none is called "default".
  case noDefaultTemplate(directory: String, names: [String])
  /// The chat template does not parse.
  case templateSyntax(line: Int, reason: String)
  /// The chat template failed while rendering.
  case templateFailed(line: Int, reason: String)
  /// The chat template itself refused the conversation with `raise_exception`.
  case templateRaised(message: String)
  /// The chat template wrote nothing for the conversation; the file that it is in, where it is in one.
  case templateEmpty(file: String?)
  /// Rendering went past one of ``ChatTemplate/Limits``.
  case templateLimit(name: String, limit: Int)
  /// A chat message or tool definition is not usable.
  case invalidMessage(key: String, reason: String)
}

/// A reader of JSON whose faults are faults of a tokenizer's files.
typealias TokenizerReader = JSONReader<TokenizerError>

extension TokenizerError: JSONFailure {}

extension TokenizerError: CustomStringConvertible {
  /// One sentence for the person at the terminal.
  public var description: String {
    switch self {
    case .missingFile(let directory, let expected):
      "\(directory): no \(expected.joined(separator: ", no "))"
    case .unreadable(let file, let reason):
      "\(file): cannot be read: \(reason)"
    case .malformedJSON(let file, let offset, let reason):
      "\(file): byte \(offset): \(reason)"
    case .wrongType(let file, let key, let offset, let expected, let found):
      "\(file): \(key) (byte \(offset)): expected \(expected), found \(found)"
    case .missingKey(let file, let key):
      "\(file): \(key) is missing"
    case .invalidValue(let file, let key, let reason):
      "\(file): \(key): \(reason)"
    case .unsupported(let file, let key, let value):
      "\(file): \(key): \(value) is not supported"
    case .duplicateID(let file, let key, let id, let pieces):
      "\(file): \(key): id \(id) belongs to more than one piece: "
        + pieces.map { "\"\($0)\"" }.joined(separator: ", ")
    case .duplicatePiece(let file, let key, let piece):
      "\(file): \(key): piece \"\(piece)\" is listed twice"
    case .vocabularyGap(let file, let key, let id):
      "\(file): \(key): no piece has id \(id), but higher ids exist"
    case .unknownMergePiece(let file, let merge, let piece):
      "\(file): merge \(merge) needs the piece \"\(piece)\", which the vocabulary lacks"
    case .malformedLine(let file, let line, let reason):
      "\(file): line \(line): \(reason)"
    case .noChatTemplate(let directory):
      "\(directory): no chat_template in tokenizer_config.json, no chat_template.jinja and no "
        + "chat_template.json"
    case .noDefaultTemplate(let directory, let names):
      "\(directory): no chat template is called \"default\", only "
        + names.map { "\"\($0)\"" }.joined(separator: ", ")
    case .templateSyntax(let line, let reason):
      "chat template, line \(line): \(reason)"
    case .templateFailed(let line, let reason):
      "chat template, line \(line): \(reason)"
    case .templateRaised(let message):
      "chat template: \(message)"
    case .templateEmpty(let file):
      (file.map { $0 + ": " } ?? "") + "the chat template writes nothing for this conversation; "
        + "without one the prompt would be used as it is"
    case .templateLimit(let name, let limit):
      "chat template: more than \(limit) \(name)"
    case .invalidMessage(let key, let reason):
      "\(key): \(reason)"
    }
  }
}
