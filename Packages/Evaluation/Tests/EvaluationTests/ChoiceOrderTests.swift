import Foundation
import Testing

@testable import Evaluation

struct ChoiceOrderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func benchmark(shuffle: String) throws -> Benchmark {
    let rows = (0..<40).map { "q\($0),right,w1,w2,w3" }
    _ = try folder.file("quiz.csv", "Question,R,X,Y,Z\n" + rows.joined(separator: "\n"))
    let yaml = """
      name: quiz
      title: Quiz
      version: 1
      size: 40
      fetch: Make it.
      data:
        - files: [quiz.csv]
          fields: {question: Question, choices: [R, X, Y, Z], answer: R}
      prompt: "{question}\\n{choices}"
      choices: {count: 4, shuffle: \(shuffle)}
      extraction: [box]
      grading: {rule: letter, count: 4}
      samples: 4
      limits: {tokens: 16}
      """
    return try Benchmark(
      BenchmarkDefinition(yaml: yaml, file: "quiz.yaml"), in: DataFolders(folders: [folder.url]))
  }

  func orders(_ benchmark: Benchmark, item: Int, seed: UInt64 = 1) -> [[Int]] {
    (0..<4).map { benchmark.choiceOrder(of: benchmark.items[item], sample: $0, seed: seed) }
  }

  @Test func ordersFollowItemSampleAndSeed() throws {
    #expect(Set(orders(try benchmark(shuffle: "none"), item: 0)) == [[0, 1, 2, 3]])
    let perItem = try benchmark(shuffle: "item")
    #expect(Set(orders(perItem, item: 0)).count == 1)
    #expect(Set((0..<40).map { orders(perItem, item: $0)[0] }).count > 10)
    let perSample = try benchmark(shuffle: "sample")
    #expect(Set((0..<40).flatMap { orders(perSample, item: $0) }).count == 24)
    #expect(
      (0..<40).map { orders(perSample, item: $0, seed: 1) }
        != (0..<40).map {
          orders(perSample, item: $0, seed: 2)
        })
  }

  @Test func theKeyFollowsTheShownOrder() throws {
    let benchmark = try benchmark(shuffle: "sample")
    let run = try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark), journal: URL(filePath: "/nowhere"))
    var letters: Set<String> = []
    for (index, item) in benchmark.items.enumerated() {
      let order = benchmark.choiceOrder(of: item, sample: 0, seed: 7)
      let key = benchmark.key(of: item, order: order)
      let prompt = run.request(for: SampleID(index: index, sample: 0)).prompt
      #expect(prompt.contains("\(key)) right"))
      letters.insert(key)
    }
    #expect(letters == ["A", "B", "C", "D"])
  }

  @Test func answersAreRecordedWithTheirOrder() throws {
    struct AlwaysB: Responder {
      func respond(
        to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
      ) throws {
        for request in requests {
          var response = Adder.reply(to: request)
          response.answer = "\\boxed{B}"
          try each(request, response)
        }
      }
    }
    let benchmark = try benchmark(shuffle: "sample")
    let journal = folder.url.appending(path: "quiz.jsonl")
    let run = try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark), journal: journal)
    _ = try run.run(with: AlwaysB())
    _ = try JournalIndex.read(journal) { record in
      #expect(record.correct == (record.order?[1] == 0))
      #expect(record.extracted == "B")
    }
  }
}
