import Foundation

/// The random numbers of Python's `random.Random(seed)`: the Mersenne Twister MT19937 (Matsumoto
/// and Nishimura, 1998), seeded from an array of words. With them examples are drawn as harnesses
/// written in Python draw them.
struct PythonRandom {
  private var state = [UInt32](repeating: 0, count: 624)
  private var position = 624

  /// The generator of a seed.
  init(seed: UInt32) {
    seedWords(19_650_218)
    var index = 1
    for _ in 0..<624 {
      let last = state[index - 1]
      state[index] = (state[index] ^ ((last ^ (last >> 30)) &* 1_664_525)) &+ seed
      index = next(index)
    }
    for _ in 0..<623 {
      let last = state[index - 1]
      state[index] = (state[index] ^ ((last ^ (last >> 30)) &* 1_566_083_941)) &- UInt32(index)
      index = next(index)
    }
    state[0] = 0x8000_0000
  }

  /// `sample(range(count), wanted)`: distinct numbers below `count` in the order drawn; `wanted` is
  /// at most `count`.
  mutating func sample(_ wanted: Int, below count: Int) -> [Int] {
    // Small populations are drawn from a pool, others by rejection.
    let cost = wanted > 5 ? Int(pow(4, ceil(log(Double(wanted * 3)) / log(4)))) : 0
    if count <= 21 + cost {
      var pool = Array(0..<count)
      return (0..<wanted).map { done in
        let place = number(below: count - done)
        let drawn = pool[place]
        pool[place] = pool[count - done - 1]
        return drawn
      }
    }
    var seen: Set<Int> = []
    return (0..<wanted).map { _ in
      while true {
        let drawn = number(below: count)
        if seen.insert(drawn).inserted { return drawn }
      }
    }
  }

  /// `shuffle`: the order in which a list of `count` elements then stands.
  mutating func shuffle(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, number(below: last + 1))
    }
    return order
  }

  /// A number below `bound`, which is 1 to 2^32 - 1.
  mutating func number(below bound: Int) -> Int {
    let bits = UInt32.bitWidth - UInt32(bound).leadingZeroBitCount
    while true {
      let drawn = Int(word() >> UInt32(32 - bits))
      if drawn < bound { return drawn }
    }
  }

  private mutating func word() -> UInt32 {
    if position == 624 { twist() }
    var mixed = state[position]
    position += 1
    mixed ^= mixed >> 11
    mixed ^= (mixed << 7) & 0x9d2c_5680
    mixed ^= (mixed << 15) & 0xefc6_0000
    return mixed ^ (mixed >> 18)
  }

  private mutating func twist() {
    for index in 0..<624 {
      let joined = (state[index] & 0x8000_0000) | (state[(index + 1) % 624] & 0x7fff_ffff)
      state[index] =
        state[(index + 397) % 624] ^ (joined >> 1) ^ (joined & 1 == 0 ? 0 : 0x9908_b0df)
    }
    position = 0
  }

  private mutating func seedWords(_ seed: UInt32) {
    state[0] = seed
    for index in 1..<624 {
      let last = state[index - 1]
      state[index] = 1_812_433_253 &* (last ^ (last >> 30)) &+ UInt32(index)
    }
  }

  private mutating func next(_ index: Int) -> Int {
    guard index == 623 else { return index + 1 }
    state[0] = state[623]
    return 1
  }
}
