/// Splits 16-bit elements into a plane of low bytes and a plane of high bytes, and back.
///
/// The high bytes of trained weights hold sign and exponent and take few values; apart from the low
/// bytes, which are nearly random, they shrink to a third.
enum BytePlanes {
  /// Writes the elements in `source`, an even number of bytes, as planes into `target` of the same
  /// size.
  static func split(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
    let count = source.count / 2
    guard count > 0, let elements = source.baseAddress, let low = target.baseAddress else { return }
    let high = low + count
    for index in 0..<count {
      let element = elements.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self)
      low.storeBytes(
        of: UInt8(truncatingIfNeeded: element), toByteOffset: index, as: UInt8.self)
      high.storeBytes(
        of: UInt8(truncatingIfNeeded: element &>> 8), toByteOffset: index, as: UInt8.self)
    }
  }

  /// Writes the planes in `source` as elements into `target` of the same size.
  static func join(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
    let count = source.count / 2
    guard count > 0, let low = source.baseAddress, let elements = target.baseAddress else { return }
    let high = low + count
    for index in 0..<count {
      let element =
        UInt16(low.load(fromByteOffset: index, as: UInt8.self))
        | UInt16(high.load(fromByteOffset: index, as: UInt8.self)) &<< 8
      elements.storeBytes(of: element, toByteOffset: 2 &* index, as: UInt16.self)
    }
  }
}
