import Foundation

/// The one rule for texts from outside: they are UTF-8, and a byte-order mark in front of them is
/// no part of them.
public enum TextFile {
  /// The text of a regular file of limited size.
  ///
  /// - Throws: `FileError`; bytes that are no UTF-8 are refused with their place.
  public static func contents(of path: String, atMost limit: Int) throws(FileError) -> String {
    try text(RegularFile.contents(of: path, atMost: limit), of: path)
  }

  /// Bytes as text, without a byte-order mark.
  ///
  /// - Throws: `FileError` naming `path` and the first byte that is no UTF-8.
  public static func text(
    _ bytes: some Collection<UInt8>, of path: String
  ) throws(FileError) -> String {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let body = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
    if let text = String(validating: body, as: UTF8.self) { return text }
    let offset = (firstInvalid(in: bytes) ?? 0)
    throw FileError(
      path: path, action: "reading", reason: "the byte at offset \(offset) is no UTF-8")
  }

  /// Where UTF-8 ends in `bytes`, counted from 0; nil where it does not.
  static func firstInvalid(in bytes: some Collection<UInt8>) -> Int? {
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var offset = 0
    while true {
      switch parser.parseScalar(from: &iterator) {
      case .valid(let scalar): offset += scalar.count
      case .emptyInput: return nil
      case .error: return offset
      }
    }
  }
}
