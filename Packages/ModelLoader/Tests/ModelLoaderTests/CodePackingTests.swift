import Tensors
import Testing

@testable import ModelLoader

@Suite("Packing of codes")
struct CodePackingTests {
  /// Codes bit by bit: the definition, slowly.
  private func reference(_ codes: [UInt8], bits: Int) -> [UInt32] {
    var words = [UInt32](repeating: 0, count: (codes.count * bits + 31) / 32)
    for (position, code) in codes.enumerated() {
      for bit in 0..<bits where code >> bit & 1 == 1 {
        let place = position * bits + bit
        words[place / 32] |= 1 << (place % 32)
      }
    }
    return words
  }

  private func codes(_ count: Int, bits: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 7) & UInt8(1 << bits - 1) }
  }

  @Test("a row of codes is a dense stream", arguments: CodePacking.widths, [0, 1, 31, 32, 33, 100])
  func rows(bits: Int, count: Int) throws {
    let packing = CodePacking(bits: bits)
    let codes = codes(count, bits: bits)
    let expected = reference(codes, bits: bits)
    #expect(packing.words(for: count) == expected.count)
    var words = [UInt32](repeating: .max, count: expected.count)
    words.withUnsafeMutableBufferPointer { target in
      codes.withUnsafeBufferPointer { packing.pack($0, into: target) }
    }
    #expect(words == expected)
    var back = [UInt8](repeating: 0xFF, count: count)
    back.withUnsafeMutableBufferPointer { target in
      words.withUnsafeBufferPointer { packing.unpack($0, into: target) }
    }
    #expect(back == codes)
  }

  @Test(
    "matrices by rows and by columns", arguments: CodePacking.widths, [(1, 32), (17, 64), (40, 33)])
  func matrices(bits: Int, size: (Int, Int)) throws {
    let (rows, columns) = size
    let codes = codes(rows * columns, bits: bits)
    let streams = (0..<rows).map {
      reference(Array(codes[$0 * columns..<($0 + 1) * columns]), bits: bits)
    }
    let packing = CodePacking(bits: bits)
    let byRows = try aligned(streams.flatMap { $0 })
    let byColumns = try aligned(
      transposed(streams.flatMap { $0 }, rows: rows, columns: streams[0].count))
    for workers in [1, 2] {
      #expect(
        try packing.unpackRows(byRows, rows: rows, columns: columns, workers: workers) == codes)
      #expect(
        try packing.unpackColumns(byColumns, rows: rows, columns: columns, workers: workers)
          == codes)
    }
  }

  private func aligned(_ words: [UInt32]) throws -> AlignedBytes {
    let bytes = try AlignedBytes(count: words.count * 4)
    bytes.withMutableBytes { target in words.withUnsafeBytes { target.copyMemory(from: $0) } }
    return bytes
  }

  @Test func overflowingCountsHaveNoSize() {
    #expect(CodePacking(bits: 8).words(for: .max / 2) == nil)
  }
}
