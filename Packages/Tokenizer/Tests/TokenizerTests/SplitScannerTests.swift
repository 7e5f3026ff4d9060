import Foundation
import Testing

@testable import Tokenizer

/// The hand-written scanners against the general regular-expression path.
@Suite struct SplitScannerTests {
  private func differences(_ matcher: SplitMatcher, _ pattern: String) throws -> [String] {
    let regex = try #require(RegexMatcher(pattern: pattern))
    var generator = SeededGenerator(seed: 2)
    var different: [String] = []
    for _ in 0..<500 {
      let text = RandomText.make(&generator)
      let isSame = Array(text.utf8).withUnsafeBufferPointer {
        matcher.matches(in: $0) == regex.matches(in: $0)
      }
      if !isSame { different.append(text.debugDescription) }
    }
    return different
  }

  @Test func gpt2() throws {
    #expect(try differences(.gpt2(GPT2Scanner()), GPT2Scanner.pattern) == [])
  }

  @Test(arguments: [#"\p{N}"#, #"\p{N}{1,3}"#])
  func cl100k(digits: String) throws {
    let pattern =
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    let scanner = try #require(CL100KScanner(pattern: pattern))
    #expect(try differences(.cl100k(scanner), pattern) == [])
  }

  @Test func anUnknownPatternHasNoScanner() {
    #expect(CL100KScanner(pattern: #"\p{N}{1,2}"#) == nil)
    #expect(RegexMatcher(pattern: "(") == nil)
  }

  @Test func regexSpacesAreUnicodeWhiteSpace() throws {
    #expect(
      RegexMatcher.withUnicodeSpaces(#"\\s\s[^\S]"#) == #"\\s\p{White_Space}[^\P{White_Space}]"#)
    let regex = try #require(RegexMatcher(pattern: #"\s+"#))
    let text = Array("a\u{0B}\u{85}b😀 c".utf8)
    text.withUnsafeBufferPointer { #expect(regex.matches(in: $0) == [1..<4, 9..<10]) }
  }

  @Test(arguments: [
    (SplitBehavior.removed, ["a", "b"]), (.isolated, ["a", "-", "-", "b"]),
    (.contiguous, ["a", "--", "b"]), (.mergedWithPrevious, ["a-", "-", "b"]),
    (.mergedWithNext, ["a", "-", "-b"]),
  ])
  func behaviours(behavior: SplitBehavior, expected: [String]) {
    let text = Array("a--b".utf8)
    let pieces = text.withUnsafeBufferPointer { text in
      behavior.pieces(
        SplitMatcher.literal("-").matches(in: text), count: text.count, inverted: false
      ).map { String(decoding: text[$0], as: UTF8.self) }
    }
    #expect(pieces == expected)
  }
}
