import Foundation
import JSON
import SystemCalls
import Testing

@testable import Evaluation

struct InstructionCheckTests {
  func check(_ name: String, _ arguments: String = "{}") throws -> InstructionCheck {
    try #require(
      InstructionCheck(name: name, arguments: try JSONValue(parsing: Data(arguments.utf8))))
  }

  @Test(arguments: [
    ("keywords:existence", #"{"keywords": ["calm", "sea"]}"#, "Calm at Sea", "a sea"),
    (
      "keywords:frequency", #"{"keyword": "ab", "frequency": 2, "relation": "less than"}"#, "ab",
      "abab"
    ),
    ("keywords:forbidden_words", #"{"forbidden_words": ["rain"]}"#, "a train", "the Rain."),
    (
      "keywords:letter_frequency",
      #"{"letter": "E", "let_frequency": 2, "let_relation": "at least"}"#, "eve", "we"
    ),
    (
      "length_constraints:number_words", #"{"num_words": 3, "relation": "at least"}"#,
      "one, two-three", "one two"
    ),
    ("length_constraints:number_paragraphs", #"{"num_paragraphs": 2}"#, "a\n***\nb", "a\n\nb"),
    (
      "length_constraints:number_sentences", #"{"num_sentences": 2, "relation": "less than"}"#,
      "Dr. No came at 3 p.m. today.", "He came. He left."
    ),
    (
      "length_constraints:nth_paragraph_first_word",
      #"{"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Then"}"#, "a\n\n\"Then\", b",
      "a\n\nb then"
    ),
    ("detectable_content:number_placeholders", #"{"num_placeholders": 2}"#, "[a] and [b]", "[a]"),
    ("detectable_content:postscript", #"{"postscript_marker": "P.S."}"#, "x\nP. s. y", "x PS y"),
    ("detectable_format:number_bullet_lists", #"{"num_bullets": 2}"#, "* a\n- b", "* a\n** b"),
    ("detectable_format:constrained_response", "{}", "My answer is no. Sorry", "No"),
    (
      "detectable_format:number_highlighted_sections", #"{"num_highlights": 2}"#, "*a* *b*",
      "*a* **"
    ),
    (
      "detectable_format:multiple_sections", #"{"section_spliter": "Part", "num_sections": 2}"#,
      "Part 1 a Part 2 b", "Part one"
    ),
    ("detectable_format:json_format", "{}", "```json\n{\"a\": [1]}\n```", "{a: 1}"),
    ("detectable_format:title", "{}", "<<On air>>", "<< >>"),
    ("combination:two_responses", "{}", "a\n******\nb", "a\n******\na"),
    ("combination:repeat_prompt", #"{"prompt_to_repeat": "Say it"}"#, "say it: it", "it"),
    ("startend:end_checker", #"{"end_phrase": "The end."}"#, "So. THE END.\"", "The end. Or"),
    ("startend:quotation", "{}", "\"a\"", "\"a"),
    (
      "change_case:capital_word_frequency",
      #"{"capital_frequency": 2, "capital_relation": "at least"}"#, "NASA's (ESA)", "NASA and Esa"
    ),
    ("change_case:english_capital", "{}", "THE CAT IS IN THE BOX", "The cat"),
    ("change_case:english_lowercase", "{}", "the cat is in the box", "The cat"),
    ("punctuation:no_comma", "{}", "a b", "a, b"),
    (
      "language:response_language", #"{"language": "de"}"#,
      "Das ist nicht die Antwort und der Rest", "This is the rest"
    ),
  ])
  func repliesAreChecked(name: String, arguments: String, good: String, bad: String) throws {
    let check = try check(name, arguments)
    #expect(check.isFollowed(by: good))
    #expect(!check.isFollowed(by: bad))
    #expect(!check.isFollowed(by: " "))
  }

  @Test func allKindsAreTested() {
    #expect(InstructionCheck.Kind.allCases.count == 25)
    #expect(InstructionCheck(name: "keywords:none", arguments: .null) == nil)
    #expect(InstructionCheck(name: "keywords:existence", arguments: .null) == nil)
  }

  @Test func sharesCountByInstructions() throws {
    let key =
      #"[{"id":"punctuation:no_comma","arguments":{}},{"id":"startend:quotation","arguments":{}}]"#
    let list = try #require(InstructionList(key: key))
    let grade = list.grade("Sure, here:\n\"a b\"")
    #expect(!grade.correct)
    #expect(grade.extracted == "00")
    #expect(
      grade.scores == [
        "prompt_strict": 0, "prompt_loose": 1, "instruction_strict": 0, "instruction_loose": 1,
        "instructions": 2,
      ])
    var tally = ScoreTally()
    tally.add(grade.scores ?? [:], of: 0, group: nil)
    tally.add(["instruction_loose": 0, "instructions": 1], of: 1, group: nil)
    let loose = tally.scores(main: "prompt_strict").first { $0.name == "instruction_loose" }
    #expect(loose?.estimate.value == 2.0 / 3)
  }

  /// GPT-4's responses, with the verdicts of the authors' programs (but for numbers of sentences,
  /// which need a trained model): one digit an instruction.
  @Test(
    .enabled(
      if: Shared.exists(Shared.benchmarks.appending(path: "ifeval")),
      "needs benchmark data (shared/data/benchmarks/ifeval)"))
  func verdictsAreThoseOfTheAuthorsPrograms() throws {
    let folder = Shared.benchmarks.appending(path: "ifeval")
    var replies: [String: String] = [:]
    for line in try lines(of: folder.appending(path: "gpt4_responses-even.jsonl")) {
      if let prompt = line["prompt"], let response = line["response"] { replies[prompt] = response }
    }
    let definition = try BenchmarkCatalog(ResourceSearch()).definition(named: "ifeval")
    let benchmark = try Benchmark(definition, in: DataFolders(folders: [Shared.benchmarks]))
    let verdicts = Self.strict.split(whereSeparator: \.isWhitespace)
    #expect(benchmark.items.count == verdicts.count)
    var disagreements: [String] = []
    for (item, verdict) in zip(benchmark.items, verdicts) {
      let reply = try #require(replies[item.question])
      let found = try #require(InstructionList(key: item.answer)?.grade(reply).extracted)
      let isSame = zip(found, verdict).allSatisfy { $1 == "?" || $0 == $1 }
      if !isSame { disagreements.append(item.id) }
    }
    // English in one case, which the authors' detector takes for other languages.
    #expect(disagreements == ["202", "2341", "3456"])
  }

  private func lines(of file: URL) throws -> [[String: String]] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
      guard case .object(let object) = try JSONValue(parsing: Data(line.utf8)) else { return [:] }
      return Dictionary(
        object.members.compactMap { name, value in value.fieldText.map { (name, $0) } },
        uniquingKeysWith: { $1 })
    }
  }

  private static let strict = """
    110 1 1 01 0 1 1 0 1 1 01 11 1 11 1 11 1 11 10 1 1 11 11 1 1 1 1? 11 1 1 11 01 11 111 11 1
    11 111 11 1 0?? 11 1 1? 1 0 11 0 1 1 1 01 111 111 1 11 11 1 1 1 00 1 0? 11 1 111 1 11 11 1
    11 1 1 01 11 1 01 011 ?? 11 1 01 1 11 1 ?10 1 1 1 11 00 111 1 1 0 1 11? 11 1 1 1 11 00 ?1
    1? 1 11 1 1 1 111 1 1 1 1 1 ? 1 101 1 1? 11 0 1 1 0 1 1 11 11 1 11 11 1 1 111 11 11 1 01 1
    1 01 0 11 0 1 1 011 1 11 1 1 111 1 01 1 1? 11 1 0 1 111 1 1 11 11 1 1 ? 1? 0 1 1 1 1 1 10
    11 ? 1 1 11 1 11 11 ? 1 1 1 111 1 1 1 0 ?1 1 011 1 0 1?? 101 1 1 11 1 1 1 0 1 1 1 0 11 ?10
    111 1 01 111 111 01 11 101 111 111 11 11 11 10 11 1 11 111 0 1? 11 01 1 10 11 11 11 11 11
    1 1 1 11 11 1 1 1 11 1 1 1 11 11 1 1 11 111 1 1 00 11 1 1 1 1 0
    """
}
