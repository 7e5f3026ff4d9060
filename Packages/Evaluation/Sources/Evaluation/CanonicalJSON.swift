import Crypto
import Foundation
import JSON

/// The one JSON text of a value: keys sorted, no blanks, slashes as they are.
enum CanonicalJSON {
  /// The text's UTF-8 bytes; nil for numbers that JSON cannot hold (infinities, NaN).
  static func encode(_ value: some Encodable) -> Data? { try? encoder.encode(value) }

  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }

  /// SHA-256 of the text, in hexadecimal.
  ///
  /// Numbers that JSON cannot hold are written as text; the settings in this library refuse them.
  static func digest(of value: some Encodable) -> String {
    let encoder = encoder
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let bytes = (try? encoder.encode(value)) ?? Data()
    return hexadecimalDigest(of: bytes)
  }

  /// SHA-256 of some bytes, in hexadecimal.
  static func hexadecimalDigest(of bytes: some DataProtocol) -> String {
    SHA256.hash(data: bytes).hexadecimal
  }
}
