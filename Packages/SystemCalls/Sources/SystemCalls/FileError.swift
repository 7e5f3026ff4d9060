import Foundation

/// The system refused something about a file, or the file is not what it has to be.
public struct FileError: Error, Equatable, CustomStringConvertible {
  /// The file or folder.
  public let path: String
  /// What was attempted, such as `writing`.
  public let action: String
  /// Why it failed, in words.
  public let reason: String
  /// The system's number for it; 0 where this package refused.
  public let code: Int32

  /// A failure that the system reported as `code`.
  public init(path: String, action: String, code: Int32) {
    self.path = path
    self.action = action
    self.code = code
    reason = String(cString: strerror(code))
  }

  /// A refusal in words.
  public init(path: String, action: String, reason: String) {
    self.path = path
    self.action = action
    self.reason = reason
    code = 0
  }

  /// One sentence for people.
  public var description: String { "\(path): \(action) failed: \(reason)" }
}
