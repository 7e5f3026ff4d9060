import Foundation

/// Canonical decompositions and compositions, gathered once from the Unicode data of Foundation
/// and the standard library when the first text outside the common scripts comes by.
struct CanonicalData: Sendable {
  static let shared = CanonicalData()

  /// Where canonical decompositions lie, Hangul syllables (done by arithmetic) apart.
  private static let decomposable: [Range<UInt32>] = [
    0xC0..<0x3400, 0xF900..<0xFC00, 0x1_0000..<0x1_7000, 0x1_D000..<0x1_D200,
    0x2_F800..<0x2_FA20,
  ]
  private static let settledTableSize: UInt32 = 0x2_0000

  private var decompositions: [UInt32: [UInt32]] = [:]
  private var compositions: [UInt64: UInt32] = [:]
  private var unsettled: [Bool]

  private init() {
    unsettled = [Bool](repeating: false, count: Int(Self.settledTableSize))
    var composites: [[UInt32]: UInt32] = [:]
    for value in Self.decomposable.joined() {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let text = String(Character(scalar))
      let parts = text.decomposedStringWithCanonicalMapping.unicodeScalars.map(\.value)
      guard parts != [value] else { continue }
      decompositions[value] = parts
      let isStable = text.precomposedStringWithCanonicalMapping.unicodeScalars.first == scalar
      if isStable { composites[parts] = value } else { markUnsettled(value) }
    }
    for (parts, composite) in composites {
      guard let last = parts.last, let first = parts.first else { continue }
      let prefix = parts.count == 2 ? first : composites[Array(parts.dropLast())]
      guard let prefix else { continue }
      compositions[Self.pair(prefix, last)] = composite
      markUnsettled(last)
    }
    for value in UInt32(0x300)..<Self.settledTableSize {
      if Hangul.vowels.contains(value) || Hangul.trailing.contains(value)
        || Self.combiningClass(value) != 0
      {
        markUnsettled(value)
      }
    }
  }

  private mutating func markUnsettled(_ value: UInt32) {
    if value < Self.settledTableSize { unsettled[Int(value)] = true }
  }

  /// Whether form C may change the scalar or combine it with the one before.
  func isUnsettled(_ scalar: UInt32) -> Bool {
    scalar < Self.settledTableSize
      ? unsettled[Int(scalar)] : 0x2_F800..<0x2_FA20 ~= scalar
  }

  /// The scalars in form C.
  func composed(_ scalars: [UInt32]) -> [UInt32] {
    compose(ordered(scalars.flatMap(decompose)))
  }

  private func decompose(_ scalar: UInt32) -> [UInt32] {
    decompositions[scalar] ?? Hangul.decompose(scalar) ?? [scalar]
  }

  private static func combiningClass(_ value: UInt32) -> UInt8 {
    Unicode.Scalar(value)?.properties.canonicalCombiningClass.rawValue ?? 0
  }

  /// Sorts each run of combining marks by class, keeping the order within a class.
  private func ordered(_ scalars: [UInt32]) -> [(scalar: UInt32, combiningClass: UInt8)] {
    var result = scalars.map { (scalar: $0, combiningClass: Self.combiningClass($0)) }
    var start = 0
    while start < result.count {
      if result[start].combiningClass == 0 {
        start += 1
        continue
      }
      var end = start + 1
      while end < result.count, result[end].combiningClass != 0 { end += 1 }
      // `sort` is stable.
      result[start..<end].sort { $0.combiningClass < $1.combiningClass }
      start = end
    }
    return result
  }

  private func compose(_ marks: [(scalar: UInt32, combiningClass: UInt8)]) -> [UInt32] {
    var result: [UInt32] = []
    var starter: Int?
    var lastClass: UInt8 = 0
    for (scalar, combiningClass) in marks {
      if let starter {
        let isAdjacent = starter == result.count - 1
        let isBlocked = !isAdjacent && lastClass >= combiningClass
        if !isBlocked, let composite = composite(result[starter], scalar) {
          result[starter] = composite
          continue
        }
      }
      if combiningClass == 0 { starter = result.count }
      lastClass = combiningClass
      result.append(scalar)
    }
    return result
  }

  private func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
    Hangul.compose(first, second) ?? compositions[Self.pair(first, second)]
  }

  private static func pair(_ first: UInt32, _ second: UInt32) -> UInt64 {
    UInt64(first) << 32 | UInt64(second)
  }
}

/// Hangul syllables decompose and compose by arithmetic (The Unicode Standard, section 3.12).
private enum Hangul {
  static let leading: Range<UInt32> = 0x1100..<0x1113
  static let vowels: Range<UInt32> = 0x1161..<0x1176
  static let trailing: Range<UInt32> = 0x11A8..<0x11C3
  private static let syllables: Range<UInt32> = 0xAC00..<0xD7A4
  private static let vowelCount: UInt32 = 21
  private static let trailingCount: UInt32 = 28

  static func decompose(_ scalar: UInt32) -> [UInt32]? {
    guard syllables.contains(scalar) else { return nil }
    let index = scalar - syllables.lowerBound
    let tail = index % trailingCount
    let leading = leading.lowerBound + index / (vowelCount * trailingCount)
    let vowel = vowels.lowerBound + index / trailingCount % vowelCount
    return tail == 0 ? [leading, vowel] : [leading, vowel, trailing.lowerBound + tail - 1]
  }

  static func compose(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if leading.contains(first), vowels.contains(second) {
      let index = (first - leading.lowerBound) * vowelCount + second - vowels.lowerBound
      return syllables.lowerBound + index * trailingCount
    }
    if syllables.contains(first), (first - syllables.lowerBound) % trailingCount == 0,
      trailing.contains(second)
    {
      return first + second - trailing.lowerBound + 1
    }
    return nil
  }
}
