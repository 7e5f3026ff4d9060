import Foundation
import SystemCalls
import Testing

@testable import Evaluation

/// The benchmarks that the repository ships complete.
@Suite(.enabled(if: Shared.exists(Shared.nano), "needs the package NanoModels beside this one"))
struct NanoBenchmarkTests {
  @Test(arguments: ["nano-math", "nano-facts", "nano-reckoning", "nano-hops"])
  func loadsCompletely(name: String) throws {
    let catalog = try BenchmarkCatalog(ResourceSearch())
    let benchmark = try Benchmark(
      catalog.definition(named: name), in: DataFolders(folders: [Shared.nano]))
    #expect(benchmark.items.count == 400)
    #expect(benchmark.note == nil)
    let run = try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark), journal: URL(filePath: "/tmp/none"))
    let request = run.request(for: SampleID(index: 0, sample: 0))
    #expect(request.prompt == benchmark.items[0].question)
    let extractor = AnswerExtractor(
      steps: benchmark.definition.extraction, grading: benchmark.definition.grading)
    let answer = benchmark.items[0].answer
    #expect(extractor.extract(from: "\n\n**Final Answer**\n\\boxed{ \(answer)}")?.answer == answer)
    #expect(extractor.extract(from: "**Final Answer**\n\\boxed{ \(answer)\n")?.step == .openBox)
  }
}
