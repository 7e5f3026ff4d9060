import Foundation

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
}
