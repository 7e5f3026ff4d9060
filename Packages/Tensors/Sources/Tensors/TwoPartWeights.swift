import Kernels

/// A matrix of about 12 bits a weight as two parts that are added: codes of 8 bits, and codes of 4
/// bits for what those leave. It errs a fourteenth as much as the first part alone, and takes three
/// quarters of the bytes of BF16.
public struct TwoPartWeights: LinearWeights {
  let coarse: GroupQuantizedWeights
  let fine: GroupQuantizedWeights
  /// Of each block of 16 rows the length of the second part's longest row.
  let lengths: [Float]
  /// The longest of all.
  let longest: Float

  /// Rows: output features.
  public var outFeatures: Int { coarse.outFeatures }
  /// Columns: input features.
  public var inFeatures: Int { coarse.inFeatures }
  /// Bytes this matrix holds in memory.
  public var byteCount: Int {
    coarse.byteCount + fine.byteCount + lengths.count * MemoryLayout<Float>.size
  }
  /// The format in words.
  public var formatName: String { "12-bit group \(coarse.groupSize)" }
  /// Bits of a weight, of both parts.
  public var bits: Int { coarse.bits + fine.bits }

  /// A matrix of these parts; `lengths` are those of the longest row in each block of `fine`.
  init(coarse: GroupQuantizedWeights, fine: GroupQuantizedWeights, lengths: [Float]) {
    (self.coarse, self.fine, self.lengths) = (coarse, fine, lengths)
    longest = lengths.reduce(0) { $1.isNaN ? $1 : max($0, $1) }
  }

  /// See `LinearWeights.activations`.
  public func activations(for numerics: Numerics) -> ActivationScheme {
    coarse.activations(for: numerics)
  }

  /// See `LinearWeights.product`: a few rows at a time of the first part, then the same of the
  /// second, which is added.
  public func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct {
    let (rows, tokens) = (outFeatures, input.tokens)
    let scheme = activations(for: input.numerics)
    let prepared = input.prepared(for: scheme, on: pool)
    let cost = 2 * rows * inFeatures * tokens / scheme.costDivisor
    let atATime = max(1, min(8192, Self.cachedFloats / max(tokens, 1)) / 192) * 192
    let y = DisjointMemory(y)
    return LinearProduct(features: rows, tokens: tokens, cost: cost) { [coarse, fine] part in
      let add = bb_kernels().pointee.add
      withUnsafeTemporaryAllocation(of: Float.self, capacity: tokens * atATime) {
        scratch in
        guard let base = scratch.baseAddress else { return }
        for first in stride(from: part.lowerBound, to: part.upperBound, by: atATime) {
          let some = first..<min(first + atATime, part.upperBound)
          coarse.multiply(prepared, rows: some, into: y + first, stride: rows)
          fine.multiply(prepared, rows: some, into: base, stride: atATime)
          for token in 0..<tokens {
            add(y + token * rows + first, base + token * atATime, some.count)
          }
        }
      }
    }
  }

  /// Outputs that stay in a second-level cache between the parts.
  private static let cachedFloats = 65_536

  /// See `LinearWeights.withPackedRows`: of the first part.
  public func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void) {
    coarse.withPackedRows(body)
  }

  /// See `LinearWeights.copyRow`.
  public func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: inFeatures) { row in
      guard let rest = row.baseAddress else { return }
      coarse.copyRow(index, into: target)
      fine.copyRow(index, into: rest)
      bb_kernels().pointee.add(target, rest, inFeatures)
    }
  }
}
