import Tensors
import Testing

@testable import Quantizers

struct KBlockQuantizerTests {
  static let types: [UInt32] = [12, 13, 14]

  private func quantizer(_ id: UInt32) throws -> KBlockQuantizer {
    let type = try #require(BlockType(id: id))
    return try #require(KBlockQuantizer(type: type))
  }

  /// The bytes of blocks of these weights, and what they stand for.
  private func rounded(
    _ weights: [Float], _ id: UInt32
  ) throws -> (values: [Float], error: Double, squares: Double) {
    let quantizer = try quantizer(id)
    var bytes = [UInt8](
      repeating: 0xee, count: weights.count / quantizer.type.elements * quantizer.type.bytes)
    let sums = weights.withUnsafeBufferPointer { weights in
      bytes.withUnsafeMutableBytes { quantizer.quantize(weights, into: $0) }
    }
    let (error, squares) = try #require(sums)
    var values = [Float](repeating: .nan, count: weights.count)
    bytes.withUnsafeBytes { quantizer.type.decode($0, into: &values) }
    return (values, error, squares)
  }

  /// Sums of six numbers of noise each, which are nearly normal.
  private func normal(_ count: Int, seed: UInt64) -> [Float] {
    let noise = noise(6 * count, seed: seed)
    return (0..<count).map { noise[6 * $0..<6 * $0 + 6].reduce(0, +) }
  }

  /// The reference's root mean square error over the same weights (ggml_quantize_chunk, rows of 256)
  /// is 6.96, 3.49 and 1.70 % of theirs; the last block of an odd number goes another way through the
  /// lanes.
  @Test(arguments: types, [1, 2, 5])
  func errorsAreSmall(id: UInt32, blocks: Int) throws {
    let limits: [UInt32: Double] = [12: 0.0696, 13: 0.0349, 14: 0.0171]
    let most = try #require(limits[id])
    let weights = normal(20 * blocks * 256, seed: 7)
    let (values, error, squares) = try rounded(weights, id)
    let found = zip(weights, values).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    #expect(abs(found - error) <= 1e-6 * error)
    #expect((error / squares).squareRoot() < most)
    let odd = try rounded(Array(weights[..<(weights.count - 256)]), id)
    #expect((odd.error / odd.squares).squareRoot() < 1.02 * most)
  }

  /// A block that stands behind another is rounded as one that stands alone.
  @Test(arguments: types)
  func blocksDoNotDependOnEachOther(id: UInt32) throws {
    let weights = normal(3 * 256, seed: 5)
    let together = try rounded(weights, id).values
    for block in 0..<3 {
      let part = block * 256..<(block + 1) * 256
      #expect(try rounded(Array(weights[part]), id).values == Array(together[part]))
    }
  }

  @Test(arguments: types)
  func unusualBlocksStayFinite(id: UInt32) throws {
    let zeros = [Float](repeating: 0, count: 256)
    #expect(try rounded(zeros, id).values == zeros)
    var single = zeros
    single[77] = -3
    let alone = try rounded(single, id).values
    #expect(abs(alone[77] + 3) < 0.02 && alone.filter { abs($0) < 0.002 }.count == 255)
    for value: Float in [1, -1, 0.01, -4096, 60000] {
      let same = try rounded([Float](repeating: value, count: 256), id).values
      #expect(same.allSatisfy { abs($0 / value - 1) < 0.02 })
    }
    let tiny = try rounded(noise(256, seed: 3).map { $0 * 1e-38 }, id).values
    #expect(tiny.allSatisfy { $0.isFinite && abs($0) < 1e-6 })
    let mixed = noise(256, seed: 4).enumerated().map { $0 % 9 == 0 ? $1 * 60000 : $1 * 1e-30 }
    #expect(try rounded(mixed, id).values.allSatisfy(\.isFinite))
  }

  @Test func weightsBeyondTheScalesAreRefused() throws {
    let quantizer = try quantizer(12)
    var weights = noise(512, seed: 1)
    weights[300] = 70000
    var bytes = [UInt8](repeating: 0, count: 288)
    let sums = weights.withUnsafeBufferPointer { weights in
      bytes.withUnsafeMutableBytes { quantizer.quantize(weights, into: $0) }
    }
    #expect(sums == nil)
    let other = try #require(BlockType(id: 10))
    #expect(KBlockQuantizer(type: other) == nil)
  }

  /// What blocks stand for is found again.
  @Test(arguments: types)
  func valuesOfBlocksComeBack(id: UInt32) throws {
    let once = try rounded(normal(1024, seed: 21), id).values
    let (twice, error, squares) = try rounded(once, id)
    #expect(
      (error / squares).squareRoot() < 0.01, "\(zip(once, twice).map { $0 - $1 }.max() ?? 0)")
  }

  /// A code errs by half a step, and by what F16 rounds of the scale.
  @Test func shortRowsBecomeBytes() throws {
    let weights = noise(96, seed: 9)
    let (values, _, _) = try rounded(weights, 8)
    for block in 0..<3 {
      let part = block * 32..<(block + 1) * 32
      let scale = (weights[part].map(abs).max() ?? 0) / 127
      #expect(part.allSatisfy { abs(values[$0] - weights[$0]) <= (0.5 + 127.0 / 2048) * scale })
    }
  }
}
