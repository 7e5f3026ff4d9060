import Tensors

/// Rounds rows of weights to the K types of GGUF files: super-blocks of 256 weights, whose groups
/// have small integers for scales (and minima) and share one or two F16 factors.
///
/// Scales, minima and factors are searched for the least squared error, in which a weight counts as
/// much as the root mean square of its group and its own size together. No calibration is used, and
/// codes of another quantizer cannot be kept: a group's scale is one of 64 or 256 parts of its
/// super-block's.
///
/// Layouts: ggml-org/ggml, src/ggml-common.h (`block_q4_K`, `block_q5_K`, `block_q6_K`).
public struct KBlockQuantizer: Sendable {
  /// What is written.
  public let type: BlockType
  private let form: Form

  private enum Form: Sendable { case offsets(bits: Int), signed, plainBytes }

  /// Q4_K, Q5_K and Q6_K, and Q8_0 for rows that are no whole super-blocks; nil for other types.
  public init?(type: BlockType) {
    switch type.name {
    case "Q4_K": form = .offsets(bits: 4)
    case "Q5_K": form = .offsets(bits: 5)
    case "Q6_K": form = .signed
    case "Q8_0": form = .plainBytes
    default: return nil
    }
    self.type = type
  }

  /// The blocks of weights.
  ///
  /// - Parameters:
  ///   - weights: finite, whole blocks of them.
  ///   - target: room for the blocks.
  /// - Returns: the squared error, and the sum of the squares of the weights; nil where a weight is
  ///   beyond what F16 holds.
  public func quantize(
    _ weights: UnsafeBufferPointer<Float>, into target: UnsafeMutableRawBufferPointer
  ) -> (error: Double, squares: Double)? {
    guard weights.allSatisfy({ abs($0) <= Float(Float16.greatestFiniteMagnitude) }) else {
      return nil
    }
    let blocks = weights.count / type.elements
    // Sixteen groups at a time: one super-block of Q6_K, two of the others.
    let together = if case .offsets = form { 2 } else { 1 }
    for first in stride(from: 0, to: blocks, by: together) {
      let part = first..<min(first + together, blocks)
      let values = UnsafeBufferPointer(
        rebasing: weights[part.lowerBound * type.elements..<part.upperBound * type.elements])
      let bytes = UnsafeMutableRawBufferPointer(
        rebasing: target[part.lowerBound * type.bytes..<part.upperBound * type.bytes])
      switch form {
      case .offsets(let bits):
        OffsetGroups(values, largestCode: (1 << bits) - 1).write(bits: bits, into: bytes)
      case .signed: SignedGroups(values).write(into: bytes)
      case .plainBytes: Self.writePlainBytes(values, into: bytes)
      }
    }
    return error(of: weights, as: UnsafeRawBufferPointer(target))
  }

  /// 32 codes of 8 bits behind their scale.
  private static func writePlainBytes(
    _ values: UnsafeBufferPointer<Float>, into block: UnsafeMutableRawBufferPointer
  ) {
    let scale = (values.map(abs).max() ?? 0) / 127
    let inverse = scale > 0 ? 1 / scale : 0
    block.storeHalf(scale, at: 0)
    for (index, value) in values.enumerated() {
      block[2 + index] = UInt8(bitPattern: Int8((value * inverse).rounded()))
    }
  }

  private func error(
    of weights: UnsafeBufferPointer<Float>, as blocks: UnsafeRawBufferPointer
  ) -> (error: Double, squares: Double) {
    var (error, squares) = (0.0, 0.0)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: weights.count) { rounded in
      guard let start = rounded.baseAddress else { return }
      type.decode(blocks, into: start)
      for (value, other) in zip(weights, rounded) {
        error += Double((value - other) * (value - other))
        squares += Double(value * value)
      }
    }
    return (error, squares)
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Writes a number as F16, little-endian.
  func storeHalf(_ value: Float, at offset: Int) {
    storeBytes(
      of: Float16(value).bitPattern.littleEndian, toByteOffset: offset, as: UInt16.self)
  }
}

extension Float {
  /// The number as F16 holds it.
  var asHalf: Float { Float(Float16(self)) }
}
