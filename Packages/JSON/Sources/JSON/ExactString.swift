/// A string compared code point by code point.
///
/// Swift's own `==` calls canonically equivalent strings equal ("é" as one scalar or two);
/// vocabularies, JSON keys and templates tell them apart.
public struct ExactString: Hashable, Sendable {
  /// The string.
  public let value: String

  /// The string `value`, to be compared exactly.
  public init(_ value: String) { self.value = value }

  /// Whether both hold the same bytes of UTF-8.
  public static func == (left: ExactString, right: ExactString) -> Bool {
    left.value.utf8.elementsEqual(right.value.utf8)
  }

  /// Hashes the bytes of UTF-8.
  public func hash(into hasher: inout Hasher) {
    var value = value
    value.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(UInt8(0xFF))
  }
}
