import Foundation
import Testing

@testable import Tokenizer

/// Ids and text of real tokenizers against those of the reference implementation.
@Suite struct TokenizerGoldenTests {
  static let families = ["qwen3", "llama3.1", "llama2", "gpt2", "opt", "falcon"].filter {
    Shared.tokenizer($0) != nil && Shared.golden("tokenizer-\($0).json") != nil
  }

  @Test(
    .enabled(if: !families.isEmpty, "no golden files beside the repository"),
    arguments: families)
  func idsAndTextAreExact(family: String) throws {
    let folder = try #require(Shared.tokenizer(family))
    let golden = try Shared.json(try #require(Shared.golden("tokenizer-\(family).json")))
    let tokenizer = try TextTokenizer(directory: folder)
    var failures: [String] = []
    let cases = try #require(golden["cases"]?.array)
    for golden in cases {
      let name = golden["id"]?.string ?? "?"
      let text = try #require(golden["text"]?.string)
      let ids = try #require(golden["ids"]?.ids)
      let withSpecial = golden["ids_with_special"]?.ids ?? ids
      let decoded = golden["decoded"]?.string ?? text
      let skipped = golden["decoded_skip_special"]?.string ?? decoded
      let found = tokenizer.encode(text, addSpecialTokens: false)
      if found != ids { failures.append("\(name): ids \(found), expected \(ids)") }
      if tokenizer.encode(text, addSpecialTokens: true) != withSpecial {
        failures.append("\(name): ids with special tokens")
      }
      if !sameScalars(tokenizer.decode(ids, skipSpecialTokens: false), decoded) {
        failures.append("\(name): decoded")
      }
      if !sameScalars(tokenizer.decode(withSpecial, skipSpecialTokens: true), skipped) {
        failures.append("\(name): decoded without special tokens")
      }
      var stream = tokenizer.streamingDetokenizer(skipSpecialTokens: false)
      let streamed = ids.map { stream.push($0) }.joined() + stream.finish()
      if !sameScalars(streamed, decoded) { failures.append("\(name): streamed") }
    }
    let summary = "\(failures.count) failures, first: \(failures.first?.prefix(300) ?? "")"
    #expect(failures.count == 0, "\(summary)")
    #expect(cases.count > 100)
  }

  private func sameScalars(_ left: String, _ right: String) -> Bool {
    left.utf8.elementsEqual(right.utf8)
  }
}
