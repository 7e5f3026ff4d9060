import Foundation
import SystemCalls

/// What can go wrong between a model's name and its files on the disk.
///
/// Every case names what was asked for, and says what helps where something does.
public enum HubError: Error, Equatable, CustomStringConvertible {
  /// A text that is no name of a repository.
  case badName(name: String, reason: String)
  /// A setting of the environment cannot be used.
  case badSetting(variable: String, value: String, expected: String)
  /// Nothing on this machine has this name; `advice` says how to get it.
  case unknownModel(name: String, advice: String)
  /// Part of a repository is in the cache, but not what is asked for.
  case incomplete(repository: String, missing: String, advice: String)
  /// A request would be needed, and requests were forbidden.
  case offline(repository: String, by: String)
  /// The hub has no such repository, or does not show it to this user.
  case noRepository(repository: String, endpoint: String, hasToken: Bool)
  /// The repository has no such branch, tag or commit.
  case noRevision(repository: String, revision: String)
  /// The repository lacks what is needed to run it.
  case noFiles(repository: String, reason: String)
  /// The terms of a repository have to be accepted first.
  case gated(repository: String, page: String, hasToken: Bool, message: String)
  /// The token is not accepted.
  case badToken(url: String, message: String)
  /// The server asks to come back later; `seconds` where it says when.
  case tooManyRequests(url: String, seconds: Double?)
  /// The server answered with a status that says what is wrong only by its number.
  case status(url: String, status: Int, message: String)
  /// The system has no libcurl, which sends the requests.
  case noTransport
  /// No answer, or a connection that broke.
  case unreachable(url: String, reason: String)
  /// An answer is not what the protocol says.
  case malformed(url: String, expected: String, found: String)
  /// What the hub lists may not become a path.
  case unsafePath(repository: String, path: String)
  /// A file has another length than the hub lists.
  case wrongLength(file: String, expected: Int, found: Int)
  /// The bytes of a file are not those that the hub lists.
  case wrongDigest(file: String, expected: String, found: String)
  /// The disk has no room for what is to be fetched.
  case noSpace(folder: String, needed: Int, free: Int)
  /// A file in the cache cannot be read or written.
  case file(FileError)
  /// A file in the cache is damaged.
  case damaged(file: String, reason: String)
  /// The caller asked to stop.
  case cancelled

  /// Whether the same request may go well a moment later.
  public var isTransient: Bool {
    switch self {
    case .unreachable, .tooManyRequests: true
    case .status(_, let status, _): status == 408 || (500...599).contains(status)
    default: false
    }
  }

  /// One or two sentences for people.
  public var description: String {
    switch self {
    case .badName(let name, let reason):
      "'\(name)' is no name of a repository: \(reason)"
    case .badSetting(let variable, let value, let expected):
      "\(variable) is '\(value)'; expected \(expected)"
    case .unknownModel(let name, let advice):
      "model \(name) is not on this machine. \(advice)"
    case .incomplete(let repository, let missing, let advice):
      "\(repository): \(missing) is not in the cache. \(advice)"
    case .offline(let repository, let by):
      "\(repository) would have to be fetched, which \(by) forbids"
    case .noRepository(let repository, let endpoint, let hasToken):
      "\(repository): \(endpoint) has no such repository, or it is private. "
        + (hasToken
          ? "The token that is set may not read it." : "Private ones need a token in HF_TOKEN.")
    case .noRevision(let repository, let revision):
      "\(repository) has no branch, tag or commit '\(revision)'"
    case .noFiles(let repository, let reason):
      "\(repository): \(reason)"
    case .gated(let repository, let page, let hasToken, let message):
      "\(repository) is open only to those who accept its terms. Accept them at \(page), "
        + (hasToken
          ? "with the account whose token is set"
          : "then set HF_TOKEN to a token of that account (made at /settings/tokens there)")
        + (message.isEmpty ? "." : ". The hub says: \(message)")
    case .badToken(let url, let message):
      "\(url): the token that is set (HF_TOKEN, or its file) was not accepted"
        + (message.isEmpty ? "" : ": \(message)")
    case .tooManyRequests(let url, let seconds):
      "\(url): too many requests"
        + (seconds.map { "; the server asks to wait \(Int($0.rounded(.up))) s" } ?? "")
    case .status(let url, let status, let message):
      "\(url): the server answered \(status)"
        + (message.isEmpty ? "" : ": \(message)")
    case .noTransport:
      "requests are sent by libcurl (libcurl.so.4), which this system does not have; "
        + "Debian and Ubuntu have it in the package libcurl4"
    case .unreachable(let url, let reason):
      "\(url): \(reason)"
    case .malformed(let url, let expected, let found):
      "\(url): expected \(expected), found \(found)"
    case .unsafePath(let repository, let path):
      "\(repository): lists the file \(path.debugDescription), which is no path inside a folder"
    case .wrongLength(let file, let expected, let found):
      "\(file): \(expected) bytes expected, the server has \(found)"
    case .wrongDigest(let file, let expected, let found):
      "\(file): what arrived is not what the hub lists: digest \(expected) expected, found \(found)"
    case .noSpace(let folder, let needed, let free):
      "\(folder): \(needed) bytes are to be written, \(free) are free"
    case .file(let error): error.description
    case .damaged(let file, let reason): "\(file): \(reason)"
    case .cancelled: "interrupted"
    }
  }
}

/// Throws the faults of files as `HubError.file`.
func onDisk<Result>(_ body: () throws(FileError) -> Result) throws(HubError) -> Result {
  do throws(FileError) { return try body() } catch { throw .file(error) }
}
