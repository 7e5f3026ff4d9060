import Tensors
import Testing

@testable import Quantizers

struct GroupGridTests {
  /// The grid of one group, the same in all rows.
  private func fit(
    _ values: [Float], bits: Int = 4, _ grid: QuantizationScheme.Grid, scaleType: DType = .f32
  ) throws -> (scale: Float, zero: Float) {
    let scheme = try QuantizationScheme(bits: bits, grid: grid, scaleType: scaleType)
    let columns = values.flatMap { [Float](repeating: $0, count: Lanes.width) }
    let fitted = columns.withUnsafeBufferPointer { columns in
      columns.baseAddress.map {
        scheme.fitGrid(
          ColumnGroup($0, stride: Lanes.width, count: values.count, index: 0, panel: 0))
      }
    }
    let found = try #require(fitted)
    return (found.scale[3], found.zero[3])
  }

  @Test func scalesFollowTheirDefinitions() throws {
    let values: [Float] = [0.5, -1.5, 0.25]
    #expect(try fit(values, .symmetric) == (0.2, 8))
    #expect(try fit(values, bits: 8, .symmetric) == (1.5 / 127.5, 128))
    #expect(try fit(values, .absmax) == (1.5 / 7, 8))
    #expect(try fit(values, .asymmetric) == (2 / Float(15), 11))
    // The range always includes 0, and a symmetric grid is symmetric whatever the signs.
    #expect(try fit([1, 3], .asymmetric) == (0.2, 0))
    #expect(try fit([1, 3], .symmetric) == (0.4, 8))
  }

  @Test(arguments: QuantizationScheme.Grid.allCases)
  func groupsOfZerosGetAFiniteScale(grid: QuantizationScheme.Grid) throws {
    let (scale, zero) = try fit([0, 0], grid)
    #expect(scale > 0 && scale.isFinite)
    #expect(zero == 7 || zero == 8)
  }

  @Test func scalesAreRoundedToTheirTypeBeforeUse() throws {
    let scheme = try QuantizationScheme(scaleType: .bf16)
    for (scale, expected): (Float, Float) in [
      (1, 1), (1.00390625, 1), (1.01171875, 1.015625), (1.0040, 1.0078125), (3.1, 3.09375),
      (0, .leastNormalMagnitude), (.infinity, .infinity), (.greatestFiniteMagnitude, .infinity),
    ] {
      #expect(scheme.storable(Lanes(repeating: scale)) == Lanes(repeating: expected))
    }
    #expect(try fit([0.3], .symmetric, scaleType: .f16).scale == Float(Float16(0.3 / 7.5 as Float)))
    #expect(try fit([1e-30], .symmetric, scaleType: .f16).scale == 0x1p-24)
  }
}
