import Foundation
import Testing

@testable import Evaluation

struct BenchmarkDefinitionTests {
  func read(_ yaml: String) throws -> BenchmarkDefinition {
    try BenchmarkDefinition(yaml: yaml, file: "x.yaml")
  }

  @Test(arguments: [
    ("name: sums", "nome: sums", "nome", "is unknown"),
    ("answer: answer}", "answer: answer, anser: x}", "data[0].fields.anser", "is unknown"),
    ("{rule: integer}", "{rule: integer, count: 4}", "grading.count", "is unknown"),
    ("{rule: integer}", "{rule: number}", "grading.rule", "is 'number'; expected one of"),
    ("{rule: integer}", "{rule: integer, from: 3, to: 1}", "grading.to", "is below 'from'"),
    ("title: Sums", "", "title", "is missing"),
    ("samples: 2", "samples: 0", "samples", "is 0; expected 1 or more"),
    ("samples: 2", "samples: two", "samples", "is 'two', not a whole number"),
    ("tokens: 16", "tokens: 0", "limits.tokens", "token limit is 0"),
    ("[box, open-box]", "[box, bocks]", "extraction", "is 'bocks'; expected one of box"),
    ("[box, open-box]", "box", "extraction", "has to be a list"),
    ("\"{question}\"", "\"{qestion}\"", "prompt", "'{qestion}'"),
    ("\"{question}\"", "\"Say hello\"", "prompt", "a text with {question}"),
    ("\"{question}\"", "\"{question} {choices}\"", "prompt", "needs {choices} exactly when"),
    ("size: 20", "size: 20\nsize: 21", "YAML", "size"),
    ("name: sums", "name: ../sums", "name", "may only hold"),
    ("samples: 2", "sampling: {top-p: 0}\nsamples: 2", "sampling.value", "top-p is 0.0"),
    ("samples: 2", "choices: {count: 1, shuffle: none}\nsamples: 2", "choices.count", "2 to 100"),
  ])
  func mistakesNameTheirKey(part: String, mistake: String, key: String, reason: String) throws {
    #expect(sumsYAML.contains(part))
    let error = #expect(throws: EvaluationError.self) {
      try read(sumsYAML.replacing(part, with: mistake))
    }
    guard case .definition("x.yaml", let found, let text) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found == key)
    #expect(text.contains(reason), "\(text)")
  }

  @Test(arguments: ["", "[]", "just text", "a: [", "a: &x [*x]", "\u{0}"])
  func otherFilesAreRefused(text: String) {
    #expect(throws: EvaluationError.self) { try read(text) }
  }

  @Test func deepNestingIsRefused() {
    #expect(throws: EvaluationError.self) {
      try read("a: " + String(repeating: "[", count: 20_000))
    }
  }

  @Test func filesThatCannotBeReadAreNamed() {
    #expect(throws: EvaluationError.self) {
      try BenchmarkDefinition(contentsOf: URL(filePath: "/nowhere/x.yaml"))
    }
  }

  @Test func theDigestIsOfWhatMatters() throws {
    let digest = try read(sumsYAML).digest
    #expect(try read(sumsYAML.replacing("title: Sums", with: "title: Other")).digest == digest)
    #expect(try read(sumsYAML.replacing("version: 1", with: "version: 2")).digest != digest)
    #expect(try read(sumsYAML.replacing("open-box", with: "last-line")).digest != digest)
  }
}

struct PromptTemplateTests {
  @Test func placesAreFilledAndOtherBracesStay() throws {
    let template = try PromptTemplate("{question}\n{choices}\nAnswer in \\boxed{} or {A} or {.}")
    #expect(template.showsChoices)
    #expect(
      template.render(question: "{choices}?", choices: ["x", "y"])
        == "{choices}?\nA) x\nB) y\nAnswer in \\boxed{} or {A} or {.}")
  }
}
