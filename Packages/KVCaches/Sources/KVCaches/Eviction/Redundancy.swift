import Kernels
import Tensors

extension HeadKeys {
  /// R-KV's redundancy of every key, `[count]`: a softmax over the mean cosines to all other keys, in which each key's own
  /// most recent similar key is spared.
  ///
  /// By definition this is a column mean of the matrix C of cosines with a zero diagonal, after one entry of each row i was
  /// set to zero: that of last(i), the last column above the threshold, or of column 0 where there is none. The matrix is
  /// never built: the sum of column j is k_j . (sum of all k) - |k_j|^2, less the entries set to zero, and last(i) is
  /// found by going through the columns from the end until every row has met one.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  func redundancy(threshold: Float, retain: RKVScoring.Retain) throws(TensorError) -> [Float] {
    let (unit, squares) = try normalized()
    var sums = unit.columnSums(squares)
    switch retain {
    case .last: unit.spareLastSimilar(threshold: threshold, in: &sums)
    case .first: sums[0] = 0
    }
    for index in sums.indices { sums[index] /= Float(count) }
    var result = [Float](repeating: 0, count: count)
    addSoftmax(&sums, visible: count, times: 1, to: &result)
    return result
  }

  /// Sum of each column of the matrix of products without its diagonal `squares`.
  private func columnSums(_ squares: [Float]) -> [Float] {
    var total = [Float](repeating: 0, count: dimension)
    var sums = squares
    rows.withUnsafeBufferPointer { rows in
      guard let base = rows.baseAddress else { return }
      for row in 0..<count { bb_kernels().pointee.add(&total, base + row * dimension, dimension) }
    }
    sums.withUnsafeMutableBufferPointer { sums in
      guard let base = sums.baseAddress else { return }
      multiply(total, count: 1, keys: 0..<count, into: base)
      for index in 0..<count { base[index] -= squares[index] }
    }
    return sums
  }

  /// Keys looked at in one step from the end: few enough to stay in the first-level cache.
  private static let step = 64

  /// Takes from `sums`, for every row, the product with its last similar column, or with column 0 where there is none.
  private func spareLastSimilar(threshold: Float, in sums: inout [Float]) {
    // Rows still looking, packed to the front in order.
    var vectors = rows
    var looking = Array(0..<count)
    var products = [Float](repeating: 0, count: count * Self.step)
    vectors.withUnsafeMutableBufferPointer { vectors in
      products.withUnsafeMutableBufferPointer { products in
        guard let vectors = vectors.baseAddress, let products = products.baseAddress else { return }
        var start = (count - 1) / Self.step * Self.step
        while start >= 0, !looking.isEmpty {
          let width = min(Self.step, count - start)
          multiply(vectors, count: looking.count, keys: start..<start + width, into: products)
          var left = 0
          for (index, row) in looking.enumerated() {
            let found = products + index * width
            var column = width - 1
            while column >= 0, !(found[column] > threshold) || start + column == row { column -= 1 }
            if column >= 0 {
              sums[start + column] -= found[column]
              continue
            }
            if start == 0, row != 0 { sums[0] -= found[0] }
            if left < index {
              looking[left] = row
              (vectors + left * dimension).update(
                from: vectors + index * dimension, count: dimension)
            }
            left += 1
          }
          looking.removeLast(looking.count - left)
          start -= Self.step
        }
      }
    }
  }
}
