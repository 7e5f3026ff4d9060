import Kernels
import Tensors

extension HeadKeys {
  /// R-KV's redundancy of every key, `[count]`: a softmax over the mean cosines to all other keys,
  /// in which each key's own most recent similar key is spared.
  ///
  /// By definition this is a column mean of the matrix C of cosines with a zero diagonal, after one
  /// entry of each row i was set to zero: that of last(i), the last column above the threshold, or
  /// of column 0 where there is none. The matrix is never built: the sum of column j is k_j . (sum
  /// of all k) - |k_j|^2, less the entries set to zero, which `LastSimilar` finds.
  ///
  /// `known` is what is known of the first keys, and becomes what is known of all of them.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  consuming func redundancy(
    threshold: Float, retain: RKV.Retain, known: inout [SimilarKey]
  ) throws(TensorError) -> [Float] {
    let (unit, squares) = try normalized()
    var sums = unit.columnSums(squares)
    switch retain {
    case .last:
      let entries = try LastSimilar.search(unit, threshold: threshold, known: known)
      for entry in entries { sums[entry.column] -= entry.cosine }
      known = entries.map(\.known)
    case .first: sums[0] = 0
    }
    for index in sums.indices { sums[index] /= Float(unit.count) }
    var result = [Float](repeating: 0, count: unit.count)
    addSoftmax(&sums, visible: unit.count, times: 1, to: &result)
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
}
