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
}
