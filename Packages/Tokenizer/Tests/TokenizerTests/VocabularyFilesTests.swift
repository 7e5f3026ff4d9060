import Foundation
import Testing

@testable import Tokenizer

@Suite struct VocabularyFilesTests {
  private func load(_ files: [String: String]) throws -> TextTokenizer {
    let folder = try TemporaryFolder(files.mapValues { Data($0.utf8) })
    return try TextTokenizer(directory: folder.url)
  }

  private func message(_ files: [String: String]) -> String {
    do {
      _ = try load(files)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  private let vocabulary = #"{"a": 0, "b": 1, "ab": 2, "</s>": 3}"#

  @Test func mergesConfigurationAndSpecialTokens() throws {
    let tokenizer = try load([
      "vocab.json": vocabulary, "merges.txt": "#version: 0.2\r\na b\r\n",
      "tokenizer_config.json":
        #"{"bos_token": {"content": "</s>"}, "add_bos_token": true, "eos_token": "</s>"}"#,
    ])
    #expect(tokenizer.encode("abba") == [3, 2, 1, 0])
    #expect(tokenizer.encode("ab</s>", addSpecialTokens: false) == [2, 3])
    #expect(tokenizer.decode([3, 2], skipSpecialTokens: true) == "ab")
  }

  @Test func flagsOfTheConfigurationDecideAboutBOSAndEOS() throws {
    var tiny = TinyTokenizer()
    func ids(_ flags: String) throws -> [Int32] {
      try load([
        "tokenizer.json": tiny.json,
        "tokenizer_config.json": #"{"bos_token": "<|end|>", "eos_token": "<think>"\#(flags)}"#,
      ]).encode("he")
    }
    #expect(try ids("") == [256])
    #expect(try ids(#", "add_bos_token": true, "add_eos_token": true"#) == [300, 256, 301])
    tiny.postProcessor = """
      {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|end|>"}},
      {"Sequence": {"id": "A"}}], "special_tokens": {"<|end|>": {"ids": [300]}}}
      """
    #expect(try ids("") == [300, 256])
    #expect(try ids(#", "add_bos_token": true"#) == [300, 256])
    #expect(try ids(#", "add_bos_token": false"#) == [256])
    let without = try load([
      "tokenizer.json": tiny.json, "tokenizer_config.json": #"{"add_eos_token": true}"#,
    ])
    #expect(without.configuration.unapplied.contains { $0.hasPrefix("add_eos_token") })
    let unknown = try load([
      "tokenizer.json": tiny.json, "tokenizer_config.json": #"{"eos_token": "<nothing>"}"#,
    ])
    let warning = #"eos_token, as the vocabulary has no "<nothing>""#
    #expect(unknown.configuration.unapplied == [warning])
  }

  @Test func namedTokensOfTheVocabularyAreSpecial() throws {
    let tokenizer = try load([
      "tokenizer.json": TinyTokenizer().json,
      "tokenizer_config.json":
        #"{"pad_token": "spare290", "additional_special_tokens": ["spare291", {"content": "<|end|>"}]}"#,
    ])
    #expect(tokenizer.encode("spare290spare291") == [290, 291])
    #expect(tokenizer.specialIDs.isSuperset(of: [290, 291, 300]))
    #expect(try TinyTokenizer().load().encode("spare290").count > 1)
  }

  @Test func settingsThatAreNotAppliedAreNamed() throws {
    func unapplied(_ configuration: String) throws -> [String] {
      try load(["tokenizer.json": TinyTokenizer().json, "tokenizer_config.json": configuration])
        .configuration.unapplied
    }
    #expect(try unapplied(#"{"clean_up_tokenization_spaces": false}"#).isEmpty)
    let found = try unapplied(
      #"{"clean_up_tokenization_spaces": true, "add_prefix_space": true, "do_lower_case": true}"#)
    #expect(found.count == 3)
    #expect(found.first?.hasPrefix("clean_up_tokenization_spaces") == true)
    let forced = message([
      "tokenizer.json": TinyTokenizer().json,
      "tokenizer_config.json":
        #"{"clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output": true}"#,
    ])
    #expect(forced.contains("even_though"))
  }

  @Test func faults() {
    let merges = "a b\n"
    #expect(
      message(["vocab.json": vocabulary, "merges.txt": "a b\nb\n"]).contains("merge 1"))
    #expect(message(["vocab.json": vocabulary, "merges.txt": "a c\n"]).contains("\"c\""))
    #expect(
      message([
        "vocab.json": vocabulary, "merges.txt": merges,
        "tokenizer_config.json": #"{"tokenizer_class": "BertTokenizer"}"#,
      ]).contains("BertTokenizer"))
    #expect(message(["tokenizer.model": "YQ== 0\nYg== x\n"]).contains("line 2"))
    #expect(message(["tokenizer.model": "YQ== 0\nY!== 1\n"]).contains("line 2"))
    #expect(message(["tokenizer.model": "YQ== 0\nYg== 0\n"]).contains("id 0"))
    #expect(message(["tokenizer.model": "\u{0A}\u{0E}<unk>"]).contains("SentencePiece"))
  }

  @Test func ranksMergeByTheRankOfTheResult() throws {
    // a 0, b 1, c 2, bc 3, ab 4, abc 5
    let tokenizer = try load([
      "tokenizer.model": "YQ== 0\nYg== 1\nYw== 2\nYmM= 3\nYWI= 4\nYWJj 5\n"
    ])
    #expect(tokenizer.encode("abab", addSpecialTokens: false) == [4, 4])
    #expect(tokenizer.encode("babc", addSpecialTokens: false) == [1, 5])
    #expect(tokenizer.encode("a")[0] == tokenizer.bosTokenID)
    #expect(tokenizer.piece(of: 6) == "<|begin_of_text|>")
  }
}
