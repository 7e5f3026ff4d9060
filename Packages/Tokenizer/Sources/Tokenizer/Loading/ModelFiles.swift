import Foundation
import JSON
import SystemCalls

/// The small files of a model by name: those of a folder, or what stands for them where a model is
/// one file.
public struct ModelFiles: Sendable {
  /// Where they are, as errors show it.
  public let place: String
  private let exists: @Sendable (String) -> Bool
  private let contents: @Sendable (String) throws(TokenizerError) -> [UInt8]?

  /// The largest file that is read.
  static let sizeLimit = 256 << 20

  /// The files of a folder.
  public init(directory: URL) {
    @Sendable func exists(_ name: String) -> Bool {
      FileCalls.isNamed(directory.appendingPathComponent(name).path)
    }
    self.init(place: directory.path, exists: exists) { name throws(TokenizerError) in
      guard exists(name) else { return nil }
      let file = directory.appendingPathComponent(name)
      do throws(FileError) {
        return Array(try RegularFile.contents(of: file.path, atMost: Self.sizeLimit))
      } catch {
        throw .unreadable(file: file.path, reason: error.reason)
      }
    }
  }

  /// Files from anywhere.
  ///
  /// - Parameters:
  ///   - place: where they are, for messages.
  ///   - exists: whether there is a file of this name.
  ///   - contents: the bytes of a file; nil where there is none of this name.
  public init(
    place: String, exists: @escaping @Sendable (String) -> Bool,
    contents: @escaping @Sendable (String) throws(TokenizerError) -> [UInt8]?
  ) {
    self.place = place
    self.exists = exists
    self.contents = contents
  }

  /// Whether there is one of these files.
  public func hasAny(of names: [String]) -> Bool { names.contains(where: exists) }

  /// The bytes of a file; nil where there is none of this name.
  func read(_ name: String) throws(TokenizerError) -> [UInt8]? {
    let bytes = try contents(name)
    if let bytes, bytes.starts(with: Self.pointerStart) {
      throw .unreadable(
        file: path(name),
        reason: "is a Git LFS pointer: the file itself was not fetched. Run `git lfs pull` in its "
          + "folder, or fetch the model with `bitbudget pull`")
    }
    return bytes
  }

  /// What Git LFS leaves in place of a file.
  private static let pointerStart = Array("version https://git-lfs.github.com/spec/".utf8)

  /// A JSON document; nil where there is none of this name.
  func readJSON(_ name: String) throws(TokenizerError) -> ConfigNode? {
    guard let bytes = try read(name) else { return nil }
    let file = path(name)
    return ConfigNode(
      value: try JSONValue(
        parsing: bytes, file: file, dialect: .python, failure: TokenizerError.self),
      file: file, key: "")
  }

  /// The path of a file, as errors show it.
  func path(_ name: String) -> String { place + "/" + name }
}
