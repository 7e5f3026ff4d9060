/// A string compared code point by code point.
///
/// Swift's own `==` calls canonically equivalent strings equal ("é" as one scalar or two);
/// vocabularies, JSON keys and templates tell them apart.
struct ExactString: Hashable, Sendable {
  let value: String

  init(_ value: String) { self.value = value }

  static func == (left: ExactString, right: ExactString) -> Bool {
    left.value.utf8.elementsEqual(right.value.utf8)
  }

  func hash(into hasher: inout Hasher) {
    var value = value
    value.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(UInt8(0xFF))
  }
}
