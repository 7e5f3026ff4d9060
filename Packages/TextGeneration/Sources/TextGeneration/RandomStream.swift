/// Random numbers that are a function of where they are used: (seed, sample, position) -> number.
///
/// Nothing is carried from one draw to the next, so a sample's text depends neither on the batch it
/// runs in nor on the order in which samples are computed. The generator is Philox 4x32 with 10
/// rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
public struct RandomStream: Sendable, Hashable, Codable {
  /// The seed of the whole run.
  public let seed: UInt64
  /// Which of the run's samples this is.
  public let sample: UInt64

  /// The stream of one sample.
  public init(seed: UInt64, sample: UInt64) {
    self.seed = seed
    self.sample = sample
  }

  /// A number in [0, 1) with 53 random bits.
  public func uniform(at position: Int) -> Double {
    let block = Self.philox(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32),
        UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: sample >> 32)),
      key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
    let bits = UInt64(block[0]) << 32 | UInt64(block[1])
    return Double(bits >> 11) * 0x1p-53
  }

  /// The Philox 4x32-10 bijection.
  static func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (c, k) = (counter, key)
    for _ in 0..<10 {
      let first = UInt64(0xD251_1F53) * UInt64(c[0])
      let second = UInt64(0xCD9E_8D57) * UInt64(c[2])
      c = SIMD4(
        UInt32(second >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: second),
        UInt32(first >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: first))
      k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return c
  }
}
