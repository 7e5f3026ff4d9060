import Tensors

/// Inputs of a layer that are not rounded: those with the largest activations (QUIK,
/// arXiv:2310.09259).
public struct OutlierChoice: Sendable, Hashable {
  /// The most inputs.
  public let count: Int
  /// A layer whose largest activation is at most this has none.
  public let threshold: Float

  /// So many inputs, where activations are above the threshold.
  public init(count: Int, threshold: Float = 0) {
    self.count = count
    self.threshold = threshold
  }

  /// The inputs, rising; at most half of all.
  ///
  /// - Parameter scores: of each input the largest magnitude that calibration met.
  /// - Returns: those with the largest scores, of equal ones the later.
  public func columns(for scores: [Float]) -> [Int] {
    guard let largest = scores.max(), largest > threshold else { return [] }
    let rising = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
    return rising.suffix(min(count, scores.count / 2)).sorted()
  }
}

/// A matrix of which some inputs were not rounded, and what is known about its quality.
public struct OutlierLayer: Sendable {
  /// `[out, in - outliers]`: codes of the other inputs in their order, one scale a row.
  public let codes: QuantizedMatrix
  /// `[out, outliers]`: the weights of the outliers, with the errors of all others taken up (GPTQ).
  public let outliers: [Float]
  /// How far it is from the original.
  public internal(set) var report: QuantizationReport
  /// Where the time went; what several layers shared counts for the first of them.
  public internal(set) var times: PhaseTimes

  /// Measures the errors.
  fileprivate init(
    _ codes: QuantizedMatrix, outliers: [Float], at columns: [Int], of original: WeightMatrix,
    hessian: Hessian?, on pool: ThreadPool
  ) throws(QuantizerError) {
    self.codes = codes
    self.outliers = outliers
    times = PhaseTimes()
    let (rounded, width) = (codes.dequantized(), original.inFeatures)
    let isOutlier = Set(columns)
    let others = (0..<width).filter { !isOutlier.contains($0) }
    var values = [Float](repeating: 0, count: original.values.count)
    for row in 0..<original.outFeatures {
      for (place, column) in others.enumerated() {
        values[row * width + column] = rounded[row * others.count + place]
      }
      for (place, column) in columns.enumerated() {
        values[row * width + column] = outliers[row * columns.count + place]
      }
    }
    report = try QuantizationReport(values, of: original, hessian: hessian, on: pool)
  }
}

extension GPTQ {
  /// Quantizes matrices that read the same inputs, outliers last: these take up what rounding all
  /// others breaks. With no outliers it is `quantize(_:hessian:on:)`.
  ///
  /// - Parameters:
  ///   - matrices: each `[out, in]`, all with the same `in`; the scheme has one scale a row.
  ///   - outliers: inputs that are not rounded, rising.
  ///   - hessian: statistics of the inputs.
  ///   - pool: threads to use.
  /// - Returns: one layer for each matrix, in their order.
  /// - Throws: as `quantize(_:hessian:on:)`, `.invalidSetting` for scales of groups.
  public func quantize(
    _ matrices: [WeightMatrix], besides outliers: [Int], hessian: Hessian?, on pool: ThreadPool
  ) throws(QuantizerError) -> [OutlierLayer] {
    try scheme.checkOneScaleARow()
    guard let hessian else { throw .missingHessian(method: "GPTQ") }
    for matrix in matrices { try hessian.check(order: matrix.inFeatures) }
    let algebra = try openAlgebra(on: pool)
    var times = PhaseTimes()
    let factor = try times.measure(.factor) { () throws(QuantizerError) in
      try HessianFactor(
        hessian, damping: damping, byActivation: columnOrder == .activation, last: outliers,
        using: algebra)
    }
    var layers: [OutlierLayer] = []
    for matrix in matrices {
      let found = try round(
        matrix, factor, kept: outliers.count, using: algebra, times: &times)
      var layer = try OutlierLayer(
        found.codes, outliers: found.kept, at: outliers, of: matrix, hessian: hessian, on: pool)
      layer.times = times
      times = PhaseTimes()
      layer.report.damping = factor.damping
      layer.report.dampingRaises = factor.raises
      layer.report.deadInputs = factor.deadInputs.count
      layers.append(layer)
    }
    return layers
  }
}

extension RoundToNearest {
  /// Rounds each matrix but for its outliers, which stay as they are.
  ///
  /// - Parameters: as of `GPTQ.quantize(_:besides:hessian:on:)`; the Hessian serves the report
  ///   alone.
  /// - Returns: one layer for each matrix, in their order.
  /// - Throws: as `quantize(_:hessian:on:)`, `.invalidSetting` for scales of groups.
  public func quantize(
    _ matrices: [WeightMatrix], besides outliers: [Int], hessian: Hessian?, on pool: ThreadPool
  ) throws(QuantizerError) -> [OutlierLayer] {
    try scheme.checkOneScaleARow()
    let isOutlier = Set(outliers)
    var layers: [OutlierLayer] = []
    for matrix in matrices {
      let width = matrix.inFeatures
      let others = (0..<width).filter { !isOutlier.contains($0) }
      func columns(_ some: [Int]) -> [Float] {
        (0..<matrix.outFeatures).flatMap { row in some.map { matrix.values[row * width + $0] } }
      }
      let rest = try WeightMatrix(
        columns(others), outFeatures: matrix.outFeatures, inFeatures: others.count)
      layers.append(
        try OutlierLayer(
          quantize([rest], hessian: nil, on: pool)[0].matrix, outliers: columns(outliers),
          at: outliers, of: matrix, hessian: hessian, on: pool))
    }
    return layers
  }
}

extension QuantizationScheme {
  fileprivate func checkOneScaleARow() throws(QuantizerError) {
    guard groupSize == nil else {
      throw .invalidSetting(
        name: "group size", found: "\(groupSize ?? 0)",
        expected: "one scale a row beside outliers")
    }
  }
}

extension Hessian {
  /// That of the same inputs rotated: R H R^T.
  ///
  /// - Throws: `QuantizerError.shapeMismatch` for a rotation of another width.
  public func rotated(by rotation: Hadamard) throws(QuantizerError) -> Hessian {
    try check(order: rotation.width)
    var values = values
    for _ in 0..<2 {
      values.withUnsafeMutableBufferPointer { values in
        guard let base = values.baseAddress else { return }
        for row in 0..<order { rotation.rotate(base + row * order) }
        for row in 0..<order {
          for column in 0..<row {
            let (a, b) = (row * order + column, column * order + row)
            (base[a], base[b]) = (base[b], base[a])
          }
        }
      }
    }
    return try Hessian(values: values, order: order, samples: samples)
  }

  /// That of the same inputs, each divided by a number of its own.
  ///
  /// - Throws: `QuantizerError.shapeMismatch` unless there are as many numbers, `.nonFiniteHessian`
  ///   where one is too small.
  public func divided(by divisors: [Float]) throws(QuantizerError) -> Hessian {
    try check(order: divisors.count)
    var values = values
    for row in 0..<order {
      for column in 0..<order {
        values[row * order + column] /= divisors[row] * divisors[column]
      }
    }
    return try Hessian(values: values, order: order, samples: samples)
  }
}
