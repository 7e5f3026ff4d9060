import Kernels
import Tensors

extension HeadKeys {
  /// R-KV's importance of the keys before the window, `[count - window]`: logits to the window's
  /// queries, the maximum over the query heads, a softmax over the keys before the window, the mean
  /// over the queries, a running maximum.
  ///
  /// The queries are those of the query heads that share this KV head, `[heads, window,
  /// dimension]`; there are more keys than the window has tokens. The running maximum is `kernel`
  /// wide and cut at the edges.
  public func importance(to queries: [Float], window: Int, kernel: Int) -> [Float] {
    let before = count - window
    let heads = queries.count / (window * dimension)
    let some = max(1, Self.productsAtOnce / heads)
    var mean = [Float](repeating: 0, count: before)
    var row = mean
    for first in stride(from: 0, to: window, by: some) {
      let tokens = min(some, window - first)
      let asked = (0..<heads).flatMap { head in
        let start = (head * window + first) * dimension
        return queries[start..<start + tokens * dimension]
      }
      let logits = scaledProducts(asked[...], count: heads * tokens, keys: before)
      for token in 0..<tokens {
        for index in 0..<before { row[index] = logits[token * before + index] }
        for head in 1..<heads {
          let start = (head * tokens + token) * before
          for index in 0..<before { row[index] = max(row[index], logits[start + index]) }
        }
        addSoftmax(&row, visible: before, times: 1 / Float(window), to: &mean)
      }
    }
    return mean.runningMaximum(width: kernel)
  }

  /// SnapKV's importance of the keys before the window, `[count - window]`: a causal softmax over
  /// all keys for every query of the window, summed over the queries, the mean over the query
  /// heads, a running mean.
  ///
  /// Takes what `importance` takes; the running mean counts zeros beyond the edges.
  public func observedAttention(to queries: [Float], window: Int, kernel: Int) -> [Float] {
    let heads = queries.count / (window * dimension)
    var sum = [Float](repeating: 0, count: count)
    var row = sum
    for first in stride(from: 0, to: heads * window, by: Self.productsAtOnce) {
      let some = first..<min(first + Self.productsAtOnce, heads * window)
      let logits = scaledProducts(
        queries[some.lowerBound * dimension..<some.upperBound * dimension], count: some.count,
        keys: count)
      for query in some {
        for index in 0..<count { row[index] = logits[(query - first) * count + index] }
        let visible = count - window + query % window + 1
        addSoftmax(&row, visible: visible, times: 1 / Float(heads), to: &sum)
      }
    }
    return Array(sum.prefix(count - window)).runningMean(width: kernel)
  }

  /// Queries whose products with all keys are held at once: a window may be as long as a text.
  private static let productsAtOnce = 256

  /// Products with the first `keys` keys divided by the square root of the dimension, `[n, keys]`.
  private func scaledProducts(_ vectors: ArraySlice<Float>, count n: Int, keys: Int) -> [Float] {
    var products = [Float](repeating: 0, count: n * keys)
    products.withUnsafeMutableBufferPointer { target in
      guard let base = target.baseAddress else { return }
      vectors.withUnsafeBufferPointer { vectors in
        guard let vectors = vectors.baseAddress else { return }
        multiply(vectors, count: n, keys: 0..<keys, into: base)
      }
      let scale = 1 / Float(dimension).squareRoot()
      for index in target.indices { target[index] *= scale }
    }
    return products
  }
}

/// Adds factor x the softmax of the first `visible` logits to `sum`; the logits are used up.
func addSoftmax(
  _ logits: UnsafeMutablePointer<Float>, visible: Int, times factor: Float,
  to sum: UnsafeMutablePointer<Float>
) {
  guard visible > 0 else { return }
  let share = factor / exponentials(of: logits, visible: visible)
  for index in 0..<visible { sum[index] += logits[index] * share }
}

/// Puts e to the power of its distance to the highest in the place of each of the first `visible`
/// logits, and returns the sum of these.
func exponentials(of logits: UnsafeMutablePointer<Float>, visible: Int) -> Float {
  var highest = -Float.infinity
  for index in 0..<visible { highest = max(highest, logits[index]) }
  return bb_kernels().pointee.exp_sum(logits, highest, logits, visible)
}

extension [Float] {
  /// The maximum over `width` neighbours centred at each element; beyond the edges there is
  /// nothing.
  func runningMaximum(width: Int) -> [Float] {
    let reach = width / 2
    return withUnsafeBufferPointer { values in
      values.indices.map { index in
        var highest = -Float.infinity
        for near in Swift.max(0, index - reach)...Swift.min(values.count - 1, index + reach) {
          highest = Swift.max(highest, values[near])
        }
        return highest
      }
    }
  }

  /// The sum over `width` neighbours centred at each element, divided by `width`; beyond the edges
  /// there are zeros.
  func runningMean(width: Int) -> [Float] {
    let reach = width / 2
    return withUnsafeBufferPointer { values in
      values.indices.map { index in
        var sum: Float = 0
        for near in Swift.max(0, index - reach)...Swift.min(values.count - 1, index + reach) {
          sum += values[near]
        }
        return sum / Float(width)
      }
    }
  }
}
