/// An input times a matrix, ready to be formed: any of its output features by any thread.
///
/// The input's rows must stay as they are until the product is formed.
public struct LinearProduct {
  /// Output features.
  public let features: Int
  /// What forming all of them costs, in multiply-adds of F32.
  let cost: Int
  /// Forms some features, from a multiple of 16 on.
  let form: (Range<Int>) -> Void

  /// This product, and what is to be done with features once they are formed, by the thread that formed them. The
  /// features start at a multiple of 16.
  public func then(_ next: @escaping (Range<Int>) -> Void) -> LinearProduct {
    LinearProduct(features: features, cost: cost) { part in
      form(part)
      next(part)
    }
  }
}

extension ThreadPool {
  /// Forms all features of some products, without waiting between them.
  ///
  /// Every thread forms its part of the first product, then its part of the second, and so on. So where products have
  /// as many features, `then` of a later one finds the same features of the earlier ones formed.
  public func form(_ products: [LinearProduct]) {
    let cost = products.reduce(0) { $0 + $1.cost }
    guard workers > 1, cost >= Self.worthwhileWork else {
      for product in products { product.form(0..<product.features) }
      return
    }
    run { worker in
      for product in products {
        let part = share(of: product.features, grain: 16, worker: worker)
        if !part.isEmpty { product.form(part) }
      }
    }
  }
}
