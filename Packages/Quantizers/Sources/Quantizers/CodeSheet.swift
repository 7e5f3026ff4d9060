import Tensors

/// A quantized matrix in the making: codes and grids column after column, in the order they are
/// processed in.
struct CodeSheet: Sendable {
  let scheme: QuantizationScheme
  /// Original column of each position.
  let order: [Int]
  /// Inputs that share a grid.
  let groupSize: Int
  /// Whether groups are made of neighbours in the processed order, and not of original neighbours.
  let groupsFollowOrder: Bool
  var codes: ColumnMatrix<UInt8>
  /// `[groups][rows]`.
  var scales: ColumnMatrix<Float>
  /// `[groups][rows]`.
  var zeros: ColumnMatrix<Float>

  init(
    scheme: QuantizationScheme, outFeatures: Int, order: [Int], groupsFollowOrder: Bool = false
  ) {
    self.scheme = scheme
    self.order = order
    self.groupsFollowOrder = groupsFollowOrder
    groupSize = scheme.inputsPerGroup(inFeatures: order.count)
    let groups = (order.count + groupSize - 1) / groupSize
    codes = ColumnMatrix(repeating: 0, outFeatures: outFeatures, inFeatures: order.count)
    scales = ColumnMatrix(repeating: 1, outFeatures: outFeatures, inFeatures: groups)
    zeros = ColumnMatrix(repeating: 0, outFeatures: outFeatures, inFeatures: groups)
  }

  /// Group of the column at a position.
  func group(ofPosition position: Int) -> Int {
    (groupsFollowOrder ? position : order[position]) / groupSize
  }

  /// Calls `body` with what writes to the sheet; different panels may be written by different
  /// threads.
  mutating func fill(_ body: (SheetWriter) -> Void) {
    let (stride, maxCode) = (codes.stride, scheme.maxCode)
    codes.values.withUnsafeMutableBufferPointer { codes in
      withStorage(&scales.values, &zeros.values) { scales, zeros in
        guard let codes = codes.baseAddress else { return }
        body(
          SheetWriter(
            codes: DisjointMemory(codes), scales: scales, zeros: zeros, stride: stride,
            maxCode: maxCode))
      }
    }
  }

  /// Finds the grid of every group of neighbours in `weights`, which hold the columns in their
  /// original order.
  mutating func fitAllGrids(to weights: ColumnMatrix<Float>, on pool: ThreadPool) {
    let (scheme, groupSize) = (self.scheme, self.groupSize)
    fill { writer in
      weights.forEachGroup(of: groupSize, on: pool) { group in
        writer.setGrid(scheme.fitGrid(group), group: group)
      }
    }
  }

  /// The finished matrix, columns in their original order.
  ///
  /// - Throws: `QuantizerError.scaleOutOfRange` for a scale that is not finite in its type.
  func assemble(on pool: ThreadPool) throws(QuantizerError) -> QuantizedMatrix {
    let (rows, width, groups) = (codes.outFeatures, codes.inFeatures, scales.inFeatures)
    let rowScales = byRow(scales)
    if let wrong = firstNonFinite(in: rowScales) {
      throw .scaleOutOfRange(row: wrong / groups, group: wrong % groups, type: scheme.scaleType)
    }
    var rowCodes = [UInt8](repeating: 0, count: rows * width)
    let (order, stride) = (self.order, codes.stride)
    withStorage(&rowCodes, codes.values) { target, source in
      pool.split(rows, granularity: Lanes.width) { rows in
        for first in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: Lanes.width) {
          for position in 0..<width {
            let column = source + position * stride
            for row in first..<min(first + Lanes.width, rows.upperBound) {
              target[row * width + order[position]] = column[row]
            }
          }
        }
      }
    }
    var groupIndex: [Int32]?
    if groupsFollowOrder && groups > 1 {
      var index = [Int32](repeating: 0, count: width)
      for position in 0..<width { index[order[position]] = Int32(position / groupSize) }
      groupIndex = index
    }
    do {
      return try QuantizedMatrix(
        bits: scheme.bits, outFeatures: rows, inFeatures: width, groupSize: groupSize,
        codes: rowCodes, scales: rowScales,
        zeros: scheme.grid == .asymmetric ? byRow(zeros) : nil, groupIndex: groupIndex)
    } catch {
      throw .tensor(error)
    }
  }

  private func byRow(_ table: ColumnMatrix<Float>) -> [Float] {
    (0..<table.outFeatures).flatMap { row in
      (0..<table.inFeatures).map { table.values[$0 * table.stride + row] }
    }
  }
}

/// Writes codes and grids of 16 rows ("a panel") at a time; a panel belongs to one worker.
struct SheetWriter: Sendable {
  fileprivate let codes: DisjointMemory<UInt8>
  fileprivate let scales: DisjointMemory<Float>
  fileprivate let zeros: DisjointMemory<Float>
  fileprivate let stride: Int
  fileprivate let maxCode: Float

  @inline(__always)
  func setCodes(_ values: Lanes, position: Int, panel: Int) {
    UnsafeMutableRawPointer(codes + position * stride + panel * Lanes.width).storeBytes(
      of: values.bytes(), as: SIMD16<UInt8>.self)
  }

  func setGrid(_ grid: GroupGrid, group: ColumnGroup) {
    grid.scale.store(at: scales + group.index * stride + group.panel * Lanes.width)
    grid.zero.store(at: zeros + group.index * stride + group.panel * Lanes.width)
  }

  func grid(group: Int, panel: Int) -> GroupGrid {
    GroupGrid(
      scale: Lanes(at: scales + group * stride + panel * Lanes.width),
      zero: Lanes(at: zeros + group * stride + panel * Lanes.width), maxCode: maxCode)
  }
}
