/// A whole number of at least 0 and of any length, as far as answers need it.
struct BigNatural: Equatable, Comparable {
  /// Nine decimal digits each, the lowest first; none for 0, and the last one is not 0.
  private let limbs: [UInt32]

  private static let base: UInt64 = 1_000_000_000

  /// One.
  static let one = BigNatural(1)

  private init(limbs: [UInt32]) {
    self.limbs = Array(limbs.prefix((limbs.lastIndex { $0 != 0 } ?? -1) + 1))
  }

  /// A number of at least 0.
  init(_ value: Int) {
    var (limbs, rest): ([UInt32], UInt64) = ([], UInt64(max(value, 0)))
    while rest > 0 {
      limbs.append(UInt32(rest % Self.base))
      rest /= Self.base
    }
    self.limbs = limbs
  }

  /// Reads decimal digits; nil where there are none, or anything else.
  init?(digits: some Collection<UInt8>) {
    guard !digits.isEmpty, digits.allSatisfy(\.isDigit) else { return nil }
    let digits = Array(digits)
    self.init(
      limbs: stride(from: digits.count, to: 0, by: -9).map { end in
        digits[max(end - 9, 0)..<end].reduce(0) { 10 * $0 + UInt32($1 - UInt8(ascii: "0")) }
      })
  }

  /// Ten to a power of at least 0.
  static func powerOfTen(_ exponent: Int) -> BigNatural {
    let head = (0..<exponent % 9).reduce(UInt32(1)) { value, _ in 10 * value }
    return BigNatural(limbs: [UInt32](repeating: 0, count: exponent / 9) + [head])
  }

  /// Whether it is 0.
  var isZero: Bool { limbs.isEmpty }

  /// How long it is, in units of nine digits.
  var length: Int { limbs.count }

  /// The number as an integer of the machine; nil where it has more than 18 digits.
  var small: Int? {
    limbs.count <= 2 ? limbs.reversed().reduce(0) { Int(Self.base) * $0 + Int($1) } : nil
  }

  /// Its leading digits, and the power of 10^9 that they are multiplied by.
  var scientific: (mantissa: Double, exponent: Int) {
    let head = limbs.suffix(3)
    let mantissa = head.reversed().reduce(0.0) { Double(Self.base) * $0 + Double($1) }
    return (mantissa, limbs.count - head.count)
  }

  static func < (left: BigNatural, right: BigNatural) -> Bool {
    if left.limbs.count != right.limbs.count { return left.limbs.count < right.limbs.count }
    return left.limbs.reversed().lexicographicallyPrecedes(right.limbs.reversed())
  }

  static func + (left: BigNatural, right: BigNatural) -> BigNatural {
    var carry: UInt64 = 0
    var sum = (0..<max(left.limbs.count, right.limbs.count)).map { index -> UInt32 in
      let digits = carry + left.limb(index) + right.limb(index)
      carry = digits / base
      return UInt32(digits % base)
    }
    sum.append(UInt32(carry))
    return BigNatural(limbs: sum)
  }

  /// The distance between two numbers.
  static func distance(_ left: BigNatural, _ right: BigNatural) -> BigNatural {
    let (larger, smaller) = left < right ? (right, left) : (left, right)
    var borrow: UInt64 = 0
    return BigNatural(
      limbs: larger.limbs.indices.map { index in
        let digits = base + larger.limb(index) - smaller.limb(index) - borrow
        borrow = digits < base ? 1 : 0
        return UInt32(digits % base)
      })
  }

  static func * (left: BigNatural, right: BigNatural) -> BigNatural {
    if left == .one { return right }
    if right == .one { return left }
    var product = [UInt32](repeating: 0, count: left.limbs.count + right.limbs.count)
    for (i, a) in left.limbs.enumerated() where a != 0 {
      var carry: UInt64 = 0
      for (j, b) in right.limbs.enumerated() {
        let digits = UInt64(a) * UInt64(b) + UInt64(product[i + j]) + carry
        product[i + j] = UInt32(digits % base)
        carry = digits / base
      }
      product[i + right.limbs.count] = UInt32(carry)
    }
    return BigNatural(limbs: product)
  }

  private func limb(_ index: Int) -> UInt64 { index < limbs.count ? UInt64(limbs[index]) : 0 }
}
