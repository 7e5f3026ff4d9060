/// An input times a matrix, ready to be formed: any of its output features by any thread.
///
/// The input's rows must stay as they are until the product is formed.
public struct LinearProduct {
  /// Output features.
  public let features: Int
  /// Rows of the input.
  public let tokens: Int
  /// What forming all features costs, in multiply-adds of F32.
  public let cost: Int
  /// Features are formed from a multiple of this on.
  public let granularity: Int
  /// Forms some features.
  let run: (Range<Int>) -> Void

  /// A product whose features any thread can form, in any order.
  ///
  /// - Parameters:
  ///   - features: output features.
  ///   - tokens: rows of the input.
  ///   - cost: of all features, in multiply-adds of F32: decides whether a second thread is worth waking.
  ///   - granularity: what the features given to `run` start at a multiple of.
  ///   - run: forms some features, called by any thread.
  public init(
    features: Int, tokens: Int, cost: Int, granularity: Int = 16,
    run: @escaping (Range<Int>) -> Void
  ) {
    self.features = features
    self.tokens = tokens
    self.cost = cost
    self.granularity = granularity
    self.run = run
  }

  /// This product and another one with as many features, of which the same are formed together.
  public func with(_ other: LinearProduct) -> LinearProduct {
    precondition(other.features == features, "\(other.features) features beside \(features)")
    return LinearProduct(
      features: features, tokens: tokens, cost: cost + other.cost,
      granularity: granularity.leastCommonMultiple(with: other.granularity)
    ) { part in
      run(part)
      other.run(part)
    }
  }

  /// This product, and what is to be done with features once they are formed: a few at a time, by the thread that formed
  /// them, in whose cache they still are.
  ///
  /// - Parameters:
  ///   - unit: how many features belong together: `next` gets whole units, but for the end of the last.
  ///   - next: does it. Without units, its features start at a multiple of 16.
  /// - Returns: the product with `next`.
  public func then(each unit: Int = 1, _ next: @escaping (Range<Int>) -> Void) -> LinearProduct {
    let granularity = granularity.leastCommonMultiple(with: unit)
    let panels = Self.panel.leastCommonMultiple(with: granularity)
    let width = max(1, Self.cachedFloats / max(tokens, 1) / panels) * panels
    return LinearProduct(features: features, tokens: tokens, cost: cost, granularity: granularity) {
      part in
      for start in stride(from: part.lowerBound, to: part.upperBound, by: width) {
        let some = start..<min(start + width, part.upperBound)
        run(some)
        next(some)
      }
    }
  }

  /// Features of whole panels of every kernel.
  private static let panel = 192
  /// What a product may put into a second-level cache before something is done with it.
  private static let cachedFloats = 65_536
}

extension Int {
  fileprivate func leastCommonMultiple(with other: Int) -> Int {
    var (a, b) = (self, other)
    while b != 0 { (a, b) = (b, a % b) }
    return self / a * other
  }
}

extension ThreadPool {
  /// Forms all features of some products, without waiting between them: every thread forms its part of the first product,
  /// then its part of the second, and so on; then those that are done first form what is left.
  public func form(_ products: [LinearProduct]) {
    let cost = products.reduce(0) { $0 + $1.cost }
    guard workers > 1, cost >= Self.worthwhileWork else {
      for product in products { product.run(0..<product.features) }
      return
    }
    divide(products.map { Division(of: $0.features, grain: $0.granularity, workers: workers) }) {
      products[$0].run($1)
    }
  }

  /// Says which weights are multiplied soon, after the next region or a later one: workers that wait ask for the beginning
  /// of what they will read.
  ///
  /// - Parameter weights: the first of what `form` will be given.
  public func announce(_ weights: any LinearWeights) {
    let division = Division(of: weights.outFeatures, grain: 16, workers: workers)
    weights.withPackedRows { bytes in
      guard let base = bytes.baseAddress else { return }
      let block = bytes.count / ((weights.outFeatures + 15) / 16)
      for worker in 0..<workers {
        let own = division.own(of: worker)
        announce(
          base + own.lowerBound / 16 * block,
          count: min(own.count / 16 * block, Self.announcedBytes), to: worker)
      }
    }
  }

  /// As much as a second-level cache holds beside other things.
  private static var announcedBytes: Int { 256 << 10 }
}
