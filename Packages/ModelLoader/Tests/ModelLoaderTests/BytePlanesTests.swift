import Testing

@testable import ModelLoader

@Suite("Byte planes")
struct BytePlanesTests {
  @Test("planes join to what was split", arguments: [0, 2, 64, 1000])
  func roundTrip(count: Int) {
    let source = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 73 &+ $0 >> 3) }
    var planes = [UInt8](repeating: 0, count: count)
    var joined = planes
    source.withUnsafeBytes { source in
      planes.withUnsafeMutableBytes { BytePlanes.split(source, into: $0) }
    }
    planes.withUnsafeBytes { planes in
      joined.withUnsafeMutableBytes { BytePlanes.join(planes, into: $0) }
    }
    #expect(joined == source)
    let halves =
      stride(from: 0, to: count, by: 2).map { source[$0] }
      + stride(from: 1, to: count, by: 2).map { source[$0] }
    #expect(planes == halves)
  }
}
