import Crypto

/// Randomness that depends on nothing but the run's seed, the item and the sample.
///
/// The order in which samples are computed, batches, shards and a resumed run change nothing.
enum SampleSeed {
  /// The seed of one sample's generation, or of something else drawn for it.
  ///
  /// - Parameters:
  ///   - run: The seed of the whole run.
  ///   - item: The identifier of the item.
  ///   - sample: The number of the sample, from 0.
  ///   - purpose: What is drawn, so that two draws for one sample are independent.
  /// - Returns: 64 bits of a digest of all of these.
  static func derive(run: UInt64, item: String, sample: Int, purpose: String) -> UInt64 {
    let digest = SHA256.hash(data: Array("\(purpose)\n\(run)\n\(sample)\n\(item)".utf8))
    return digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// A random order of the numbers 0 to count - 1 (Fisher and Yates; Knuth, volume 2, 3.4.2 P).
  static func permutation(of count: Int, seed: UInt64) -> [Int] {
    var order = Array(0..<count)
    var generator = SplitMix64(state: seed)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, generator.next(below: last + 1))
    }
    return order
  }
}

/// The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
struct SplitMix64 {
  /// Where the sequence stands.
  var state: UInt64

  /// The next 64 random bits.
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 up to, not including, a positive bound; the bias is below bound / 2^64.
  mutating func next(below bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number in [0, 1).
  mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
