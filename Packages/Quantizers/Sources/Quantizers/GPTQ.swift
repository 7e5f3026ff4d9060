import Tensors

/// GPTQ: columns are rounded one after the other, and what rounding one of them breaks is made up
/// for by those still to come, as well as the calibration activations allow.
///
/// Source: arXiv:2210.17323, algorithm 1. The defaults give the best accuracy that needs no group
/// index at run time: columns by falling activation, groups of original neighbours with scales from
/// the original weights.
public struct GPTQ: WeightQuantizer, Hashable, Codable {
  /// The order in which columns are rounded.
  public enum ColumnOrder: String, Sendable, Hashable, Codable, CaseIterable {
    /// As they stand in the matrix.
    case natural
    /// By falling diagonal of the Hessian ("act-order"): the most used inputs first, while there
    /// are many columns left to make up for them.
    case activation
  }

  /// When a group's grid is found, and from which weights.
  public enum GroupGrids: String, Sendable, Hashable, Codable, CaseIterable {
    /// Before the first column is rounded, for groups of neighbours in the original matrix ("static
    /// groups").
    case fixed
    /// When the group's first column is reached, for groups of neighbours in the processed order,
    /// from weights that only finished blocks have changed, as the published code has it. With
    /// `ColumnOrder.activation` the result has a group index.
    case finishedBlocks
    /// Like `finishedBlocks`, but from weights that all earlier columns have changed. The two
    /// differ only where a block holds several groups.
    case current
  }

  /// The form of the result.
  public let scheme: QuantizationScheme
  /// What is added to the Hessian's diagonal, as a fraction of its mean. Doubled while the Hessian
  /// is not positive definite.
  public let damping: Float
  /// The order in which columns are rounded.
  public let columnOrder: ColumnOrder
  /// When grids are found. One scale a row is always found before the first column is rounded.
  public let groupGrids: GroupGrids

  /// Columns that are rounded before the rest of the matrix is brought up to date.
  static let blockSize = 128

  /// Checks and keeps the settings.
  ///
  /// - Throws: `QuantizerError.invalidSetting` unless `damping` is at least 0 and at most 1.
  public init(
    scheme: QuantizationScheme, damping: Float = 0.01, columnOrder: ColumnOrder = .activation,
    groupGrids: GroupGrids = .fixed
  ) throws(QuantizerError) {
    guard damping >= 0, damping <= 1 else {
      throw .invalidSetting(name: "damping", found: "\(damping)", expected: "0 to 1")
    }
    self.scheme = scheme
    self.damping = damping
    self.columnOrder = columnOrder
    self.groupGrids = groupGrids
  }

