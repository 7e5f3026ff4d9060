import Testing

@testable import ModelLoader

@Suite("Frames that hold their content as it is")
struct StoredFrameTests {
  @Test(arguments: [1, 1000, 128 << 10, 128 << 10 + 1, 300_000])
  func theyAreCopiedAndDecodedAlike(count: Int) throws {
    let content = (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 9) }
    var frame = content.withUnsafeBytes(StoredFrame.encoded)
    #expect(copied(frame, count) == content)
    let decoder = try ZstdDecoder()
    let input = decoder.input(frame.count)
    input.copyBytes(from: frame)
    let output = decoder.output(count)
    #expect(decoder.stream(input, into: output) == nil)
    #expect(Array(output) == content)
    for start in [1, count / 2, count - 1] where start > 0 {
      let beginning = decoder.joined(start)
      #expect(decoder.decompressStart(input, of: count, into: beginning) == nil)
      #expect(Array(beginning) == Array(content[..<start]))
    }
    // A frame of other blocks, or of another size, is zstd's to read.
    #expect(copied(frame, count + 1) == nil && copied(frame.dropLast(), count) == nil)
    for place in [0, 4, 5, 9, 11] {
      frame[place] ^= 1
      #expect(copied(frame, count) == nil)
      frame[place] ^= 1
    }
  }

  private func copied(_ frame: [UInt8], _ count: Int) -> [UInt8]? {
    var content = [UInt8](repeating: 0, count: count)
    let isCopied = content.withUnsafeMutableBytes { target in
      frame.withUnsafeBytes { StoredFrame.copy($0, of: count, into: target) }
    }
    return isCopied ? content : nil
  }
}
