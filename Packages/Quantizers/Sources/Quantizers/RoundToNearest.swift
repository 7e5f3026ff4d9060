import Tensors

/// Round-to-nearest: every weight becomes the nearest value of its group's grid. Needs no
/// calibration.
public struct RoundToNearest: WeightQuantizer, Hashable, Codable {
  /// The form of the result.
  public let scheme: QuantizationScheme

  /// A quantizer for `scheme`.
  public init(scheme: QuantizationScheme) { self.scheme = scheme }

  /// Quantizes each matrix; see `WeightQuantizer`.
  ///
  /// - Throws: `QuantizerError.shapeMismatch` when a Hessian is given that does not suit the
  ///   inputs, `.scaleOutOfRange` when a scale does not fit its type, `.overflow` when the errors
  ///   are beyond F32, `.tensor` when a Hessian is given and memory is short.
  public func quantize(
    _ matrices: [WeightMatrix], hessian: Hessian?, on pool: ThreadPool
  ) throws(QuantizerError) -> [QuantizedLayer] {
    var layers: [QuantizedLayer] = []
    for matrix in matrices {
      layers.append(
        try QuantizedLayer(round(matrix, on: pool), of: matrix, hessian: hessian, on: pool))
    }
    return layers
  }

  private func round(
    _ matrix: WeightMatrix, on pool: ThreadPool
  ) throws(QuantizerError) -> QuantizedMatrix {
    let order = Array(0..<matrix.inFeatures)
    let weights = ColumnMatrix(matrix, order: order, on: pool)
    var sheet = CodeSheet(scheme: scheme, outFeatures: matrix.outFeatures, order: order)
    let groupSize = sheet.groupSize
    sheet.fill { writer in
      weights.forEachGroup(of: groupSize, on: pool) { group in
        let grid = scheme.fitGrid(group)
        writer.setGrid(grid, group: group)
        for column in 0..<group.count {
          writer.setCodes(
            grid.codes(for: group.weights(column)), position: group.index * groupSize + column,
            panel: group.panel)
        }
      }
    }
    return try sheet.assemble(on: pool)
  }
}
