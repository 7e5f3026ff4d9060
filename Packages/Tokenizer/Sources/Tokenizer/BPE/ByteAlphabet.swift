import JSON

/// The printable alphabet in which byte-level vocabularies write bytes (GPT-2's
/// `bytes_to_unicode`).
///
/// Bytes 0x21-0x7E, 0xA1-0xAC and 0xAE-0xFF stand for themselves; the other 68, in increasing
/// order, are written as U+0100, U+0101, ... So a space is "Ġ" (U+0120).
enum ByteAlphabet {
  /// The scalar value that stands for each byte.
  static let scalars: [UInt32] = {
    var next: UInt32 = 0x100
    return (UInt32(0)..<256).map { byte in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return byte
      default:
        defer { next += 1 }
        return next
      }
    }
  }()

  /// One past the highest scalar value of the alphabet.
  static let end: UInt32 = 0x144

  /// The byte each scalar value below ``end`` stands for, or -1.
  private static let bytes: [Int16] = {
    var bytes = [Int16](repeating: -1, count: Int(end))
    for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = Int16(byte) }
    return bytes
  }()

  /// The byte that `scalar` stands for; nil outside the alphabet.
  @inline(__always)
  static func byte(_ scalar: UInt32) -> UInt8? {
    guard scalar < end else { return nil }
    let byte = bytes[Int(scalar)]
    return byte < 0 ? nil : UInt8(truncatingIfNeeded: byte)
  }

  /// Appends the UTF-8 of `bytes` written in the alphabet.
  static func write(_ bytes: UnsafeBufferPointer<UInt8>, to text: inout [UInt8]) {
    for byte in bytes {
      let scalar = scalars[Int(byte)]
      if scalar < 0x80 {
        text.append(UInt8(truncatingIfNeeded: scalar))
      } else {
        text.append(0xC0 | UInt8(truncatingIfNeeded: scalar >> 6))
        text.append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
      }
    }
  }

  /// Appends the bytes that `text` (valid UTF-8) stands for; when a scalar is outside the
  /// alphabet, appends the text unchanged instead.
  static func read(_ text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
    let mark = bytes.count
    var position = 0
    while position < text.count {
      let (scalar, length) = UTF8Text.scalar(text, at: position)
      guard let byte = byte(scalar) else {
        bytes.removeLast(bytes.count - mark)
        bytes.append(contentsOf: text)
        return
      }
      bytes.append(byte)
      position += length
    }
  }
}
