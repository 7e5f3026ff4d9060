/// Which outputs of a product are wanted: the greatest few of each row of the input.
public struct GreatestOutputs: Sendable, Hashable {
  /// How many of a row.
  public let count: Int
  /// Outputs from here on do not take part.
  public let below: Int

  /// The `count` greatest of the first `below` outputs.
  public init(count: Int, below: Int = .max) {
    self.count = count
    self.below = below
  }

  /// As many as either wants, of the outputs that both look at; nil where they look at others.
  public func joined(with other: GreatestOutputs) -> GreatestOutputs? {
    other.below == below
      ? GreatestOutputs(count: max(count, other.count), below: below) : nil
  }
}

/// Weights whose greatest products are found without reading all of them.
public protocol GreatestFirstWeights: LinearWeights {
  /// Bytes that are read however few outputs are wanted; the rest of `byteCount` for those that may
  /// be among them.
  var leastBytesRead: Int { get }

  /// Computes the product with an input where it may count.
  ///
  /// - Parameters:
  ///   - input: `[tokens, in]`, as for `product`.
  ///   - y: `[tokens, out]`, overwritten. What is wanted has the bits that `product` gives, and so
  ///     has whatever equals the least of it; every other output has them too, or it is a number
  ///     near them that is below all of these.
  ///   - wanted: the outputs that are wanted.
  ///   - pool: the threads.
  func multiply(
    _ input: LinearInput, into y: UnsafeMutablePointer<Float>, wanting wanted: GreatestOutputs,
    on pool: ThreadPool)
}
