import Foundation
import JSON
import Testing

@testable import Tokenizer

/// Prompts of real chat templates against those of the reference implementation.
@Suite struct ChatTemplateGoldenTests {
  static let families = [
    "qwen3", "qwen2.5", "qwq", "deepseek-r1-distill-qwen", "llama3.1", "llama3.2",
  ].filter { Shared.golden("chat-\($0).json") != nil && Shared.data != nil }

  @Test(
    .enabled(if: !families.isEmpty, "no golden files beside the repository"),
    arguments: families)
  func promptsAreExact(family: String) throws {
    let golden = try Shared.json(try #require(Shared.golden("chat-\(family).json")))
    let template = try ChatTemplate(
      source: try source(golden), specialTokens: specialTokens(golden))
    let tokenizer = try tokenizer(golden)
    var failures: [String] = []
    let cases = try #require(golden["cases"]?.array)
    for golden in cases {
      let name = golden["id"]?.string ?? "?"
      let messages = try #require(golden["messages"]?.array).map { try ChatMessage($0) }
      var variables: [String: TemplateValue] = [:]
      for (key, value) in golden["kwargs"]?.object?.members ?? OrderedObject().members {
        variables[key] = value
      }
      let prompt: String
      do {
        prompt = try template.render(
          messages: messages, tools: golden["tools"]?.array,
          addGenerationPrompt: golden["add_generation_prompt"]?.bool ?? false,
          variables: variables)
      } catch {
        if error.kind != golden["error"]?.string { failures.append("\(name): \(error)") }
        continue
      }
      let expected = golden["text"]?.string ?? ""
      if !prompt.utf8.elementsEqual(expected.utf8) {
        failures.append("\(name): \(prompt.debugDescription), not \(expected.debugDescription)")
      }
      if let ids = golden["ids"]?.ids,
        tokenizer?.encode(prompt, addSpecialTokens: false) != ids
      {
        failures.append("\(name): ids")
      }
    }
    let summary = "\(failures.count) failures, first: \(failures.first?.prefix(2000) ?? "")"
    #expect(failures.count == 0, "\(summary)")
    #expect(cases.count > 10)
  }

  private func source(_ golden: JSONValue) throws -> String {
    let name = try #require(golden["template"]?.string?.split(separator: "/").last)
    let folder = try #require(Shared.data).appendingPathComponent("chat-templates")
    return try String(contentsOf: folder.appendingPathComponent(String(name)), encoding: .utf8)
  }

  private func specialTokens(_ golden: JSONValue) -> [String: String] {
    golden["bos_token"]?.string.map { ["bos_token": $0] } ?? [:]
  }

  /// The tokenizer named by the file, where any case has ids.
  private func tokenizer(_ golden: JSONValue) throws -> TextTokenizer? {
    guard golden["cases"]?.array?.contains(where: { $0["ids"] != nil }) == true,
      let family = golden["tokenizer"]?.string?.split(separator: "/").last,
      let folder = Shared.tokenizer(String(family))
    else { return nil }
    return try TextTokenizer(directory: folder)
  }
}

extension TokenizerError {
  /// The error as the golden files write it.
  fileprivate var kind: String? {
    if case .templateRaised(let message) = self { "TemplateError: \(message)" } else { nil }
  }
}
