/// A mean over items with its uncertainty.
///
/// Items are the independent draws; replies to one item are not, so the standard error is that of
/// the items' means ("clustered by problem"; Miller, arXiv:2411.00640, section 2.2). With one reply
/// per item it is that of a plain mean.
public struct Estimate: Sendable, Hashable, Codable {
  /// The mean.
  public let value: Double
  /// Its standard error; nil for a single item.
  public let standardError: Double?
  /// How many items the mean is taken over.
  public let items: Int

  /// An estimate of these parts.
  init(value: Double, standardError: Double?, items: Int) {
    self.value = value
    self.standardError = standardError
    self.items = items
  }

  /// A stored estimate.
  ///
  /// - Throws: `DecodingError` for one that no items can have.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    value = try fields.decode(Double.self, forKey: .value)
    standardError = try fields.decodeIfPresent(Double.self, forKey: .standardError)
    items = try fields.decode(Int.self, forKey: .items)
    guard value.isFinite, items > 0, (0..<Double.infinity).contains(standardError ?? 0) else {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: decoder.codingPath,
          debugDescription: "a mean of \(value) over \(items) items with a standard error of "
            + "\(standardError ?? 0); items and error are never negative, and there is an item"))
    }
  }

  /// The mean of one number per item.
  ///
  /// - Returns: Nil for no items.
  public init?(itemMeans: [Double]) {
    guard !itemMeans.isEmpty else { return nil }
    let count = Double(itemMeans.count)
    let mean = itemMeans.reduce(0, +) / count
    let squares = itemMeans.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    value = mean
    standardError = itemMeans.count > 1 ? (squares / (count - 1) / count).squareRoot() : nil
    items = itemMeans.count
  }

  /// The 95 % interval of a share: Wilson's (1927), with Student's factor and the effective number
  /// of draws, p (1 - p) / SE^2, in place of the items.
  ///
  /// It stays within 0 and 1 and keeps its promise near both, where mean ± 2 SE does not. Nil for a
  /// single item, and for what is no share.
  public var shareInterval: ClosedRange<Double>? {
    guard let standardError else { return nil }
    let spread = max(0, value * (1 - value))
    let draws = standardError > 0 ? spread / (standardError * standardError) : Double(items)
    guard draws > 0, (0...1).contains(value) else { return nil }
    let factor = StudentT.factor95(degreesOfFreedom: items - 1)
    let share = factor * factor / draws
    let centre = (value + share / 2) / (1 + share)
    let half = factor / (1 + share) * (spread / draws + share / (4 * draws)).squareRoot()
    return max(0, centre - half)...min(1, centre + half)
  }

  /// The 95 % interval of a difference: mean ± Student's factor times SE. Nil for a single item.
  public var differenceInterval: ClosedRange<Double>? {
    guard let standardError else { return nil }
    let half = StudentT.factor95(degreesOfFreedom: items - 1) * standardError
    return (value - half)...(value + half)
  }
}

/// Student's distribution.
enum StudentT {
  /// The factor of a two-sided 95 % interval (Abramowitz and Stegun, 26.7.5; below 1 % off from two
  /// degrees of freedom on).
  static func factor95(degreesOfFreedom: Int) -> Double {
    guard degreesOfFreedom > 1 else { return 12.706 }
    let z = 1.959963984540054
    let z3 = z * z * z
    let z5 = z3 * z * z
    let z7 = z5 * z * z
    let z9 = z7 * z * z
    let n = Double(degreesOfFreedom)
    let first = (z3 + z) / 4
    let second = (5 * z5 + 16 * z3 + 3 * z) / 96
    let third = (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / 384
    let fourth = (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / 92160
    return z + (first + (second + (third + fourth / n) / n) / n) / n
  }
}
