import Foundation
import Tensors

/// Half-quadratic quantization: finds zero points (or, on a symmetric grid, scales) that leave few
/// large errors, from the weights alone.
///
/// It minimises `sum |w - w'|^p`, p < 1, by splitting off the large errors: `e = shrink(w - w')`
/// with `shrink(v) = sign(v) max(|v| - |v|^(p-1) / beta, 0)`; then the best parameters of each
/// group for `w - e` have a closed form.
///
/// - On the asymmetric grid the zero point, a real number, becomes the mean of `q - (w - e) /
///   scale`. Source: hqq (github.com/mobiusml/hqq), `core/optimize.py`. Where hqq takes a group
///   narrower than 1e-4 for constant, only one whose weights are all equal is here.
/// - On the symmetric ones, where that leaves nothing to find, the scale becomes `<w - e, q> / <q,
///   q>` instead.
public struct HQQ: WeightQuantizer, Hashable, Codable {
  /// The form of the result. On the asymmetric grid zero points are not integers.
  public let scheme: QuantizationScheme
  /// The exponent p.
  public let power: Float
  /// The start value of beta.
  public let beta: Float
  /// What beta is multiplied by after every step.
  public let betaGrowth: Float
  /// The most steps to take; it ends early when the mean absolute error of the matrix stops
  /// falling.
  public let iterations: Int
  /// Whether the parameters with the least error are taken, and not the last ones, as in hqq 0.2.8.
  public let keepsBest: Bool

  /// Checks and keeps the settings.
  ///
  /// - Throws: `QuantizerError.invalidSetting` unless 0 < power <= 1, beta > 0, betaGrowth >= 1,
  ///   iterations >= 0, and for a scale search on the asymmetric grid, whose scale is that of the
  ///   range.
  public init(
    scheme: QuantizationScheme, power: Float = 0.7, beta: Float = 10, betaGrowth: Float = 1.01,
    iterations: Int = 20, keepsBest: Bool = true
  ) throws(QuantizerError) {
    guard power > 0, power <= 1 else {
      throw .invalidSetting(name: "power", found: "\(power)", expected: "above 0, at most 1")
    }
    guard beta > 0, beta.isFinite else {
      throw .invalidSetting(name: "beta", found: "\(beta)", expected: "above 0")
    }
    guard betaGrowth >= 1, betaGrowth.isFinite else {
      throw .invalidSetting(name: "beta growth", found: "\(betaGrowth)", expected: "at least 1")
    }
    guard iterations >= 0 else {
      throw .invalidSetting(name: "iterations", found: "\(iterations)", expected: "at least 0")
    }
    guard scheme.grid != .asymmetric || scheme.scaleSearch == .range else {
      throw .invalidSetting(
        name: "scale search", found: scheme.scaleSearch.rawValue,
        expected: "range, on the asymmetric grid of HQQ")
    }
    self.scheme = scheme
    self.power = power
    self.beta = beta
    self.betaGrowth = betaGrowth
    self.iterations = iterations
    self.keepsBest = keepsBest
  }

