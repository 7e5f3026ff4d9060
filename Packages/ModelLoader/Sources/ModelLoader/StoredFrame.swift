/// A zstd frame that holds its content as it is, in raw blocks, for what would hardly shrink.
///
/// Source: RFC 8878, 3.1.1: a single segment with a checksum.
enum StoredFrame {
  private static let magic: UInt64 = 0xFD2F_B528
  private static let descriptor: UInt64 = 0b1010_0100
  private static let blockLimit = 128 << 10

  /// The frame of some content.
  static func encoded(_ content: UnsafeRawBufferPointer) -> [UInt8] {
    var frame = header(content.count)
    frame.reserveCapacity(size(of: content.count))
    for start in stride(from: 0, to: content.count, by: blockLimit) {
      let end = min(start + blockLimit, content.count)
      frame.append(contentsOf: blockHeader(start..<end, of: content.count))
      frame.append(contentsOf: UnsafeRawBufferPointer(rebasing: content[start..<end]))
    }
    frame.append(XXH64.hash(content) & 0xFFFF_FFFF, size: 4)
    return frame
  }

  /// Copies the beginning of the content, as much as `target` takes, where `frame` is laid out as
  /// `encoded` lays out `count` bytes, and tells whether it did. The checksum at its end is not
  /// compared: whoever has found the hash of the whole frame right knows more.
  static func copy(
    _ frame: UnsafeRawBufferPointer, of count: Int, into target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    let header = header(count)
    guard target.count <= count, frame.count == size(of: count), frame.starts(with: header) else {
      return false
    }
    var place = header.count
    for start in stride(from: 0, to: target.count, by: blockLimit) {
      let block = start..<min(start + blockLimit, count)
      let expected = blockHeader(block, of: count)
      guard frame[place..<place + expected.count].elementsEqual(expected) else { return false }
      place += expected.count
      let part = block.clamped(to: 0..<target.count)
      UnsafeMutableRawBufferPointer(rebasing: target[part]).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: frame[place..<place + part.count]))
      place += block.count
    }
    return true
  }

  private static func size(of count: Int) -> Int {
    header(count).count + count + 3 * ((count + blockLimit - 1) / blockLimit) + 4
  }

  private static func header(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(magic, size: 4)
    bytes.append(descriptor, size: 1)
    bytes.append(UInt64(count), size: 4)
    return bytes
  }

  private static func blockHeader(_ block: Range<Int>, of count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append((block.upperBound == count ? 1 : 0) | UInt64(block.count) << 3, size: 3)
    return bytes
  }
}
