/// The product of an input with a matrix, not yet computed: any thread can compute any of its
/// output features.
///
/// The rows of the input must stay as they are until it has run.
public struct LinearProduct: Sendable {
  /// Output features.
  public let features: Int
  /// Rows of the input.
  public let tokens: Int
  /// Cost of all features, in multiply-adds of F32.
  public let cost: Int
  /// Every range of features that is computed starts at a multiple of this.
  public let granularity: Int
  /// Computes some features.
  let run: @Sendable (Range<Int>) -> Void

  /// A product whose features any thread can compute, in any order.
  ///
  /// - Parameters:
  ///   - features: output features.
  ///   - tokens: rows of the input.
  ///   - cost: of all features, in multiply-adds of F32: decides whether a second thread is worth
  ///     waking.
  ///   - granularity: what the features given to `run` start at a multiple of.
  ///   - run: computes some features; called by any thread.
  public init(
    features: Int, tokens: Int, cost: Int, granularity: Int = 16,
    run: @escaping @Sendable (Range<Int>) -> Void
  ) {
    self.features = features
    self.tokens = tokens
    self.cost = cost
    self.granularity = granularity
    self.run = run
  }

  /// This product fused with another one of as many features: a thread computes the same features
  /// of both.
  public func fused(with other: LinearProduct) -> LinearProduct {
    precondition(other.features == features, "\(other.features) features beside \(features)")
    return LinearProduct(
      features: features, tokens: tokens, cost: cost + other.cost,
      granularity: granularity.leastCommonMultiple(with: other.granularity)
    ) { part in
      run(part)
      other.run(part)
    }
  }

  /// Products with as many features each, at least one, of which the same are formed together.
  public init(together products: [LinearProduct]) {
    precondition(!products.isEmpty, "no products")
    let features = products[0].features
    precondition(products.allSatisfy { $0.features == features }, "features differ")
    self.init(
      features: features, tokens: products.reduce(0) { $0 + $1.tokens },
      cost: products.reduce(0) { $0 + $1.cost },
      granularity: products.reduce(1) { $0.leastCommonMultiple(with: $1.granularity) }
    ) { part in
      for product in products { product.run(part) }
    }
  }

  /// Products, at least one, whose features stand one after the other: a thread computes most of one
  /// before it goes on to the next, and so reads whole matrices where it would read a part of each.
  public init(inTurn products: [LinearProduct]) {
    precondition(!products.isEmpty, "no products")
    let granularity = products.reduce(1) { $0.leastCommonMultiple(with: $1.granularity) }
    let starts = products.startsInTurn(granularity, \.features)
    self.init(
      features: starts[products.count], tokens: products.reduce(0) { max($0, $1.tokens) },
      cost: products.reduce(0) { $0 + $1.cost }, granularity: granularity
    ) { part in
      for (product, start) in zip(products, starts) {
        let some = max(part.lowerBound - start, 0)..<max(part.upperBound - start, 0)
        let own = some.clamped(to: 0..<product.features)
        if !own.isEmpty { product.run(own) }
      }
    }
  }

  /// This product with an epilogue, which runs on an output panel as soon as that is computed, on
  /// the thread in whose cache it still is.
  ///
  /// - Parameters:
  ///   - unit: features that belong together, such as a head: ranges given to `next` start at a
  ///     multiple of it.
  ///   - next: the epilogue, called with features that were computed.
  /// - Returns: the product with its epilogue.
  public func epilogue(granularity unit: Int = 1, _ next: @escaping @Sendable (Range<Int>) -> Void)
    -> LinearProduct
  {
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

  /// A multiple of the output panel of every kernel, in features.
  private static let panel = 192
  /// Outputs that stay in a second-level cache until the epilogue reads them.
  private static let cachedFloats = 65_536
}

extension Array {
  /// Where each begins when they stand one after the other, at multiples of `granularity`, and
  /// where the last of them ends.
  fileprivate func startsInTurn(_ granularity: Int, _ length: (Element) -> Int) -> [Int] {
    reduce(into: [0]) { starts, element in
      let units = (length(element) + granularity - 1) / granularity
      starts.append(starts[starts.count - 1] + units * granularity)
    }
  }
}

extension Int {
  fileprivate func leastCommonMultiple(with other: Int) -> Int {
    var (a, b) = (self, other)
    while b != 0 { (a, b) = (b, a % b) }
    return self / a * other
  }
}

extension ThreadPool {
  /// Runs some products in one parallel region, without barriers between them: workers take parts of
  /// the first, then of the second and so on.
  public func run(_ products: [LinearProduct]) {
    let cost = products.reduce(0) { $0 + $1.cost }
    guard workers > 1, cost >= Self.worthwhileWork else {
      for product in products { runAlone { product.run(0..<product.features) } }
      return
    }
    let partitions = products.map {
      Partition(
        of: $0.features, granularity: $0.granularity, workers: workers, schedule: .streams)
    }
    run(partitions) { products[$0].run($1) }
  }

  /// Names the weights of a coming parallel region: idle workers prefetch the first 256 KiB of what
  /// they will take first while they wait at the barrier.
  ///
  /// - Parameter weights: those of the first product that `run` will be given.
  public func prefetchWeights(_ weights: any LinearWeights) {
    prefetchWeights(inTurn: [weights], isNow: false)
  }

  /// Names the weights of the very next parallel region, products in turn (see
  /// `LinearProduct.init(inTurn:)`): workers that wait for it prefetch while the caller prepares it.
  public func prefetchWeightsNow(inTurn all: [any LinearWeights]) {
    prefetchWeights(inTurn: all, isNow: true)
  }

  private func prefetchWeights(inTurn all: [any LinearWeights], isNow: Bool) {
    let starts = all.startsInTurn(16, \.outFeatures)
    let parts = Partition(
      of: starts[all.count], granularity: 16, workers: workers, schedule: .streams)
    for (worker, part) in zip(0..<workers, parts) {
      guard let index = starts.dropLast().lastIndex(where: { $0 <= part.lowerBound }) else {
        continue
      }
      let end = min(part.upperBound, starts[index + 1])
      prefetch(
        part.lowerBound - starts[index]..<end - starts[index], of: all[index], by: worker,
        isNow: isNow)
    }
  }

  private func prefetch(
    _ rows: Range<Int>, of weights: any LinearWeights, by worker: Int, isNow: Bool
  ) {
    weights.withPackedRows { bytes in
      guard let base = bytes.baseAddress else { return }
      let block = bytes.count / ((weights.outFeatures + 15) / 16)
      prefetch(
        base + rows.firstBlock * block,
        count: min(rows.count / 16 * block, Self.prefetchedBytes), by: worker, isNow: isNow)
    }
  }

  /// What a second-level cache holds beside other data.
  private static var prefetchedBytes: Int { 256 << 10 }
}
