import Tensors
import Testing

@testable import Quantizers

struct ColumnMatrixTests {
  @Test func columnsStandInTheGivenOrder() throws {
    let (rows, width) = (35, 37)
    let weights = try WeightMatrix(
      noise(rows * width, seed: 40), outFeatures: rows, inFeatures: width)
    let order = (0..<width).map { ($0 * 5) % width }
    let columns = ColumnMatrix(weights, order: order, on: try ThreadPool(workers: 2))
    #expect(columns.stride == 48)
    for position in 0..<width {
      for row in 0..<columns.stride {
        let expected = row < rows ? weights.values[row * width + order[position]] : 0
        #expect(columns.values[position * columns.stride + row] == expected)
      }
    }
  }

  /// Every column of every row is seen once, the last group short.
  @Test(arguments: [1, 8, 10, 64])
  func groupsCoverTheMatrix(size: Int) throws {
    let (rows, width) = (35, 37)
    let weights = try WeightMatrix(
      noise(rows * width, seed: 41), outFeatures: rows, inFeatures: width)
    let pool = try ThreadPool(workers: 1)
    let columns = ColumnMatrix(weights, order: Array(0..<width), on: pool)
    let buffer = GrowingBuffer<Float>()
    let seen = DisjointMemory(buffer.reserve(48 * width))
    seen.base.update(repeating: .nan, count: 48 * width)
    columns.forEachGroup(of: size, on: pool) { group in
      for column in 0..<group.count {
        let position = group.index * size + column
        for lane in 0..<Lanes.width {
          seen[position * 48 + group.panel * Lanes.width + lane] = group.weights(column)[lane]
        }
      }
    }
    #expect(Array(UnsafeBufferPointer(start: seen.base, count: 48 * width)) == columns.values)
  }
}
