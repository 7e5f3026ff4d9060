import Foundation
import Testing

@testable import Tokenizer

/// Damaged and hostile files end in errors that name the file and the key.
@Suite struct LoadingFaultTests {
  private func message(_ json: String) -> String {
    do {
      _ = try TextTokenizer(json: json)
      return "no error"
    } catch {
      return error.description
    }
  }

  private func replacing(_ old: String, by new: String) -> String {
    TinyTokenizer().json.replacing(old, with: new)
  }

  @Test func idsAndPieces() {
    #expect(message(replacing("\"hello\": 259", by: "\"hello\": 258")).contains("id 258"))
    #expect(message(replacing("\"hello\": 259", by: "\"hello\": -1")).contains("model.vocab"))
    #expect(message(replacing("\"hello\": 259", by: "\"hello\": 99999999999")).contains("outside"))
    #expect(
      message(replacing("\"hello\": 259", by: "\"hell\": 259"))
        == #"tokenizer.json: model.vocab: piece "hell" is listed twice"#)
    #expect(
      message(replacing("\"spare290\": 290", by: "\"spare290\": 1290"))
        == "tokenizer.json: model.vocab: no piece has id 290, but higher ids exist")
    let wrong = message(replacing("\"hello\": 259", by: "\"hello\": \"x\""))
    #expect(wrong.contains(#"model.vocab["hello"]"#) && wrong.contains("expected a number"))
  }

  @Test func addedTokens() {
    #expect(message(replacing("{\"id\": 300", by: "{\"id\": 12")).contains("id 12 belongs"))
    #expect(
      message(replacing("\"content\": \"<think>\"", by: "\"content\": \"<|end|>\""))
        .contains("listed twice"))
    #expect(
      message(replacing("\"content\": \"<think>\"", by: "\"content\": \"hello\""))
        .contains("259 in the vocabulary"))
    #expect(
      message(replacing("\"content\": \"<think>\"", by: "\"kontent\": \"\""))
        .contains("added_tokens[1].content"))
    #expect(
      message(replacing("\"special\": true", by: "\"special\": 1"))
        .contains("added_tokens[0].special: expected a boolean"))
  }

  @Test func merges() {
    #expect(
      message(replacing("\"l l\"", by: "\"l zz\""))
        == #"tokenizer.json: merge 1 needs the piece "zz", which the vocabulary lacks"#)
    #expect(message(replacing("\"l l\"", by: "\"l  l\"")).contains("merge 1"))
    #expect(message(replacing("\"l l\"", by: "[\"l\"]")).contains("merge 1"))
    #expect(message(replacing("\"l l\"", by: "7")).contains("model.merges[1]"))
    #expect(message(replacing("\"l l\"", by: "[\"l\", \"l\"]")) == "no error")
  }

  @Test(arguments: [
    ("\"BPE\"", "\"Unigram\"", "model.type: Unigram"),
    ("\"type\": \"BPE\",", "\"type\": \"BPE\", \"dropout\": 0.1,", "model.dropout"),
    ("\"type\": \"BPE\",", "\"type\": \"BPE\", \"end_of_word_suffix\": \"</w>\",", "suffix"),
    ("\"type\": \"BPE\",", "\"type\": \"BPE\", \"unk_token\": \"<no>\",", "model.unk_token"),
    ("\"normalizer\": null", "\"normalizer\": {\"type\": \"NFKC\"}", "normalizer.type: NFKC"),
    ("\"normalizer\": null", "\"normalizer\": {}", "normalizer.type is missing"),
    ("\"normalizer\": null", "\"normalizer\": 3", "normalizer: expected an object"),
    ("{\"type\": \"ByteLevel\"}", "{\"type\": \"WordPiece\"}", "decoder"),
    ("\"post_processor\": null", "\"post_processor\": {\"type\": \"X\"}", "post_processor.type"),
    ("\"use_regex\": true", "\"use_regex\": 1", "pre_tokenizer.use_regex"),
  ])
  func whatIsNotKnownIsRefused(old: String, new: String, part: String) {
    #expect(message(replacing(old, by: new)).contains(part))
  }

  @Test func documents() {
    #expect(message("[]").contains("expected an object, found an array"))
    #expect(message("{}").contains("model.vocab is missing"))
    #expect(message(#"{"model": {"vocab": {}}}"#).contains("model.merges is missing"))
    let whole = TinyTokenizer().json
    for length in stride(from: 0, to: whole.utf8.count, by: 97) {
      #expect(message(String(decoding: whole.utf8.prefix(length), as: UTF8.self)) != "no error")
    }
    let nested = String(repeating: "[", count: 100_000)
    #expect(
      message(replacing("\"normalizer\": null", by: "\"normalizer\": \(nested)"))
        .contains("nested deeper"))
  }

  /// Any one byte changed: an error or a tokenizer, never a crash.
  @Test func randomDamage() {
    let whole = Array(TinyTokenizer().json.utf8)
    var generator = SeededGenerator(seed: 5)
    var failures = 0
    for _ in 0..<60 {
      var damaged = whole
      let position = Int.random(in: 0..<damaged.count, using: &generator)
      damaged[position] = UInt8.random(in: 0...255, using: &generator)
      if (try? TokenizerJSON.read(damaged, file: "f")) == nil { failures += 1 }
    }
    #expect(failures > 0)
  }

  @Test func folders() throws {
    let empty = try TemporaryFolder()
    #expect(throws: TokenizerError.self) { try TextTokenizer(directory: empty.url) }
    let wrong = try TemporaryFolder(["tokenizer_config.json": Data(#"{"bos_token": 3}"#.utf8)])
    #expect {
      try TextTokenizer(directory: wrong.url)
    } throws: {
      "\($0)".contains("tokenizer_config.json: bos_token: expected a string")
    }
    let half = try TemporaryFolder(["vocab.json": Data("{}".utf8)])
    #expect {
      try TextTokenizer(directory: half.url)
    } throws: {
      "\($0)".contains("merges.txt")
    }
  }
}
