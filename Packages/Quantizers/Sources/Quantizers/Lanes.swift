/// The same input's weight in 16 consecutive rows of a matrix; all quantizers work on 16 rows at a
/// time.
typealias Lanes = SIMD16<Float>

extension Lanes {
  /// Rows that are worked on together.
  static var width: Int { scalarCount }

  /// The lanes at `pointer`, which need no alignment.
  @inline(__always)
  init(at pointer: UnsafePointer<Float>) {
    self = UnsafeRawPointer(pointer).loadUnaligned(as: Lanes.self)
  }

  /// Writes the lanes at `pointer`, which needs no alignment.
  @inline(__always)
  func store(at pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: Lanes.self)
  }

  // The standard library's pointwiseMin, pointwiseMax and clamped take every lane by itself, at a
  // fiftieth of the speed of these.

  /// Lane by lane the larger of the two.
  @inline(__always)
  func atLeast(_ bound: Lanes) -> Lanes { replacing(with: bound, where: bound .> self) }

  /// Lane by lane the smaller of the two.
  @inline(__always)
  func atMost(_ bound: Lanes) -> Lanes { replacing(with: bound, where: bound .< self) }

  /// Lane by lane the absolute value.
  @inline(__always)
  var magnitudes: Lanes { replacing(with: -self, where: self .< 0) }

  /// Rounds to the nearest integer, halves to even; for values below 2^22.
  @inline(__always)
  func roundedToEven() -> Lanes {
    // Adding 1.5 * 2^23 leaves no bits for a fraction. Vectors have no rounding instruction on
    // plain x86-64.
    (self + 12_582_912) - 12_582_912
  }

  /// Integers from 0 to 255 as bytes; the low byte of anything else.
  @inline(__always)
  func bytes() -> SIMD16<UInt8> {
    let bits = unsafeBitCast(self + 12_582_912, to: SIMD16<UInt32>.self)
    return SIMD16<UInt8>(truncatingIfNeeded: bits)
  }
}
