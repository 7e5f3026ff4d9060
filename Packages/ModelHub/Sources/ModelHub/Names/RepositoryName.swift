import Foundation

/// A repository on the hub, as people write it: `org/name`, `org/name@revision`, `org/name:Q4_K_M`.
public struct RepositoryName: Hashable, Sendable, CustomStringConvertible {
  /// What a repository holds.
  public enum Kind: String, Sendable, CaseIterable {
    /// A model.
    case model
    /// A data set.
    case dataset

    /// The word in the hub's addresses and in names of cache folders.
    var plural: String { rawValue + "s" }
  }

  /// What it holds.
  public let kind: Kind
  /// Who it belongs to.
  public let organisation: String
  /// Its name.
  public let name: String
  /// A branch, tag or commit; nil for `main`.
  public let revision: String?
  /// Which of several quantizations is meant, such as `Q4_K_M` among GGUF files.
  public let variant: String?

  /// Reads a name.
  ///
  /// - Throws: `HubError.badName` saying what a name looks like.
  public init(parsing text: String, kind: Kind = .model) throws(HubError) {
    func refuse(_ reason: String) -> HubError { .badName(name: text, reason: reason) }
    var rest = text[...]
    var (revision, variant): (Substring?, Substring?)
    if let at = rest.firstIndex(of: "@") {
      revision = rest[rest.index(after: at)...]
      rest = rest[..<at]
    }
    // The variant may stand before or after the revision, which holds no colon.
    if let colon = revision?.firstIndex(of: ":"), let all = revision {
      variant = all[all.index(after: colon)...]
      revision = all[..<colon]
    }
    if let colon = rest.firstIndex(of: ":") {
      guard variant == nil else { throw refuse("it has two variants") }
      variant = rest[rest.index(after: colon)...]
      rest = rest[..<colon]
    }
    let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy(Self.isPart) else {
      throw refuse("expected org/name, with @REVISION or :VARIANT where one is meant")
    }
    if let revision {
      let steps = revision.split(separator: "/", omittingEmptySubsequences: false)
      guard !revision.isEmpty, revision.count <= 255, steps.allSatisfy(Self.isPart) else {
        throw refuse("'\(revision)' is no branch, tag or commit")
      }
    }
    if let variant {
      guard !variant.isEmpty, variant.count <= 96, Self.isPart(variant) else {
        throw refuse("'\(variant)' is no variant, such as Q4_K_M")
      }
    }
    self.kind = kind
    organisation = String(parts[0])
    name = String(parts[1])
    self.revision = revision.map(String.init)
    self.variant = variant.map(String.init)
  }

  /// The same repository at a commit.
  func pinned(to commit: String) throws(HubError) -> RepositoryName {
    try RepositoryName(
      parsing: "\(path)@\(commit)" + (variant.map { ":\($0)" } ?? ""), kind: kind)
  }

  /// `org/name`.
  public var path: String { "\(organisation)/\(name)" }

  /// The branch, tag or commit that is meant.
  public var revisionInForce: String { revision ?? "main" }

  /// As it is written.
  public var description: String {
    path + (revision.map { "@\($0)" } ?? "") + (variant.map { ":\($0)" } ?? "")
  }

  /// Letters, digits, `-`, `_` and `.`, neither beginning nor ending with a dot, without `--` and
  /// `..`, which the hub does not allow and which mean something in the cache.
  private static func isPart(_ text: Substring) -> Bool {
    !text.isEmpty && !text.hasPrefix(".") && !text.hasSuffix(".") && !text.contains("..")
      && !text.contains("--") && text.utf8.count <= 255
      && text.utf8.allSatisfy { byte in
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte)
          || [0x2D, 0x2E, 0x5F].contains(byte)
      }
  }

  /// Whether a revision is a full commit: 40 hexadecimal digits.
  static func isCommit(_ text: String) -> Bool {
    text.utf8.count == 40
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}
