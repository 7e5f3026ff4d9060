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
      var times = PhaseTimes()
      let rounded = try times.measure(.rounding) { () throws(QuantizerError) in
        try round(matrix, on: pool)
      }
      layers.append(
        try QuantizedLayer(rounded, of: matrix, hessian: hessian, on: pool, times: times))
    }
    return layers
  }

  private func round(
    _ matrix: WeightMatrix, on pool: ThreadPool
  ) throws(QuantizerError) -> QuantizedMatrix {
    let (rows, width) = (matrix.outFeatures, matrix.inFeatures)
    let size = scheme.inputsPerGroup(inFeatures: width)
    let groups = (width + size - 1) / size
    var codes = [UInt8](repeating: 0, count: rows * width)
    var scales = [Float](repeating: 1, count: rows * groups)
    var zeros = [Float](repeating: 0, count: rows * groups)
    withStorage(&codes, matrix.values) { codes, weights in
      withStorage(&scales, &zeros) { scales, zeros in
        pool.split((rows + Lanes.width - 1) / Lanes.width) { panels in
          let tile = Tile(columns: size)
          for panel in panels {
            let first = panel * Lanes.width
            let height = min(Lanes.width, rows - first)
            for group in 0..<groups {
              let start = first * width + group * size
              let grid = tile.round(
                weights + start, rows: height, count: min(size, width - group * size),
                step: width, by: scheme, into: codes + start)
              for row in 0..<height {
                let place = (first + row) * groups + group
                (scales[place], zeros[place]) = (grid.scale[row], grid.zero[row])
              }
            }
          }
        }
      }
    }
    if let wrong = firstNonFinite(in: scales) {
      throw .scaleOutOfRange(row: wrong / groups, group: wrong % groups, type: scheme.scaleType)
    }
    do {
      return try QuantizedMatrix(
        bits: scheme.bits, outFeatures: rows, inFeatures: width, groupSize: size, codes: codes,
        scales: scales, zeros: scheme.grid == .asymmetric ? zeros : nil)
    } catch {
      throw .tensor(error)
    }
  }
}

/// Up to 16 rows of a group of columns, taken out of a matrix and put back as codes while they are
/// in the cache.
private final class Tile {
  private let weights = GrowingBuffer<Float>()
  private let codes = GrowingBuffer<UInt8>()
  private let columns: Int

  /// Room for so many columns.
  init(columns: Int) { self.columns = columns }

  /// Rounds a group.
  ///
  /// - Parameters:
  ///   - source: its first weight.
  ///   - rows: how many rows it has, at most 16.
  ///   - count: how many columns.
  ///   - step: elements from one row of the matrix to the next.
  ///   - scheme: what codes look like.
  ///   - target: where its first code goes.
  /// - Returns: what the codes of each row stand for.
  func round(
    _ source: UnsafePointer<Float>, rows: Int, count: Int, step: Int,
    by scheme: QuantizationScheme, into target: UnsafeMutablePointer<UInt8>
  ) -> GroupGrid {
    let weights = weights.reserve(columns * Lanes.width)
    let codes = codes.reserve(columns * Lanes.width)
    if rows < Lanes.width { weights.update(repeating: 0, count: columns * Lanes.width) }
    for row in 0..<rows {
      for column in 0..<count { weights[column * Lanes.width + row] = source[row * step + column] }
    }
    let group = ColumnGroup(weights, stride: Lanes.width, count: count, index: 0, panel: 0)
    let grid = scheme.fitGrid(group)
    for column in 0..<count {
      UnsafeMutableRawPointer(codes + column * Lanes.width).storeBytes(
        of: grid.codes(for: group.weights(column)).bytes(), as: SIMD16<UInt8>.self)
    }
    for row in 0..<rows {
      for column in 0..<count { target[row * step + column] = codes[column * Lanes.width + row] }
    }
    return grid
  }
}
