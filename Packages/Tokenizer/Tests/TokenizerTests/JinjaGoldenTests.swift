import Foundation
import JSON
import Testing

@testable import Tokenizer

/// Templates and what Jinja 3.1 makes of them, by `Tools/templates/goldens.py`.
@Suite struct JinjaGoldenTests {
  private static let golden: URL = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<5 { root.deleteLastPathComponent() }
    return root.appendingPathComponent("Tests/Goldens/jinja.json")
  }()

  @Test func templatesRenderAsJinjaRendersThem() throws {
    let document = try JSONValue(parsing: try Data(contentsOf: Self.golden))
    var variables: [String: JSONValue] = [:]
    for (name, value) in try #require(document["context"]?.object).members {
      variables[name] = value
    }
    let cases = try #require(document["cases"]?.array)
    #expect(cases.count > 400)
    for example in cases {
      let source = try #require(example["template"]?.string)
      let text = try? ChatTemplate(source: source).render(
        messages: [], addGenerationPrompt: true, variables: variables)
      #expect(text == example["text"]?.string, "\(source)")
    }
  }
}
