import DecoderModels
import Evaluation
import Foundation
import NanoModels
import TextGeneration
import Tokenizer

/// A benchmark of one's own: a definition as text, and data that lies in any folder.
enum OwnBenchmark {
  static let definition = """
    name: consumer-sums
    title: Chains of integer steps, asked by another project
    version: 1
    size: 400
    fetch: It ships with the nano models.
    data:
      - files: [nano-math.jsonl]
        fields: {id: id, question: question, answer: answer}
    prompt: "{question}"
    extraction: [box]
    grading: {rule: integer}
    samples: 1
    limits: {tokens: 300}
    """

  /// The first `limit` items, answered by a model.
  static func run(with responder: some Responder, limit: Int, journal: URL) throws -> Summary {
    guard let data = NanoModels.benchmark(named: "nano-math") else {
      throw Problem("the nano models are not installed")
    }
    let benchmark = try Benchmark(
      BenchmarkDefinition(yaml: definition, file: "consumer-sums.yaml"),
      in: DataFolders(folders: [data.deletingLastPathComponent()]))
    let scenario = try Scenario(
      benchmark, limit: limit, seed: 1, sampling: Sampling(temperature: 0),
      limits: benchmark.definition.limits, engine: ["model": "nano"])
    let run = try EvaluationRun(benchmark: benchmark, scenario: scenario, journal: journal)
    return try run.run(with: responder).summary
  }
}

/// Answers with the likeliest tokens of a model in this process.
struct GreedyResponder: Responder {
  let pass: ForwardPass
  let tokenizer: TextTokenizer
  let template: ChatTemplate
  let stopTokens: Set<Int32>

  func respond(
    to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
  ) throws {
    let generation = try requests.map { request in
      let conversation = ChatConversation(
        messages: [ChatMessage(role: "user", content: request.prompt)])
      return GenerationRequest(
        prompt: tokenizer.encode(try tokenizer.prompt(conversation, template)), sampling: .greedy,
        random: RandomStream(seed: request.seed, sample: 0), maxTokens: request.limits.tokens,
        stopTokens: stopTokens)
    }
    var run = try BatchGenerator(pass).start(generation, concurrency: requests.count)
    while let event = try run.next() {
      if case .finished(let index, let result) = event {
        try each(
          requests[index],
          SampleResponse(
            thought: "", answer: tokenizer.decode(result.tokens),
            promptTokens: result.counts.prompt, thoughtTokens: 0, injectedTokens: 0,
            answerTokens: result.tokens.count,
            finish: result.finishReason == .stop ? .stop : .length,
            cost: SampleCost(seconds: result.seconds)))
      }
    }
  }
}
