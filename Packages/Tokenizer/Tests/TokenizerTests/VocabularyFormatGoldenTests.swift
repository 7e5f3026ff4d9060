import Foundation
import Testing

@testable import Tokenizer

/// Folders without `tokenizer.json`, and the vocabulary tests of llama.cpp.
@Suite struct VocabularyFormatGoldenTests {
  /// A copy of a tokenizer folder that has only the named files.
  private func folder(_ family: String, _ names: [String]) throws -> TemporaryFolder {
    let source = try #require(Shared.tokenizer(family))
    var files: [String: Data] = [:]
    for name in names { files[name] = try Data(contentsOf: source.appendingPathComponent(name)) }
    return try TemporaryFolder(files)
  }

  private func failures(_ tokenizer: TextTokenizer, _ family: String) throws -> [String] {
    let golden = try Shared.json(try #require(Shared.golden("tokenizer-\(family).json")))
    return try #require(golden["cases"]?.array).compactMap { golden in
      let text = golden["text"]?.string ?? ""
      let ids = golden["ids"]?.ids ?? []
      let withSpecial = golden["ids_with_special"]?.ids ?? ids
      let isSame =
        tokenizer.encode(text, addSpecialTokens: false) == ids
        && tokenizer.encode(text, addSpecialTokens: true) == withSpecial
      return isSame ? nil : golden["id"]?.string ?? "?"
    }
  }

  static let hasData = Shared.data != nil && Shared.goldens != nil

  @Test(.enabled(if: hasData, "no golden files beside the repository"))
  func vocabularyAndMerges() throws {
    let folder = try folder("opt", ["vocab.json", "merges.txt", "tokenizer_config.json"])
    let tokenizer = try TextTokenizer(directory: folder.url)
    #expect(try failures(tokenizer, "opt") == [])
    #expect(tokenizer.bosTokenID == 2)
    #expect(tokenizer.eosTokenID == 2)
    #expect(tokenizer.vocabularySize == 50_265)
  }

  @Test(.enabled(if: hasData, "no golden files beside the repository"))
  func ranks() throws {
    let folder = try folder("llama3.1", ["tokenizer.model"])
    let tokenizer = try TextTokenizer(directory: folder.url)
    #expect(try failures(tokenizer, "llama3.1") == [])
    #expect(tokenizer.bosTokenID == 128_000)
    #expect(tokenizer.id(of: "<|eot_id|>") == 128_009)
    #expect(tokenizer.vocabularySize == 128_256)
  }

  @Test(
    .enabled(if: hasData, "no golden files beside the repository"),
    arguments: [
      ("qwen2", "qwen3"), ("llama-bpe", "llama3.1"), ("llama-spm", "llama2"), ("gpt-2", "gpt2"),
      ("falcon", "falcon"),
    ])
  func llamaCppVocabularies(name: String, family: String) throws {
    let inputs = try #require(Shared.golden("llama.cpp-vocab/ggml-vocab-\(name).gguf.inp"))
    let outputs = try #require(Shared.golden("llama.cpp-vocab/ggml-vocab-\(name).gguf.out"))
    let texts = try String(contentsOf: inputs, encoding: .utf8)
      .components(separatedBy: "\n__ggml_vocab_test__\n")
    let lines = try String(contentsOf: outputs, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false)
    let tokenizer = try TextTokenizer(directory: try #require(Shared.tokenizer(family)))
    var different: [String] = []
    for (text, line) in zip(texts, lines) {
      let expected = line.split(separator: " ").compactMap { Int32($0) }
      if tokenizer.encode(text, addSpecialTokens: false) != expected {
        different.append(text.debugDescription)
      }
    }
    #expect(different == [])
    #expect(texts.count >= 46)
  }
}
