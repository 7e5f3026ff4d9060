import Foundation
import SystemCalls
import Testing

@testable import Evaluation

struct ShippedBenchmarkTests {
  let catalog: BenchmarkCatalog

  init() throws { catalog = try BenchmarkCatalog(ResourceSearch()) }

  @Test func allAreListedAndRead() throws {
    #expect(
      catalog.names == [
        "aime24", "aime25", "arc-challenge", "arc-challenge-25shot", "arc-challenge-llama",
        "arena-hard", "bbh",
        "gpqa", "gpqa-scored", "gsm8k", "gsm8k-5shot", "gsm8k-llama", "hellaswag-10shot",
        "humaneval", "humaneval-plus", "ifeval", "math-hard", "math500", "mbpp", "mbpp-plus",
        "mmlu",
        "mmlu-5shot", "mmlu-cot-llama", "mmlu-llama",
        "mmlu-pro", "musr", "nano-facts", "nano-hops", "nano-math", "nano-reckoning",
        "truthfulqa-mc2", "wikitext2",
        "winogrande-5shot",
      ])
    for name in catalog.names {
      #expect(try catalog.definition(named: name).name == name)
    }
  }

  @Test func missingDataSaysWhatToFetch() throws {
    let definition = try catalog.definition(named: "math500")
    let error = #expect(throws: EvaluationError.self) {
      try Benchmark(definition, in: DataFolders(folders: [URL(filePath: "/nowhere")]))
    }
    let text = try #require(error).description
    #expect(text.contains("math500*.jsonl or test.jsonl"))
    #expect(text.contains("/nowhere"))
    #expect(text.contains("HuggingFaceH4/MATH-500"))
  }

  /// The formats in which data sets are published, with made-up rows.
  @Test func publishedLayoutsAreRead() throws {
    let folder = try TemporaryFolder()
    _ = try folder.file(
      "cache/datasets--Idavidrein--gpqa/snapshots/abc123/gpqa_diamond.csv",
      "\u{feff}Record ID,Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,"
        + "Incorrect Answer 3\r\nrec1,\"Which, of\r\nthese?\",\" right \",\"w\"\"1\"\"\",w2,w3\r\n")
    _ = try folder.file("cache/datasets--Idavidrein--gpqa/refs/main", "abc123\n")
    _ = try folder.file(
      "data/ARC-V1-Feb2018-2/ARC-Challenge/ARC-Challenge-Test.jsonl",
      #"{"id":"Q1","question":{"stem":"What?","choices":[{"text":"a","label":"1"},"#
        + #"{"text":"b","label":"2"},{"text":"c","label":"3"}]},"answerKey":"2"}"#)
    _ = try folder.file("data/mmlu/data/test/law_test.csv", "What?,w,x,y,\"z, too\",D\n")
    _ = try folder.file(
      "data/gsm8k/test.jsonl", #"{"question": "How many?", "answer": "2*600\n#### 1,200"}"#)
    let folders = DataFolders(
      folders: [folder.url.appending(path: "data")], hubCache: folder.url.appending(path: "cache"))

    let gpqa = try Benchmark(catalog.definition(named: "gpqa"), in: folders)
    #expect(gpqa.items.map(\.id) == ["rec1"])
    #expect(gpqa.items.first?.question == "Which, of\r\nthese?")
    #expect(gpqa.items.first?.choices == ["right", "w\"1\"", "w2", "w3"])
    #expect(gpqa.items.first?.answer == "right")
    #expect(gpqa.note == "gpqa has 198 items; the data here has 1")

    let arc = try Benchmark(catalog.definition(named: "arc-challenge"), in: folders)
    #expect(arc.items.first?.choices == ["a", "b", "c"])
    #expect(arc.items.first?.correctChoice == 1)

    let mmlu = try Benchmark(catalog.definition(named: "mmlu"), in: folders)
    #expect(mmlu.items.map(\.id) == ["law_test:1"])
    #expect(mmlu.items.first?.answer == "z, too")

    let gsm8k = try Benchmark(catalog.definition(named: "gsm8k"), in: folders)
    #expect(gsm8k.items.first?.answer == "1200")
  }

  /// Files of one name hold rows of several layouts.
  @Test(arguments: [
    ("aime24", "aime24.jsonl", #"{"problem": "What is 6 times 7?", "answer": "042"}"#),
    ("aime24", "aime24_test.jsonl", #"{"problem": "What is 6 times 7?", "answer": 42}"#),
    ("aime24", "aime24.jsonl", #"{"question": "What is 6 times 7?", "answer": "42"}"#),
    (
      "aime24", "aime24.jsonl",
      #"{"prompt": "What is 6 times 7?\nPlease reason step by step.", "answer": "42"}"#
    ),
    ("aime25", "aime25.jsonl", #"{"question": "What is 6 times 7?", "answer": "42"}"#),
  ])
  func fieldsSayWhichLayoutItIs(name: String, file: String, row: String) throws {
    let folder = try TemporaryFolder()
    _ = try folder.file(file, row)
    let benchmark = try Benchmark(
      catalog.definition(named: name), in: DataFolders(folders: [folder.url]))
    #expect(benchmark.items.map(\.question) == ["What is 6 times 7?"])
    #expect(benchmark.items.map(\.answer) == ["42"])
    _ = try folder.file(file, #"{"text": "What is 6 times 7?", "answer": "42"}"#)
    let error = #expect(throws: EvaluationError.self) {
      try Benchmark(catalog.definition(named: name), in: DataFolders(folders: [folder.url]))
    }
    #expect(try #require(error).description.contains("problem and answer"))
  }

  /// Real data, where it lies beside the repository.
  @Test(
    .enabled(if: Shared.exists(Shared.benchmarks), "needs benchmark data (shared/data/benchmarks)"),
    arguments: [
      ("aime24", 30), ("aime25", 15), ("arc-challenge", 586), ("gsm8k", 300), ("math500", 250),
      ("mmlu", 570),
    ])
  func realDataIsRead(name: String, count: Int) throws {
    let benchmark = try Benchmark(
      catalog.definition(named: name), in: DataFolders(folders: [Shared.benchmarks]))
    #expect(benchmark.items.count == count)
    let run = try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark, samples: 1),
      journal: URL(filePath: "/nowhere"))
    let item = benchmark.items[0]
    let prompt = run.request(for: SampleID(index: 0, sample: 0)).prompt
    #expect(prompt.hasPrefix(item.question))
    #expect(prompt.components(separatedBy: "\\boxed").count == 2)
    #expect(item.choices.allSatisfy(prompt.contains))
  }
}
