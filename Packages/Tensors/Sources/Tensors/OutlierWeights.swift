import Kernels

/// An `OutlierMatrix` that multiplies.
///
/// Of a token's inputs beside the outliers, codes between their least and largest are multiplied in
/// integers; what is left, an offset that all of them share, counts once for the sum of a row's
/// weights. Outliers are multiplied as the floats that they are. `Numerics.exact` takes all inputs
/// as they are.
public struct OutlierWeights: LinearWeights {
  /// Rows: output features.
  public let outFeatures: Int
  /// Columns: input features.
  public let inFeatures: Int
  private let rest: GroupQuantizedWeights
  private let rounding: TokenRounding
  /// The inputs that `rest` multiplies; nil for all.
  private let others: [Int32]?
  private let columns: [Int32]
  private let outliers: DenseWeights?
  private let rotation: Hadamard?
  /// `[out]`: what a row of `rest` adds up to.
  private let rowSums: [Float]

  /// Bytes this matrix holds in memory.
  public var byteCount: Int {
    rest.byteCount + (outliers?.byteCount ?? 0)
      + 4 * (rowSums.count + columns.count + (others?.count ?? 0))
  }
  /// The format in words.
  public var formatName: String {
    rest.formatName + (columns.isEmpty ? "" : ", \(columns.count) outliers")
      + (rotation == nil ? "" : ", rotated inputs")
  }
  /// Bits of a weight beside the outliers.
  public var bits: Int { rest.bits }

  /// Packs a matrix.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  public init(_ matrix: OutlierMatrix) throws(TensorError) {
    outFeatures = matrix.outFeatures
    inFeatures = matrix.inFeatures
    rest = try GroupQuantizedWeights(matrix.rest)
    guard let rounding = matrix.rest.tokenRounding else {
      throw .invalidQuantization("activations that are not rounded beside outliers")
    }
    self.rounding = rounding
    columns = matrix.columns
    others = matrix.columns.isEmpty ? nil : matrix.others
    outliers = try matrix.outliers.map { tensor throws(TensorError) in
      try DenseWeights(tensor, name: "outliers")
    }
    rotation = matrix.rotation
    let (codes, width) = (matrix.rest, matrix.rest.inFeatures)
    rowSums = (0..<matrix.outFeatures).map { row in
      let sum = codes.codes[row * width..<(row + 1) * width].reduce(0) { $0 + Int($1) }
      let zero = codes.zeros?[row] ?? codes.symmetricZero
      return codes.scales[row] * (Float(sum) - Float(width) * zero)
    }
  }

  /// See `LinearWeights.activations`: of the inputs beside the outliers.
  public func activations(for numerics: Numerics) -> ActivationScheme {
    numerics == .exact ? .float : rounding.activations(forRowsOf: rest.inFeatures)
  }

  /// See `LinearWeights.product`: a few rows at a time of the codes, then what offsets and outliers
  /// add to them.
  public func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct {
    let (rows, tokens) = (outFeatures, input.tokens)
    let scheme = activations(for: input.numerics)
    let rotated = rotation.map { LinearInput(input, rotatedBy: $0, on: pool) } ?? input
    let codes = (others.map { rotated.taking($0, on: pool) } ?? rotated)
      .prepared(for: scheme, on: pool)
    let kept = outliers.map { outliers in
      rotated.taking(columns, on: pool)
        .prepared(for: outliers.activations(for: input.numerics), on: pool)
    }
    let cost = rows * inFeatures * tokens / scheme.costDivisor
    let y = DisjointMemory(y)
    return LinearProduct(features: rows, tokens: tokens, cost: cost) {
      [rest, outliers, rowSums] part in
      let kernels = bb_kernels().pointee
      let atATime = max(1, min(8192, Self.cachedFloats / max(tokens, 1)) / 192) * 192
      withUnsafeTemporaryAllocation(
        of: Float.self, capacity: outliers == nil ? 1 : tokens * atATime
      ) { scratch in
        guard let added = scratch.baseAddress else { return }
        for first in stride(from: part.lowerBound, to: part.upperBound, by: atATime) {
          let some = first..<min(first + atATime, part.upperBound)
          rest.multiply(codes, rows: some, into: y + first, stride: rows)
          if let kept, let outliers {
            outliers.multiply(kept, rows: some, into: added, stride: atATime)
          }
          rowSums.withUnsafeBufferPointer { sums in
            guard let sums = sums.baseAddress else { return }
            for token in 0..<tokens {
              let target = y + token * rows + first
              if let offsets = codes.offsets {
                kernels.add_scaled(target, sums + first, offsets[token], some.count)
              }
              if outliers != nil { kernels.add(target, added + token * atATime, some.count) }
            }
          }
        }
      }
    }
  }

  /// Outputs that stay in a second-level cache between the parts.
  private static let cachedFloats = 65_536

  /// See `LinearWeights.withPackedRows`: of the codes.
  public func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void) {
    rest.withPackedRows(body)
  }

  /// See `LinearWeights.copyRow`: for inputs that are not rotated.
  public func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    guard let others else {
      rest.copyRow(index, into: target)
      rotation?.rotateBack(target)
      return
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: inFeatures) { row in
      guard let row = row.baseAddress else { return }
      rest.copyRow(index, into: row)
      outliers?.copyRow(index, into: row + others.count)
      for (place, column) in others.enumerated() { target[Int(column)] = row[place] }
      for (place, column) in columns.enumerated() {
        target[Int(column)] = row[others.count + place]
      }
    }
    rotation?.rotateBack(target)
  }
}
