import Tensors
import Testing

@testable import Quantizers

struct LanesTests {
  @Test func roundsHalvesToEven() {
    for value: Float in [-2.5, -1.5, -0.5, -0.49, 0, 0.5, 0.51, 1.5, 2.5, 254.5, 1000.7, -4095.5] {
      let rounded = Lanes(repeating: value).roundedToEven()
      #expect(rounded == Lanes(repeating: value.rounded(.toNearestOrEven)))
    }
  }

  @Test func bytesAreTheCodes() {
    for code in 0..<256 {
      #expect(Lanes(repeating: Float(code)).bytes() == SIMD16<UInt8>(repeating: UInt8(code)))
    }
    // Garbage in, garbage out, but no trap.
    _ = Lanes(repeating: .nan).bytes()
    _ = Lanes(repeating: -.infinity).bytes()
  }

  @Test func boundsWorkLaneByLane() {
    let values = Lanes((0..<Lanes.width).map { Float($0) })
    let bounded = values.atLeast(Lanes(repeating: 3)).atMost(Lanes(repeating: 9))
    for lane in 0..<Lanes.width { #expect(bounded[lane] == Float(min(max(lane, 3), 9))) }
  }

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
}
