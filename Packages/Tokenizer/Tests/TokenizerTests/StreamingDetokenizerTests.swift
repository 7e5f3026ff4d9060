import Testing

@testable import Tokenizer

@Suite struct StreamingDetokenizerTests {
  @Test func charactersAreNeverBroken() throws {
    let tokenizer = try TinyTokenizer().load()
    var stream = tokenizer.streamingDetokenizer(skipSpecialTokens: false)
    let pushed = tokenizer.encode("é😀x").map { stream.push($0) }
    #expect(pushed == ["", "é", "", "", "", "😀", "x"])
    #expect(stream.finish() == "")
  }

  @Test func anIncompleteCharacterIsReplacedAtTheEnd() throws {
    let tokenizer = try TinyTokenizer().load()
    var stream = tokenizer.streamingDetokenizer(skipSpecialTokens: false)
    #expect(stream.push(0xF0) == "")
    #expect(stream.push(0x9F) == "")
    #expect(stream.finish() == "\u{FFFD}")
    #expect(stream.finish() == "")
  }

  @Test func streamedTextIsDecodedText() throws {
    let tokenizer = try TinyTokenizer().load()
    var generator = SeededGenerator(seed: 4)
    var differences = 0
    for _ in 0..<500 {
      let ids = (0..<12).map { _ in Int32.random(in: -3..<305, using: &generator) }
      for skips in [true, false] {
        var stream = tokenizer.streamingDetokenizer(skipSpecialTokens: skips)
        let streamed = ids.map { stream.push($0) }.joined() + stream.finish()
        let decoded = tokenizer.decode(ids, skipSpecialTokens: skips)
        if !streamed.utf8.elementsEqual(decoded.utf8) { differences += 1 }
      }
    }
    #expect(differences == 0)
  }

  @Test func specialTokensAreSkippedOnRequest() throws {
    let tokenizer = try TinyTokenizer().load()
    var stream = tokenizer.streamingDetokenizer(skipSpecialTokens: true)
    #expect(stream.push(300) == "")
    #expect(stream.push(301) == "<think>")
  }
}
