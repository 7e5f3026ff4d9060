import Testing

@testable import Tokenizer

@Suite struct ScalarClassesTests {
  static let expected: [(UInt32, ScalarClasses)] = [
    (0x61, [.letter, .word]), (0x39, [.number, .word]), (0x20, [.space]),
    (0x0A, [.space, .lineBreak]), (0x85, [.space]), (0x200B, []), (0xB2, [.number]),
    (0x24, [.punctuation]), (0x5F, [.punctuation, .word]), (0x301, [.word]),
    (0x4E2D, [.letter, .word]), (0x2_0000, [.letter, .word]), (0x166D, [.punctuation]),
  ]

  @Test(arguments: expected)
  func classes(scalar: UInt32, expected: ScalarClasses) {
    #expect(ScalarClasses.lookUp(scalar) == expected)
    ScalarClasses.withTable { #expect(ScalarClasses.of(scalar, $0) == expected) }
  }

  /// Scalars newer than the reference's tables have no class in patterns.
  @Test func newScalarsHaveNoClass() {
    #expect(!ScalarClasses.lookUp(0x1B4E).contains(.punctuation), "Unicode 16")
    #expect(!ScalarClasses.lookUp(0x88F).contains(.letter), "Unicode 17")
  }
}
