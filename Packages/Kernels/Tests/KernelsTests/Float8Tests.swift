import Kernels
import Testing

@Suite struct Float8Tests {
  /// The code whose value is nearest, by trying all; ties go to the even code.
  private func nearest(_ x: Float) -> UInt8 {
    let sign: UInt8 = x.sign == .minus ? 0x80 : 0
    let codes = (UInt8(0)...0x7e).map { $0 | sign }
    return codes.min { a, b in
      let (left, right) = (
        abs(Double(bb_float8_value(a)) - Double(x)), abs(Double(bb_float8_value(b)) - Double(x))
      )
      return left != right ? left < right : a % 2 < b % 2
    } ?? 0
  }

  @Test func theNearestCodeIsFoundAtEveryValueAndBetween() {
    for code in UInt8(0)...255 where code & 0x7f != 0x7f {
      let value = bb_float8_value(code)
      #expect(bb_float8_code(value) == code)
      guard code & 0x7f < 0x7e else { continue }
      let middle = (value + bb_float8_value(code + 1)) / 2
      for x in [middle, middle.nextUp, middle.nextDown] {
        #expect(bb_float8_code(x) == nearest(x), "\(x)")
      }
    }
    #expect(bb_float8_code(1e30) == 0x7e && bb_float8_code(-.infinity) == 0xfe)
    #expect(bb_float8_code(.nan) & 0x7f == 0x7f && bb_float8_value(0xff).isNaN)
  }

  @Test(arguments: [1, 7, 16, 33, 1000])
  func aRowIsRoundedToTheNearestValuesOfItsScale(width: Int) {
    var numbers = Numbers(seed: UInt64(width))
    let x = numbers.floats(width)
    var values = [UInt16](repeating: 0, count: width)
    var scale: Float = -1
    bb_float8_round(x, width, &values, &scale)
    #expect(scale == (x.map(abs).max() ?? 0) / 448)
    for (value, x) in zip(values, x) {
      let found = Float(bitPattern: UInt32(value) << 16)
      #expect(found == bb_float8_value(bb_float8_code(x / scale)))
    }
  }

  @Test func rowsWithoutASizeStayVisible() {
    var values = [UInt16](repeating: 9, count: 4)
    var scale: Float = -1
    bb_float8_round([0, 0, -0.0, 0], 4, &values, &scale)
    #expect(scale == 0 && values.allSatisfy { $0 & 0x7fff == 0 })
    for bad in [Float.nan, .infinity, -.infinity] {
      bb_float8_round([1, bad, 2, 3], 4, &values, &scale)
      #expect(scale.isNaN)
    }
  }
}
