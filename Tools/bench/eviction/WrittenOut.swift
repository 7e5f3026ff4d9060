import Tensors

/// R-KV's redundancy as its formula reads: all cosines of all heads as matrices, one entry of each
/// row set to zero, the means of the columns. The products are those of the library's own multiply;
/// the final softmax is left out.
struct WrittenOut {
  let tokens: Int
  let heads: Int
  let dimension: Int
  let threshold: Float

  /// The column means, `[heads, tokens]`, of `keys` `[tokens, heads, dimension]`.
  @discardableResult
  func redundancy(
    _ keys: UnsafePointer<Float>, on pool: ThreadPool
  ) throws -> [Float] {
    var cosines = [Float](repeating: 0, count: heads * tokens * tokens)
    for head in 0..<heads {
      let unit = normalized(keys, head: head)
      let bytes = try AlignedBytes(count: unit.count * 4)
      bytes.withMutableBytes { target in unit.withUnsafeBytes { target.copyMemory(from: $0) } }
      let matrix = try DenseWeights(
        Tensor(dtype: .f32, shape: [tokens, dimension], bytes: bytes), name: "keys")
      cosines.withUnsafeMutableBufferPointer { cosines in
        guard let base = cosines.baseAddress else { return }
        matrix.multiply(unit, tokens: tokens, into: base + head * tokens * tokens, on: pool)
      }
    }
    var means = [Float](repeating: 0, count: heads * tokens)
    cosines.withUnsafeMutableBufferPointer { cosines in
      means.withUnsafeMutableBufferPointer { means in
        guard let start = cosines.baseAddress, let first = means.baseAddress else { return }
        let (all, means) = (DisjointMemory(start), DisjointMemory(first))
        pool.split(heads) { part in
          for head in part {
            let (matrix, means) = (all + head * tokens * tokens, means + head * tokens)
            for row in 0..<tokens {
              let line = matrix + row * tokens
              line[row] = 0
              var last = tokens - 1
              while last > 0, !(line[last] > threshold) { last -= 1 }
              line[last] = 0
              for column in 0..<tokens { means[column] += line[column] }
            }
            for column in 0..<tokens { means[column] /= Float(tokens) }
          }
        }
      }
    }
    return means
  }

  private func normalized(_ keys: UnsafePointer<Float>, head: Int) -> [Float] {
    var unit = [Float](repeating: 0, count: tokens * dimension)
    for token in 0..<tokens {
      let from = keys + (token * heads + head) * dimension
      var square: Float = 0
      for index in 0..<dimension { square += from[index] * from[index] }
      let factor = 1 / (square.squareRoot() + 1e-8)
      for index in 0..<dimension { unit[token * dimension + index] = from[index] * factor }
    }
    return unit
  }
}
