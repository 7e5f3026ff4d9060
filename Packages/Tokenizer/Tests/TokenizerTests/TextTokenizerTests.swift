import Foundation
import Testing

@testable import Tokenizer

@Suite struct TextTokenizerTests {
  @Test func mergesAndPieces() throws {
    let tokenizer = try TinyTokenizer().load()
    let ids = tokenizer.encode("hello world", addSpecialTokens: false)
    #expect(ids.map { tokenizer.piece(of: $0) } == ["hello", "Ġwor", "l", "d"])
    #expect(tokenizer.id(of: "Ġwor") == 262)
    #expect(tokenizer.id(of: "<|end|>") == 300)
    #expect(tokenizer.id(of: "absent") == nil)
    #expect(tokenizer.piece(of: -1) == nil)
    #expect(tokenizer.piece(of: 1000) == nil)
    #expect(tokenizer.vocabularySize == 302)
    #expect(tokenizer.specialIDs == [300])
    #expect(tokenizer.decode(ids, skipSpecialTokens: false) == "hello world")
    #expect(tokenizer.encode("", addSpecialTokens: true) == [])
  }

  @Test func specialTextCanStayPlain() throws {
    let tokenizer = try TinyTokenizer().load()
    #expect(tokenizer.encode("<|end|>") == [300])
    let plain = tokenizer.encode("a<|end|><think>", specialText: .treatSpecialTextAsPlain)
    #expect(!plain.contains(300))
    #expect(plain.last == 301)
    #expect(tokenizer.decode(plain) == "a<|end|><think>")
    #expect(tokenizer.decode([300, 301], skipSpecialTokens: true) == "<think>")
  }

  @Test func theTokensAroundASequence() throws {
    var tiny = TinyTokenizer()
    tiny.postProcessor = """
      {"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "<|end|>"}}, {"Sequence": {"id": "A"}},
      {"SpecialToken": {"id": "<think>"}}], "special_tokens":
      {"<|end|>": {"ids": [300]}, "<think>": {"ids": [301]}}}]}
      """
    let tokenizer = try tiny.load()
    #expect(tokenizer.encode("l", addSpecialTokens: true) == [300, 108, 301])
    #expect(tokenizer.encode("l", addSpecialTokens: false) == [108])
  }

  @Test func wholePiecesWinWhenMergesAreIgnored() throws {
    var tiny = TinyTokenizer()
    tiny.preTokenizer = #"{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}"#
    #expect(try tiny.load().encode("spare290").count == 8)
    tiny.modelFlags = #""ignore_merges": true,"#
    #expect(try tiny.load().encode("spare290") == [290])
  }

  @Test func aPrefixSpaceIsAddedOnce() throws {
    var tiny = TinyTokenizer()
    tiny.preTokenizer = #"{"type": "ByteLevel", "add_prefix_space": true, "use_regex": true}"#
    let tokenizer = try tiny.load()
    #expect(tokenizer.encode("wor") == [262])
    #expect(tokenizer.encode(" wor") == [262])
  }

  @Test func bytesThatAreNotUTF8CountAsReplacementCharacters() throws {
    let tokenizer = try TinyTokenizer().load()
    let bytes: [UInt8] = [0x61, 0xFF, 0xE6, 0xBC, 0x62, 0xED, 0xA0, 0x80, 0xF0, 0x9F]
    #expect(
      tokenizer.encode(utf8: bytes) == tokenizer.encode(String(decoding: bytes, as: UTF8.self)))
    #expect(tokenizer.encode(utf8: "é 漢".utf8) == tokenizer.encode("é 漢"))
  }

  @Test func concurrentEncodingsAgree() async throws {
    let tokenizer = try TinyTokenizer().load()
    let text = String(repeating: "hello world and hell or ", count: 200)
    let expected = tokenizer.encode(text)
    let results = await withTaskGroup(of: [Int32].self) { group in
      for _ in 0..<8 { group.addTask { tokenizer.encode(text) } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results.allSatisfy { $0 == expected })
  }

  // MARK: SentencePiece style

  /// A tokenizer on scalars with byte fallback, as Llama 2's file is laid out.
  private func sentencePiece(byteFallback: Bool = true) throws -> TextTokenizer {
    let bytes = (0..<256).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return "<0x\(byte < 16 ? "0" : "")\(digits)>"
    }
    let pieces = ["<unk>"] + bytes + ["▁", "a", "b", "ab", "▁a", "▁ab", "▁▁"]
    let vocabulary = pieces.enumerated().map { "\(TinyTokenizer.quoted($1)): \($0)" }
    return try TextTokenizer(
      json: """
        {"added_tokens": [{"id": 0, "content": "<unk>", "special": true, "normalized": false}],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}, "pre_tokenizer": null,
        "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern":
        {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true,
        "byte_fallback": \(byteFallback), "vocab": {\(vocabulary.joined(separator: ","))},
        "merges": ["▁ ▁", "a b", "▁ a", "▁ ab"]}}
        """)
  }

  @Test func wordsAndByteFallback() throws {
    let tokenizer = try sentencePiece()
    func pieces(_ text: String) -> [String?] {
      tokenizer.encode(text).map { tokenizer.piece(of: $0) }
    }
    #expect(tokenizer.parts.model.hasWordBoundaries)
    #expect(pieces("ab a") == ["▁ab", "▁a"])
    #expect(pieces("a  b") == ["▁a", "▁▁", "b"])
    #expect(pieces("é") == ["▁", "<0xC3>", "<0xA9>"])
    #expect(tokenizer.decode(tokenizer.encode("  é a")) == "  é a")
    #expect(tokenizer.decode([1 + 0xC3, 1 + 0x28, 258]) == "\u{FFFD}\u{FFFD}a")
  }

  @Test func unknownScalarsFuse() throws {
    let tokenizer = try sentencePiece(byteFallback: false)
    #expect(tokenizer.encode("éüa").map { tokenizer.piece(of: $0) } == ["▁", "<unk>", "a"])
  }

  // MARK: Time

  /// Doubling the text must not much more than double the time.
  @Test(arguments: [" ", "a", "ab,", "\n", "é", "<"])
  func pathologicalTextTakesLinearTime(unit: String) throws {
    let tokenizer = try TinyTokenizer(
      merges: ["a a", "aa aa", "aaaa aaaa", "Ġ Ġ", "ĠĠ ĠĠ"]
    ).load()
    let clock = ContinuousClock()
    func time(_ count: Int) -> Duration {
      let text = String(repeating: unit, count: count)
      return clock.measure { #expect(!tokenizer.encode(text).isEmpty) }
    }
    _ = time(1000)
    let (once, quadruple) = (time(20_000), time(80_000))
    #expect(quadruple < once * 12 + .milliseconds(500), "\(once) and \(quadruple)")
  }
}
