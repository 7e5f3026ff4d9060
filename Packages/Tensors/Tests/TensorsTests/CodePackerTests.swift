import Tensors
import Testing

@Suite struct CodePackerTests {
  /// Codes of a row in words, lowest bits first.
  private static func words(_ codes: ArraySlice<UInt8>, bits: Int) -> [UInt32] {
    let each = 32 / bits
    return stride(from: codes.startIndex, to: codes.endIndex, by: each).map { first in
      (first..<min(first + each, codes.endIndex)).reduce(UInt32(0)) {
        $0 | UInt32(codes[$1]) << UInt32(bits * ($1 - first))
      }
    }
  }

  private static func matrix(
    bits: Int, rows: Int, inputs: Int, group: Int
  ) throws -> QuantizedMatrix {
    var state = UInt64(rows * inputs + bits)
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    let groups = (inputs + group - 1) / group
    return try QuantizedMatrix(
      bits: bits, outFeatures: rows, inFeatures: inputs, groupSize: group,
      codes: (0..<rows * inputs).map { _ in UInt8(next() % (1 << UInt64(bits))) },
      scales: (0..<rows * groups).map { _ in Float(next() % 1000) / 1000 + 0.01 })
  }

  @Test(arguments: [8, 4], [(16, 64), (37, 96), (5, 100), (64, 1032)])
  func wordsArePackedAsTheirCodesAre(bits: Int, size: (rows: Int, inputs: Int)) throws {
    let (rows, inputs) = size
    let matrix = try Self.matrix(bits: bits, rows: rows, inputs: inputs, group: 32)
    let expected = try GroupQuantizedWeights(matrix)
    #expect(expected.dequantized() == matrix.dequantized())
    let byRow = (0..<rows).map {
      Self.words(matrix.codes[$0 * inputs..<($0 + 1) * inputs], bits: bits)
    }

    let packer = try CodePacker(matrix.grid)
    #expect(packer.takesWords)
    for first in stride(from: 0, to: rows, by: 32).reversed() {
      let part = first..<min(first + 32, rows)
      Array(byRow[part].joined()).withUnsafeBytes { packer.put(part, words: $0) }
    }
    #expect(packer.weights.dequantized() == matrix.dequantized())

    let columns = try CodePacker(matrix.grid)
    let width = byRow[0].count
    guard inputs * bits % 32 == 0 else { return }
    for first in stride(from: 0, to: width, by: 3).reversed() {
      let part = first..<min(first + 3, width)
      let words = part.flatMap { word in byRow.map { $0[word] } }
      words.withUnsafeBytes { columns.put(words: part, columns: $0) }
    }
    #expect(columns.weights.dequantized() == matrix.dequantized())
  }

  @Test(arguments: [2, 3, 4, 8], [DType?.none, .f32])
  func codesArePackedInPieces(bits: Int, scaleType: DType?) throws {
    let matrix = try Self.matrix(bits: bits, rows: 53, inputs: 72, group: 24)
    let packer = try CodePacker(matrix.grid, scaleType: scaleType)
    for first in stride(from: 0, to: 53, by: 16) {
      let part = first..<min(first + 16, 53)
      Array(matrix.codes[first * 72..<part.upperBound * 72]).withUnsafeBufferPointer {
        packer.put(part, codes: $0)
      }
    }
    #expect(packer.weights.dequantized() == matrix.dequantized())
  }
}
