import Foundation
import Kernels

/// Attention with linear biases (arXiv:2108.12409).
enum ALiBi {
  /// The slope of each of `heads` heads, in BF16: a geometric sequence for the largest power of two
  /// among their number, and every second term of the next finer one for the heads beyond it.
  static func slopes(_ heads: Int) -> [Float] {
    var powerOfTwo = 1
    while powerOfTwo * 2 <= heads { powerOfTwo *= 2 }
    func sequence(_ count: Int, _ exponents: some Sequence<Int>) -> [Float] {
      // The base is rounded to F32 first, as the reference implementation has it.
      let base = Float(pow(2, -pow(2, -(log2(Double(count)) - 3))))
      return exponents.map { pow(base, Float($0)) }
    }
    let first = sequence(powerOfTwo, 1...powerOfTwo)
    let rest = heads - powerOfTwo
    let all = first + sequence(2 * powerOfTwo, stride(from: 1, to: 1 + 2 * rest, by: 2))
    return all.map(inBF16)
  }

  /// The nearest number that BF16 holds.
  private static func inBF16(_ value: Float) -> Float {
    var (narrow, wide): (UInt16, Float) = (0, 0)
    bb_kernels().pointee.narrow([value], BB_BF16, &narrow, 1)
    bb_kernels().pointee.widen(&narrow, BB_BF16, &wide, 1)
    return wide
  }
}
