import Foundation

/// ln of a sum of exponentials over many floats, sixteen at a time in one fixed order: the same
/// bits on every instruction set.
enum LogSumExp {
  /// The largest of `values`; -infinity for none. A NaN among them may hide others.
  static func largest(of values: UnsafeBufferPointer<Float>) -> Float {
    var most = SIMD16<Float>(repeating: -.infinity)
    let whole = values.count / 16 * 16
    for start in stride(from: 0, to: whole, by: 16) {
      let lane = vector(values, start)
      most.replace(with: lane, where: lane .> most)
    }
    return values[whole...].reduce(most.max()) { max($0, $1) }
  }

  /// ln of the sum of exp(x) over `values`, whose largest is known; not finite where one of them is
  /// not.
  ///
  /// exp is that of 2^n 2^f with a polynomial for 2^f, off by less than 3e-7 of its value.
  static func of(_ values: UnsafeBufferPointer<Float>, largest: Float) -> Double {
    guard largest.isFinite else { return .nan }
    var (low, high) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
    let whole = values.count / 16 * 16
    for start in stride(from: 0, to: whole, by: 16) {
      let powers = exponentials(vector(values, start) - largest)
      low += SIMD8<Double>(powers.lowHalf)
      high += SIMD8<Double>(powers.highHalf)
    }
    var sum = (low + high).sum()
    for value in values[whole...] {
      sum += Double(exponentials(SIMD16(repeating: value - largest))[0])
    }
    return Double(largest) + log(sum)
  }

  private static func vector(
    _ values: UnsafeBufferPointer<Float>, _ start: Int
  ) -> SIMD16<Float> {
    UnsafeRawPointer(values.baseAddress.unsafelyUnwrapped + start)
      .loadUnaligned(as: SIMD16<Float>.self)
  }

  /// exp(x) of numbers that are 0 or less; 0 below -87, NaN for NaN.
  private static func exponentials(_ x: SIMD16<Float>) -> SIMD16<Float> {
    let scaled = x * Float(1.442695040888963)
    // Beside so large a number nothing is left behind the point, and the bits of the sum end in
    // those of the whole number: instructions that every processor has for vectors.
    let shifted = scaled + Self.whole
    let whole = shifted - Self.whole
    // ln 2 in two parts, so that the rest is exact to its last bits.
    let rest = x - whole * Float(0.693359375) + whole * Float(2.12194440e-4)
    var power = SIMD16<Float>(repeating: 1.9875691500e-4)
    power = power * rest + Float(1.3981999507e-3)
    power = power * rest + Float(8.3334519073e-3)
    power = power * rest + Float(4.1665795894e-2)
    power = power * rest + Float(1.6666665459e-1)
    power = power * rest + Float(5.0000001201e-1)
    power = power * rest * rest + rest + 1
    let bits = unsafeBitCast(shifted, to: SIMD16<Int32>.self) &+ 127
    let scale = unsafeBitCast(bits &<< 23, to: SIMD16<Float>.self)
    return (power * scale).replacing(with: 0, where: x .< -87)
  }

  /// 1.5 times 2^23.
  private static let whole: Float = 12_582_912
}
