/// How the linear layers of the blocks are stored; embedding, norms and head stay in 16 bits in the
/// files.
public struct WeightPrecision: Sendable, Hashable, Codable, CustomStringConvertible {
  /// What `bits` may be.
  public static let knownBits = [16, 8, 4, 3, 2]

  /// Bits of a weight: 16, or 8, 4, 3 or 2 for codes.
  public let bits: Int
  /// Inputs that share a scale; nil for 16 bits, and for one scale a row.
  public let groupSize: Int?
  /// Whether each group has a zero point besides its scale.
  public let hasZeroPoints: Bool
  /// The scheme of weights and activations; nil where weights alone are quantized, or nothing.
  public let scheme: WeightScheme?

  /// BF16 throughout.
  public static let bf16 = WeightPrecision(uncheckedBits: 16, groupSize: nil, hasZeroPoints: false)

  private init(uncheckedBits bits: Int, groupSize: Int?, hasZeroPoints: Bool) {
    self.bits = bits
    self.groupSize = groupSize
    self.hasZeroPoints = hasZeroPoints
    scheme = nil
  }

  /// A scheme as `quantize --scheme` makes it where nobody says more.
  public init(_ scheme: WeightScheme) {
    bits = scheme.bits
    groupSize = scheme.groupSize
    hasZeroPoints = false
    self.scheme = scheme
  }

  /// 16 bits, or codes in groups (the paper's: 8 or 4 bits, groups of 128, symmetric).
  ///
  /// - Throws: `PlannerError.invalid` for other bits and for groups below 1.
  public init(bits: Int, groupSize: Int = 128, hasZeroPoints: Bool = false) throws(PlannerError) {
    guard Self.knownBits.contains(bits) else {
      throw .invalid(name: "bits", value: "\(bits)", expected: "16, 8, 4, 3 or 2")
    }
    guard (1...1 << 30).contains(groupSize) else {
      throw .invalid(name: "group size", value: "\(groupSize)", expected: "at least 1")
    }
    if bits == 16 {
      self = .bf16
    } else {
      self.init(uncheckedBits: bits, groupSize: groupSize, hasZeroPoints: hasZeroPoints)
    }
  }

  /// Bits in which the engine holds the output head by default beside weights of `bits`: as few as
  /// cost little beside these; 16 is as it is stored.
  public static func headBits(forWeightsOf bits: Int) -> Int {
    switch bits {
    case ...4: 8
    case ...8: 12
    default: 16
    }
  }

  /// The parts in which the engine holds the output head by default.
  var headParts: [WeightPrecision] {
    func codes(_ bits: Int) -> WeightPrecision {
      WeightPrecision(uncheckedBits: bits, groupSize: 128, hasZeroPoints: false)
    }
    switch Self.headBits(forWeightsOf: bits) {
    case 8: return [codes(8)]
    case 12: return [codes(8), codes(4)]
    default: return [.bf16]
    }
  }

  /// Whether weights of a model can be held so.
  func isPossible(for model: ModelShape) -> Bool { scheme != .w4a4Rotated || model.isRotatable }

  /// The scheme's name, or bits: `w8a8-int`, `4 bits`.
  public var title: String { scheme?.rawValue ?? "\(bits) bits" }

  /// Such as `16 bits`, `4 bits, groups of 128` or `w8a8-int`.
  public var description: String {
    title + (scheme == nil ? groupSize.map { ", groups of \($0)" } ?? "" : "")
  }
}
