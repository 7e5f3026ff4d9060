import Foundation
import Testing

@testable import Tokenizer

@Suite struct NormalizerTests {
  private func composed(_ text: String) -> [UInt8] {
    Array(text.utf8).withUnsafeBufferPointer { CanonicalComposition.compose($0) ?? Array($0) }
  }

  /// The result is equivalent to the text, does not change again, and is the same for the
  /// decomposed text.
  @Test func compositionIsStableAndEquivalent() {
    var generator = SeededGenerator(seed: 3)
    var wrong: [String] = []
    for _ in 0..<1000 {
      let text = RandomText.make(&generator)
      let result = String(decoding: composed(text), as: UTF8.self)
      // Swift compares strings by canonical equivalence.
      if result != text || !composed(result).elementsEqual(result.utf8)
        || composed(text.decomposedStringWithCanonicalMapping) != Array(result.utf8)
      {
        wrong.append(text.debugDescription)
      }
    }
    #expect(wrong == [])
  }

  /// Scalars that compose across a mark of lower class, that are blocked, and that must not
  /// compose (Unicode Standard Annex #15).
  @Test(arguments: [
    ("e\u{301}", "é"), ("a\u{302}\u{323}", "ậ"), ("a\u{301}\u{302}", "á\u{302}"),
    ("\u{1100}\u{1161}\u{11A8}", "각"), ("각\u{11A8}", "각\u{11A8}"), ("\u{958}", "क\u{93C}"),
    ("\u{344}", "\u{308}\u{301}"), ("\u{212B}", "Å"), ("か\u{3099}", "が"), ("abc", "abc"),
  ])
  func knownForms(text: String, expected: String) {
    #expect(composed(text) == Array(expected.utf8))
  }

  /// Every scalar that has a canonical decomposition, whole and decomposed.
  @Test func everyDecomposableScalar() {
    var wrong: [UInt32] = []
    for value in (0xC0..<0x3400).flatMap({ [$0] }) + Array(0xF900..<0xFC00)
      + Array(0x1D15E..<0x1D1C1)
    {
      guard let scalar = Unicode.Scalar(UInt32(value)) else { continue }
      let text = String(scalar)
      let expected = Array(text.precomposedStringWithCanonicalMapping.utf8)
      if composed(text) != expected
        || composed(text.decomposedStringWithCanonicalMapping) != expected
      {
        wrong.append(UInt32(value))
      }
    }
    #expect(wrong == [])
  }

  @Test func aLongRunOfMarksIsNotQuadratic() {
    var text = String.UnicodeScalarView("a".unicodeScalars)
    for index in 0..<100_000 { text.append(index % 2 == 0 ? "\u{301}" : "\u{316}") }
    #expect(composed(String(text)).count == 2 * 100_000)
  }

  @Test func prependAndReplace() {
    let steps: [Normalizer] = [.prepend("▁"), .replace(" ", with: "▁")]
    func normalized(_ text: String) -> String {
      Array(text.utf8).withUnsafeBufferPointer { text in
        steps.normalize(text) { String(decoding: $0, as: UTF8.self) }
      }
    }
    #expect(normalized("a  b") == "▁a▁▁b")
    #expect(normalized("") == "")
  }
}
