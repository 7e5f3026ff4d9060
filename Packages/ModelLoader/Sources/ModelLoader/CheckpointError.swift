import Foundation
import JSON
import SystemCalls

/// A reader of JSON whose faults are faults of a checkpoint's files.
typealias CheckpointReader = JSONReader<CheckpointError>

extension CheckpointError: JSONFailure {
  /// See ``json(file:offset:reason:)``.
  public static func malformedJSON(file: String, offset: Int, reason: String) -> CheckpointError {
    .json(file: file, offset: offset, reason: reason)
  }

  /// See ``value(file:key:expected:found:)``.
  public static func wrongType(
    file: String, key: String, offset: Int, expected: String, found: String
  ) -> CheckpointError {
    .value(file: file, key: key, expected: expected, found: found)
  }
}

/// What can go wrong between a model folder on disk and a checkpoint in memory.
///
/// Every case names the file or folder it is about, and the tensor, key or offset where there is
/// one.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
  /// Something that has to be there is not; `what` says what it is for.
  case missing(path: String, what: String)
  /// The system refused an operation; `code` is its `errno`.
  case system(path: String, action: String, code: Int32)
  /// Text that is not strict JSON at byte `offset`.
  case json(file: String, offset: Int, reason: String)
  /// A safetensors, shard or index file breaks its format.
  case malformed(file: String, reason: String)
  /// The entry of one tensor breaks the format.
  case tensor(file: String, tensor: String, reason: String)
  /// A file ends too early.
  case truncated(file: String, expected: Int, found: Int)
  /// Stored bytes are not those that were written; `part` is a tensor or a part of the file.
  case damaged(file: String, part: String, reason: String)
  /// A file is no longer the one that was opened.
  case changed(file: String, reason: String)
  /// A setting of the caller's outside its range.
  case setting(name: String, value: String, expected: String)
  /// A value in a JSON file is absent or not what it must be.
  case value(file: String, key: String, expected: String, found: String)
  /// The checkpoint holds no tensor of this name.
  case noTensor(directory: String, tensor: String)
  /// A tensor does not have the shape it must have.
  case shape(tensor: String, expected: [Int], found: [Int])
  /// A known feature that cannot be read or written here.
  case unsupported(file: String, feature: String)
  /// The place to write to is taken; `reason` says by what.
  case occupied(path: String, reason: String)
  /// Memory or a matrix description was refused below.
  case tensors(String)

  /// One sentence for people.
  public var description: String {
    switch self {
    case .missing(let path, let what):
      "\(path): not found" + (path.hasSuffix("/" + what) ? "" : " (\(what))")
    case .system(let path, let action, let code):
      "\(path): \(action) failed: \(String(cString: strerror(code)))"
    case .json(let file, let offset, let reason):
      "\(file): invalid JSON at byte \(offset): \(reason)"
    case .malformed(let file, let reason):
      "\(file): \(reason)"
    case .tensor(let file, let tensor, let reason):
      "\(file): tensor \(tensor): \(reason)"
    case .truncated(let file, let expected, let found):
      "\(file): truncated: \(expected) bytes expected, \(found) found, "
        + "\(expected.subtractingReportingOverflow(found).partialValue) missing"
    case .damaged(let file, let part, let reason):
      "\(file): damaged at \(part): \(reason)"
    case .changed(let file, let reason):
      "\(file): changed while in use: \(reason)"
    case .setting(let name, let value, let expected):
      "\(name) is \(value); expected \(expected)"
    case .value(let file, let key, let expected, let found):
      "\(file): \(key): expected \(expected), found \(found)"
    case .noTensor(let directory, let tensor):
      "\(directory): holds no tensor \(tensor)"
    case .shape(let tensor, let expected, let found):
      "tensor \(tensor): expected shape \(expected), found \(found)"
    case .unsupported(let file, let feature):
      "\(file): \(feature) is not supported"
    case .occupied(let path, let reason):
      "\(path): \(reason)"
    case .tensors(let reason):
      reason
    }
  }
}

extension CheckpointError {
  /// Whether a model whose files are whole holds what cannot be used, so that reading the same bytes
  /// again cannot help.
  public var isOfContent: Bool {
    switch self {
    case .tensor, .value, .noTensor, .shape, .unsupported, .setting: true
    case .missing, .system, .json, .malformed, .truncated, .damaged, .changed, .occupied, .tensors:
      false
    }
  }

  /// What the system refused about a file.
  init(_ error: FileError) {
    self =
      error.code == 0
      ? .malformed(file: error.path, reason: "\(error.action) failed: \(error.reason)")
      : .system(path: error.path, action: error.action, code: error.code)
  }

  /// Runs `body` with its failures as errors of a checkpoint.
  static func wrapping<Result>(
    _ body: () throws(FileError) -> Result
  ) throws(CheckpointError) -> Result {
    do throws(FileError) { return try body() } catch { throw CheckpointError(error) }
  }
}
