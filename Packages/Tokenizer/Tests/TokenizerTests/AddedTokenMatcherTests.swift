import Testing

@testable import Tokenizer

@Suite struct AddedTokenMatcherTests {
  private func segments(
    _ text: String, _ tokens: [AddedToken], _ specialText: SpecialText = .isToken
  ) -> [String] {
    let matcher = AddedTokenMatcher(tokens)
    var result: [String] = []
    Array(text.utf8).withUnsafeBufferPointer { bytes in
      matcher.forEachSegment(of: bytes, specialText) { segment in
        switch segment {
        case .text(let range): result.append(String(decoding: bytes[range], as: UTF8.self))
        case .token(let id): result.append("#\(id)")
        }
      }
    }
    return result
  }

  @Test func theLongestOfTheLeftmostWins() {
    let tokens = [
      AddedToken(content: "<a>", id: 1), AddedToken(content: "<a><b>", id: 2),
      AddedToken(content: "<", id: 3),
    ]
    #expect(segments("x<a><b><a><", tokens) == ["x", "#2", "#1", "#3"])
    #expect(segments("", tokens) == [])
  }

  @Test func strippingSwallowsWhiteSpace() {
    let left = AddedToken(content: "T", id: 1, stripsLeft: true)
    let right = AddedToken(content: "T", id: 1, stripsRight: true)
    #expect(segments("a \u{3000}T b", [left]) == ["a", "#1", " b"])
    #expect(segments("a T \u{A0}\nb", [right]) == ["a ", "#1", "b"])
    #expect(
      segments(" T T ", [AddedToken(content: "T", id: 1, stripsLeft: true, stripsRight: true)]) == [
        "#1", "#1",
      ])
  }

  @Test func singleWordsNeedBoundaries() {
    let token = AddedToken(content: "ing", id: 1, isSingleWord: true)
    #expect(segments("ing, sing ing_ (ing)", [token]) == ["#1", ", sing ing_ (", "#1", ")"])
    #expect(segments("éing", [token]) == ["éing"])
  }

  @Test func plainTextSkipsOnlySpecialTokens() {
    let tokens = [
      AddedToken(content: "<s>", id: 1, isSpecial: true), AddedToken(content: "<t>", id: 2),
    ]
    #expect(segments("<s><t>", tokens, .treatSpecialTextAsPlain) == ["<s>", "#2"])
  }
}