  /// Decodes and checks like the other initializer.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      scheme: values.decode(QuantizationScheme.self, forKey: .scheme),
      power: values.decode(Float.self, forKey: .power),
      beta: values.decode(Float.self, forKey: .beta),
      betaGrowth: values.decode(Float.self, forKey: .betaGrowth),
      iterations: values.decode(Int.self, forKey: .iterations),
      keepsBest: values.decode(Bool.self, forKey: .keepsBest))
  }

  /// Quantizes each matrix; see `WeightQuantizer`. A Hessian is used for the report alone.
  ///
  /// - Throws: `QuantizerError.shapeMismatch` when a Hessian is given that does not suit the
  ///   inputs, `.scaleOutOfRange` when a scale does not fit its type, `.overflow` when the errors
  ///   are beyond F32, `.tensor` when a Hessian is given and memory is short.
  public func quantize(
    _ matrices: [WeightMatrix], hessian: Hessian?, on pool: ThreadPool
  ) throws(QuantizerError) -> [QuantizedLayer] {
    var layers: [QuantizedLayer] = []
    for matrix in matrices {
      var times = PhaseTimes()
      let (quantized, steps) = try times.measure(.rounding) { () throws(QuantizerError) in
        try round(matrix, on: pool)
      }
      var layer = try QuantizedLayer(
        quantized, of: matrix, hessian: hessian, on: pool, times: times)
      layer.report.iterations = steps
      layers.append(layer)
    }
    return layers
  }

  private func round(
    _ matrix: WeightMatrix, on pool: ThreadPool
  ) throws(QuantizerError) -> (QuantizedMatrix, steps: Int) {
    let order = Array(0..<matrix.inFeatures)
    let weights = ColumnMatrix(matrix, order: order, on: pool)
    var sheet = CodeSheet(scheme: scheme, outFeatures: matrix.outFeatures, order: order)
    let groupSize = sheet.groupSize
    sheet.fill { writer in
      weights.forEachGroup(of: groupSize, on: pool) { group in
        let grid = scheme.grid == .asymmetric ? rangeGrid(group) : scheme.fitGrid(group)
        writer.setGrid(grid, group: group)
      }
    }
    let steps = optimizeGrids(of: &sheet, for: weights, on: pool)
    sheet.fill { writer in
      weights.forEachGroup(of: groupSize, on: pool) { group in
        let grid = writer.grid(group: group.index, panel: group.panel)
        for column in 0..<group.count {
          writer.setCodes(
            grid.codesAroundRealZero(for: group.weights(column)),
            position: group.index * groupSize + column, panel: group.panel)
        }
      }
    }
    return (try sheet.assemble(on: pool), steps)
  }

  /// Steps until the error of the whole matrix stops falling; returns how many.
  private func optimizeGrids(
    of sheet: inout CodeSheet, for weights: ColumnMatrix<Float>, on pool: ThreadPool
  ) -> Int {
    let groupSize = sheet.groupSize
    var best = (scales: sheet.scales, zeros: sheet.zeros)
    var leastError = Double.infinity
    var beta = self.beta
    var steps = 0
    while steps < iterations {
      let weight = beta
      let before = (scales: sheet.scales, zeros: sheet.zeros)
      // A panel belongs to one thread, and the sum over the panels has a fixed order.
      var errors = [Double](repeating: 0, count: weights.panels)
      errors.withUnsafeMutableBufferPointer { all in
        guard let base = all.baseAddress else { return }
        let errors = DisjointMemory(base)
        sheet.fill { writer in
          weights.forEachGroup(of: groupSize, on: pool) { group in
            let grid = writer.grid(group: group.index, panel: group.panel)
            let step =
              scheme.grid == .asymmetric
              ? zeroStep(group, grid, beta: weight) : scaleStep(group, grid, beta: weight)
            errors[group.panel] += Double(step.error)
            writer.setGrid(step.grid, group: group)
          }
        }
      }
      steps += 1
      beta *= betaGrowth
      let error = errors.reduce(0, +)
      guard error < leastError else { break }
      leastError = error
      best = before
    }
    if keepsBest { (sheet.scales, sheet.zeros) = best }
    return steps
  }

  /// The grid from the least to the largest weight of a group, neither moved to include 0. A group
  /// of equal weights gets a zero point that meets them exactly.
  private func rangeGrid(_ group: ColumnGroup) -> GroupGrid {
    var low = group.weights(0)
    var high = low
    for column in 1..<max(group.count, 1) {
      low = low.atMost(group.weights(column))
      high = high.atLeast(group.weights(column))
    }
    var width = (high - low) / scheme.maxCode
    width.replace(with: 1, where: high .== low)
    let scale = scheme.storable(width)
    return GroupGrid(scale: scale, zero: -low / scale, maxCode: scheme.maxCode)
  }

  /// The sum of `|w - w'|` in a group, and the grid with the next zero points.
  private func zeroStep(
    _ group: ColumnGroup, _ grid: GroupGrid, beta: Float
  ) -> (error: Float, grid: GroupGrid) {
    var error = Lanes.zero
    var zeros = Lanes.zero
    for column in 0..<group.count {
      let weights = group.weights(column)
      let codes = grid.codesAroundRealZero(for: weights)
      let difference = weights - grid.weights(for: codes)
      error += difference.magnitudes
      zeros += codes - (weights - shrink(difference, beta: beta)) / grid.scale
    }
    var next = grid
    next.zero = zeros / Float(group.count)
    return (error.sum(), next)
  }

  /// The sum of `|w - w'|` in a group, and the grid with the next scales.
  private func scaleStep(
    _ group: ColumnGroup, _ grid: GroupGrid, beta: Float
  ) -> (error: Float, grid: GroupGrid) {
    var error = Lanes.zero
    var products = Lanes.zero
    var squares = Lanes.zero
    for column in 0..<group.count {
      let weights = group.weights(column)
      let steps = grid.codes(for: weights) - grid.zero
      let difference = weights - grid.scale * steps
      error += difference.magnitudes
      products += (weights - shrink(difference, beta: beta)) * steps
      squares += steps * steps
    }
    var next = grid
    next.scale.replace(
      with: scheme.storable(products / squares), where: (squares .> 0) .& (products .> 0))
    return (error.sum(), next)
  }

  /// `sign(v) max(|v| - |v|^(p-1) / beta, 0)`; 0 at 0.
  @inline(__always)
  private func shrink(_ values: Lanes, beta: Float) -> Lanes {
    var powers = Lanes.zero
    for lane in 0..<Lanes.width { powers[lane] = pow(abs(values[lane]), power - 1) }
    let size = (values.magnitudes - powers / beta).atLeast(.zero)
    return size.replacing(with: -size, where: values .< 0)
  }
}

extension GroupGrid {
  /// The codes nearest to `weights` where zero points are no integers: `clamp(rint(w / scale +
  /// zero), 0, maxCode)`.
  @inline(__always)
  fileprivate func codesAroundRealZero(for weights: Lanes) -> Lanes {
    (weights / scale + zero).atLeast(.zero).atMost(Lanes(repeating: maxCode)).roundedToEven()
  }
}
