import Foundation
import Testing

@testable import Evaluation

/// Data sets in all allowed shapes, and damaged ones.
struct DataFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func load(_ text: String, yaml: String = sumsYAML, name: String = "sums.jsonl") throws
    -> Benchmark
  {
    _ = try folder.file(name, text)
    return try Benchmark(
      BenchmarkDefinition(yaml: yaml, file: "sums.yaml"), in: DataFolders(folders: [folder.url]))
  }

  @Test func lineEndsBlankLinesAndMissingLastLineEndAreFine() throws {
    let row = #"{"id": "a", "question": "q", "answer": "1"}"#
    let other = #"{"id": "b", "question": "q", "answer": 2.0}"#
    let benchmark = try load("\n\(row)\r\n\r\n  \n\(other)")
    #expect(benchmark.items.map(\.id) == ["a", "b"])
    #expect(benchmark.items.map(\.answer) == ["1", "2"])
  }

  @Test func aByteOrderMarkInFrontIsNoPartOfTheText() throws {
    let mark = "\u{FEFF}"
    let benchmark = try load(mark + #"{"id": "a", "question": "q", "answer": "1"}"#)
    #expect(benchmark.items.map(\.id) == ["a"])
    let definition = try folder.file("marked.yaml", mark + sumsYAML)
    #expect(try BenchmarkDefinition(contentsOf: definition).name == benchmark.definition.name)
  }

  /// Two rows, compressed with gzip; cut, and of another kind.
  @Test func compressedLinesAreRead() throws {
    let bytes = try #require(
      Data(
        base64Encoded:
          "H4sIAAAAAAAC/6tWykxRslJQSlTSUVAqLE0tLsnMzwMJFIIEEvOKy1OLgFzDWq5qqMok/CqNarkAGsxA3lQAAAA="
      ))
    let yaml = sumsYAML.replacing("sums.jsonl", with: "sums.jsonl.gz")
    func load(_ data: Data) throws -> Benchmark {
      try data.write(to: folder.url.appending(path: "sums.jsonl.gz"))
      return try Benchmark(
        BenchmarkDefinition(yaml: yaml, file: "sums.yaml"), in: DataFolders(folders: [folder.url]))
    }
    #expect(try load(bytes).items.map(\.answer) == ["1", "2"])
    for damaged in [bytes.dropLast(9), Data("text".utf8), bytes.prefix(30) + bytes.suffix(20)] {
      let error = #expect(throws: EvaluationError.self) { try load(Data(damaged)) }
      #expect("\(error.map(String.init(describing:)) ?? "")".contains("sums.jsonl.gz"))
    }
  }

  @Test(arguments: [
    (#"{"id": "a", "question": "q""#, "is no JSON: byte 27: expected ',' or '}'"),
    ("text", "is no JSON: byte 0: expected true or false"),
    ("[1]", "is no JSON object"),
    (String(repeating: "[", count: 100_000), "is no JSON: byte 128: nested deeper than 128"),
    (#"{"question": "q", "answer": 1}"#, "has no field 'id'"),
    (#"{"id": null, "question": "q", "answer": 1}"#, "has no field 'id'"),
    (#"{"id": "a", "question": ["q"], "answer": 1}"#, "field 'question' is no text or number"),
    (#"{"id": "a", "question": " ", "answer": 1}"#, "field 'question' is empty"),
    (#"{"id": "a", "question": "q"}"#, "has no field 'answer'"),
    (
      #"{"id": "a", "question": "q", "answer": "some"}"#,
      "field 'answer' is 'some'; expected a whole number"
    ),
    (#"{"id": "0", "question": "q", "answer": 1}"#, "repeats the id '0' of sums.jsonl, line 1"),
  ])
  func damagedLinesAreNamed(line: String, reason: String) throws {
    let good = #"{"id": "0", "question": "q", "answer": 0}"#
    let file = folder.url.appending(path: "sums.jsonl").path
    #expect(throws: EvaluationError.dataRow(file: file, line: 3, reason: reason)) {
      try load("\(good)\n\n\(line)\n")
    }
  }

  @Test func notUTF8AndEmptyFilesAreRefused() throws {
    let file = try folder.file("sums.jsonl", "")
    #expect(throws: EvaluationError.file(path: file.path, reason: "holds no items")) {
      try load("\n\n")
    }
    try Data([0x7b, 0xff, 0x7d]).write(to: file)
    let definition = try BenchmarkDefinition(yaml: sumsYAML, file: "sums.yaml")
    #expect(
      throws: EvaluationError.dataRow(
        file: file.path, line: 1, reason: "is no JSON: byte 1: invalid UTF-8")
    ) {
      try Benchmark(definition, in: DataFolders(folders: [folder.url]))
    }
  }

  @Test func jsonListsAreRead() throws {
    let yaml = sumsYAML.replacing("sums.jsonl", with: "sums.json")
    let text = #"[{"id": 1, "question": "q", "answer": 3}]"#
    #expect(try load(text, yaml: yaml, name: "sums.json").items.map(\.id) == ["1"])
    for wrong in ["{}", "[1,", ""] {
      #expect(throws: EvaluationError.self) { try load(wrong, yaml: yaml, name: "sums.json") }
    }
  }

  @Test func dataIsKnownByItsItemsNotItsFile() throws {
    let row = #"{"id": "a", "question": "q", "answer": 1}"#
    let digest = try load(row).digest
    #expect(try load("\n" + row + "\n\n").digest == digest)
    #expect(try load(row.replacing("q\"", with: "Q\"")).digest != digest)
  }
}

struct CSVParserTests {
  func fields(_ text: String) throws -> [[String]] {
    try CSVParser.records(of: text, file: "x.csv").map(\.fields)
  }

  @Test func recordsFollowTheStandard() throws {
    #expect(try fields("a,b\nc,d") == [["a", "b"], ["c", "d"]])
    #expect(try fields("a,\"b,\"\"c\"\"\r\nd\"\r\n\r\ne,") == [["a", "b,\"c\"\r\nd"], ["e", ""]])
    #expect(try fields(",,\n") == [["", "", ""]])
    #expect(try fields("") == [])
    #expect(try fields("\"\"") == [])
  }

  @Test func linesAreCountedThroughQuotes() throws {
    #expect(
      try CSVParser.records(of: "\"a\nb\",c\n\nd,e\n", file: "x.csv").map(\.line) == [1, 4])
  }

  @Test func openQuotesAndTextBehindThemAreNamed() {
    #expect(
      throws: EvaluationError.dataRow(
        file: "x.csv", line: 2, reason: "has a quote that is never closed")
    ) { try fields("a\n\"b\nc") }
    #expect(
      throws: EvaluationError.dataRow(
        file: "x.csv", line: 1, reason: "has text after a closing quote")
    ) { try fields("\"a\"b,c") }
  }
}

struct DataFoldersTests {
  @Test func dataBesideItsDefinitionIsFound() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("sums.yaml", sumsYAML)
    _ = try folder.file("sums.jsonl", #"{"id": 1, "question": "q", "answer": 3}"#)
    let definition = try BenchmarkDefinition(contentsOf: file)
    #expect(try Benchmark(definition, in: DataFolders(folders: [])).items.count == 1)
    #expect(
      try definition.digest == BenchmarkDefinition(yaml: sumsYAML, file: "x.yaml").digest)
  }

  @Test func starsStandForAnyCharacters() {
    for (name, pattern, isMatch) in [
      ("a.csv", "a.csv", true), ("a.csv", "*.csv", true), ("a_test.csv", "*_test.csv", true),
      ("test.csv", "*_test.csv", false), ("abcabc", "a*b*c", true), ("ab", "ab*b", false),
      ("", "*", true), ("x", "**", true),
    ] {
      #expect(DataFolders.isMatch(name[...], pattern[...]) == isMatch, "\(name) \(pattern)")
    }
  }
}
