import Foundation

/// Attention with linear biases (arXiv:2108.12409).
enum ALiBi {
  /// The slope of each of `heads` heads: a geometric sequence for the largest power of two among their number, and every
  /// second term of the next finer one for the heads beyond it.
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
    return first
      + sequence(2 * powerOfTwo, stride(from: 1, to: 1 + 2 * rest, by: 2))
  }
}
