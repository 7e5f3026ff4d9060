import JSON

/// Unicode normalization form C over UTF-8 (Unicode Standard Annex #15), in linear time for real
/// text and O(n log n) for a run of n combining marks.
enum CanonicalComposition {
  /// The composed text, or nil when `text` (valid UTF-8) already is in form C.
  static func compose(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard !isPlain(text) else { return nil }
    let data = CanonicalData.shared
    var result: [UInt8] = []
    var copied = 0
    var starter = 0
    var position = 0
    while position < text.count {
      var (scalar, length) = UTF8Text.scalar(text, at: position)
      guard data.isUnsettled(scalar) else {
        starter = position
        position += length
        continue
      }
      // A starter and all that may combine with it or change by itself.
      var run: [UInt32] = []
      if starter < position { run.append(UTF8Text.scalar(text, at: starter).scalar) }
      repeat {
        run.append(scalar)
        position += length
        if position < text.count { (scalar, length) = UTF8Text.scalar(text, at: position) }
      } while position < text.count && data.isUnsettled(scalar)
      result.append(contentsOf: text[copied..<starter])
      for scalar in data.composed(run) {
        if let scalar = Unicode.Scalar(scalar), let bytes = UTF8.encode(scalar) {
          result.append(contentsOf: bytes)
        }
      }
      copied = position
      starter = position
    }
    guard copied > 0 else { return nil }
    result.append(contentsOf: text[copied...])
    return result
  }

  /// Whether all scalars are of the common scripts that form C leaves alone; no tables needed.
  private static func isPlain(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let raw = UnsafeRawBufferPointer(text)
    var position = 0
    while position < text.count {
      if position + 8 <= text.count,
        raw.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
      {
        position += 8
        continue
      }
      let (scalar, length) = UTF8Text.scalar(text, at: position)
      switch scalar {
      case 0..<0x300: break  // ASCII, Latin
      case 0x400..<0x483, 0x48A..<0x530: break  // Cyrillic
      case 0x2010..<0x2070: break  // dashes, quotes, bullets
      case 0x3003..<0x3020, 0x3041..<0x3099, 0x30A0..<0x3100: break  // kana
      case 0x4E00..<0xA000, 0xAC00..<0xD7A4: break  // Han, Hangul syllables
      case 0xFF00..<0xFFF0, 0x1F300..<0x1FB00: break  // full-width forms, emoji
      default: return false
      }
      position += length
    }
    return true
  }
}
