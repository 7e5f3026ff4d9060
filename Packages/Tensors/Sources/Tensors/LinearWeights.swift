import Kernels

/// One weight matrix `[out, in]` in one storage format that can multiply a batch of activations.
///
/// The seam between models and storage: a decoder never asks which format it holds. An output's
/// value is the same bits whatever else is in the batch, however many threads work, and on every
/// instruction set.
public protocol LinearWeights: Sendable {
  /// Rows: output features.
  var outFeatures: Int { get }
  /// Columns: input features.
  var inFeatures: Int { get }
  /// Bytes this matrix holds in memory.
  var byteCount: Int { get }
  /// The format in words, such as "BF16" or "4-bit group 128".
  var formatName: String { get }
  /// Bits of a weight as it is stored, scales aside.
  var bits: Int { get }

  /// What the matrix takes activations as, with numerics of the engine's.
  func activations(for numerics: Numerics) -> ActivationScheme

  /// `y[t, o] = sum over i of x[t, i] * w[o, i]`, not yet computed.
  ///
  /// - Parameters:
  ///   - input: `[tokens, in]` activations, and how they are multiplied. They are quantized here,
  ///     if need be.
  ///   - y: `[tokens, out]`, overwritten when the product runs.
  ///   - pool: threads to quantize the activations on.
  /// - Returns: the product, which `ThreadPool.run` runs, alone or with others.
  func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct

  /// Hands out what the matrix is read from, in the order in which it is read: blocks of 16 rows.
  func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void)

  /// Row `index` of the matrix as floats, `[in]`: an embedding look-up, or a piece of the
  /// dequantized matrix.
  func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>)
}

extension LinearWeights {
  /// Computes the product with an input, `y` `[tokens, out]`, the features split over the pool.
  public func multiply(
    _ input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) {
    pool.run([product(of: input, into: y, on: pool)])
  }

  /// The same as `exact` has it, of `tokens` rows of `x` `[tokens, in]`.
  public func multiply(
    _ x: UnsafePointer<Float>, tokens: Int, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) {
    multiply(
      LinearInput(x, tokens: tokens, width: inFeatures, numerics: .exact), into: y, on: pool)
  }

  /// The whole matrix as floats, `[out, in]` row-major, made by the threads of `pool` where one is
  /// given.
  public func dequantized(on pool: ThreadPool? = nil) -> [Float] {
    rowsOfFloats(outFeatures, width: inFeatures, on: pool) { rows, target in
      for row in rows { copyRow(row, into: target + row * inFeatures) }
    }
  }
}

/// Makes the in-memory form of matrices.
public enum WeightPacking {
  /// Packs a dense matrix `[out, in]`, keeping its element type.
  ///
  /// - Throws: `TensorError` when it is no matrix, not F32, F16 or BF16, or memory is short.
  public static func pack(_ tensor: Tensor, name: String) throws(TensorError) -> any LinearWeights {
    try DenseWeights(tensor, name: name)
  }

  /// Packs what a file holds or a quantizer made.
  ///
  /// - Throws: `TensorError` when the kernels cannot hold the matrix, or memory is short.
  public static func pack(_ stored: some StoredWeights) throws(TensorError) -> any LinearWeights {
    try stored.packed()
  }

  /// A matrix of more bits a weight quantized to `bits`, 8 or 12: see
  /// `GroupQuantizedWeights.init(quantizing:)` and `TwoPartWeights`. Others as they are.
  ///
  /// - Parameters:
  ///   - weights: the matrix.
  ///   - bits: 8 or 12.
  ///   - workers: threads that round; their number changes no bit.
  /// - Returns: the rounded matrix.
  /// - Throws: `TensorError.outOfMemory`.
  public static func quantized(
    _ weights: any LinearWeights, bits: Int, workers: Int = 1
  ) throws(TensorError) -> any LinearWeights {
    if weights.bits <= bits { return weights }
    return bits == 8
      ? try GroupQuantizedWeights(quantizing: weights, workers: workers)
      : try TwoPartWeights(quantizing: weights, workers: workers)
  }
}

/// `[rows, width]` floats that `body` writes, some rows at a time, on the threads of `pool` where
/// one is given.
func rowsOfFloats(
  _ rows: Int, width: Int, on pool: ThreadPool?,
  _ body: @Sendable (Range<Int>, DisjointMemory<Float>) -> Void
) -> [Float] {
  [Float](unsafeUninitializedCapacity: rows * width) { buffer, filled in
    if let base = buffer.baseAddress {
      let target = DisjointMemory(base)
      if let pool {
        pool.split(rows, granularity: 16) { body($0, target) }
      } else {
        body(0..<rows, target)
      }
    }
    filled = rows * width
  }
}
