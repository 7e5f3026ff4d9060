import Testing

@testable import Tokenizer

@Suite struct JSONReaderTests {
  private func parse(_ text: String) throws(TokenizerError) -> JSONValue {
    try JSONValue(parsing: text.utf8)
  }

  @Test func valuesKeepTheirKindAndOrder() throws {
    let value = try parse(#" {"b": [1, -2.5, 1e2, true, null], "a": {"z": "", "y": 0}} "#)
    #expect(value.object?.keys == ["b", "a"])
    #expect(value["a"]?.object?.keys == ["z", "y"])
    #expect(value["b"] == .array([.integer(1), .number(-2.5), .number(100), .bool(true), .null]))
  }

  @Test func escapesAndSurrogates() throws {
    #expect(try parse(#""\u00e9\n\"\\\/\ud83d\ude00""#).string == "é\n\"\\/😀")
    #expect(try parse(#""a\ud800b""#).string == "a\u{FFFD}b")
    #expect(try parse(#""\ud800\u0041""#).string == "\u{FFFD}A")
  }

  @Test func integersPast64BitsBecomeNumbers() throws {
    #expect(try parse("9223372036854775807") == .integer(.max))
    #expect(try parse("-9223372036854775808") == .integer(.min))
    #expect(try parse("9223372036854775808") == .number(9_223_372_036_854_775_808))
  }

  @Test(arguments: [
    ("", 0), ("{", 1), ("[1,]", 3), ("[1 2]", 3), ("{\"a\" 1}", 5), ("tru", 0), ("01", 1),
    ("\"a", 2), ("\"\\x\"", 2), ("\"\n\"", 1), ("1.", 2), ("[] []", 3), ("\"\\u12g4\"", 3),
  ])
  func malformedDocumentsNameTheOffset(document: String, offset: Int) {
    #expect {
      try parse(document)
    } throws: { error in
      guard case .malformedJSON(_, offset, _) = error as? TokenizerError else { return false }
      return true
    }
  }

  @Test func invalidUTF8NamesTheOffset() {
    #expect(
      throws: TokenizerError.malformedJSON(file: "f", offset: 2, reason: "invalid UTF-8")
    ) {
      try JSONValue(parsing: [0x22, 0x61, 0xFF, 0x22], file: "f")
    }
  }

  @Test func absurdNestingEndsInAnError() {
    for text in [
      String(repeating: "[", count: 1_000_000), String(repeating: #"{"a":"#, count: 200_000),
    ] {
      #expect(throws: TokenizerError.self) { try parse(text) }
    }
    let deepest = JSONReader.maximumDepth
    let nested = String(repeating: "[", count: deepest) + String(repeating: "]", count: deepest)
    #expect((try? parse(nested)) != nil)
  }
}