  /// Decodes and checks like the other initializer.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      scheme: values.decode(QuantizationScheme.self, forKey: .scheme),
      damping: values.decode(Float.self, forKey: .damping),
      columnOrder: values.decode(ColumnOrder.self, forKey: .columnOrder),
      groupGrids: values.decode(GroupGrids.self, forKey: .groupGrids))
  }

  /// Quantizes matrices that read the same inputs; see `WeightQuantizer`.
  ///
  /// - Throws: `QuantizerError.missingHessian` without one, `.shapeMismatch` when it does not suit
  ///   the inputs, `.notPositiveDefinite` when no damping up to 1 helps, `.scaleOutOfRange` when a
  ///   scale does not fit its type, `.overflow` when the errors are beyond F32, `.tensor` when
  ///   memory is short.
  public func quantize(
    _ matrices: [WeightMatrix], hessian: Hessian?, on pool: ThreadPool
  ) throws(QuantizerError) -> [QuantizedLayer] {
    guard let hessian else { throw .missingHessian(method: "GPTQ") }
    for matrix in matrices { try hessian.check(order: matrix.inFeatures) }
    let algebra = try openAlgebra(on: pool)
    var times = PhaseTimes()
    let factor = try times.measure(.factor) { () throws(QuantizerError) in
      try HessianFactor(
        hessian, damping: damping, byActivation: columnOrder == .activation, using: algebra)
    }
    var layers: [QuantizedLayer] = []
    for matrix in matrices {
      let rounded = try round(matrix, factor, using: algebra, times: &times).codes
      var layer = try QuantizedLayer(
        rounded, of: matrix, hessian: hessian, on: pool, times: times)
      times = PhaseTimes()
      layer.report.damping = factor.damping
      layer.report.dampingRaises = factor.raises
      layer.report.deadInputs = factor.deadInputs.count
      layers.append(layer)
    }
    return layers
  }

  /// Rounds a matrix but for the last `kept` columns in the factor's order, which take up the
  /// errors of all others and stay as they are then, `[out, kept]`. Codes are those of the others
  /// in their original order.
  func round(
    _ matrix: WeightMatrix, _ factor: HessianFactor, kept: Int = 0,
    using algebra: LinearAlgebra, times: inout PhaseTimes
  ) throws(QuantizerError) -> (codes: QuantizedMatrix, kept: [Float]) {
    let isFixed = groupGrids == .fixed || scheme.groupSize == nil
    let rounded = matrix.inFeatures - kept
    let columns = factor.order.prefix(rounded).sorted()
    var place = [Int](repeating: 0, count: matrix.inFeatures)
    for (position, column) in columns.enumerated() { place[column] = position }
    var sheet = CodeSheet(
      scheme: scheme, outFeatures: matrix.outFeatures,
      order: factor.order.prefix(rounded).map { place[$0] },
      groupsFollowOrder: !isFixed && columnOrder == .activation)
    let isDead = Set(factor.deadInputs)
    if isFixed {
      times.measure(.grids) {
        var original = ColumnMatrix(matrix, order: columns, on: algebra.pool)
        original.clear(columns: columns.indices.filter { isDead.contains(columns[$0]) })
        sheet.fitAllGrids(to: original, on: algebra.pool)
      }
    }
    var weights = ColumnMatrix(matrix, order: factor.order, on: algebra.pool)
    weights.clear(columns: factor.order.indices.filter { isDead.contains(factor.order[$0]) })

    let n = matrix.inFeatures
    let stride = weights.stride
    var errors = [Float](repeating: 0, count: Self.blockSize * stride)
    var first = 0
    while first < rounded {
      let block =
        first..<endOfBlock(from: first, inFeatures: rounded, isFixed: isFixed, sheet.groupSize)
      times.measure(.columns) {
        let rounding = BlockRounding(
          block, factor: factor, sheet: sheet, grids: isFixed ? .fixed : groupGrids)
        rounding.run(on: &weights, errors: &errors, sheet: &sheet, pool: algebra.pool)
      }
      times.measure(.updates) {
        // All later columns at once: W[rest] -= U[block, rest]^T E.
        withStorage(&weights.values, factor.upper) { weights, upper in
          algebra.multiply(
            m: n - block.upperBound, n: stride, k: block.count, scale: -1,
            upper + block.lowerBound * n + block.upperBound, aStride: n, transposed: true, errors,
            bStride: stride, adding: true, into: weights + block.upperBound * stride,
            cStride: stride)
        }
      }
      first = block.upperBound
    }
    let codes = try times.measure(.storing) { () throws(QuantizerError) in
      try sheet.assemble(on: algebra.pool)
    }
    let values = (0..<matrix.outFeatures).flatMap { row in
      (rounded..<n).map { weights.values[$0 * stride + row] }
    }
    return (codes, values)
  }

  /// A block has up to 128 columns. Where grids are found on the way it holds whole groups or lies
  /// inside one: 128 columns for every group size that divides 128 or is a multiple of it.
  private func endOfBlock(
    from first: Int, inFeatures: Int, isFixed: Bool, _ groupSize: Int
  ) -> Int {
    let size: Int
    if isFixed {
      size = Self.blockSize
    } else if groupSize <= Self.blockSize {
      size = Self.blockSize / groupSize * groupSize
    } else {
      size = min(Self.blockSize, groupSize - first % groupSize)
    }
    return min(first + size, inFeatures)
  }
}
