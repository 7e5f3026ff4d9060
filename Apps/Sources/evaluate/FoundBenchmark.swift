import AppSupport
import DecoderModels
import Evaluation
import ModelLoader

/// A benchmark whose data is here. A text becomes one when it is known which model reads it.
enum FoundBenchmark {
  case items(Benchmark)
  case text(ScoredTextFile)

  var definition: BenchmarkDefinition {
    switch self {
    case .items(let benchmark): benchmark.definition
    case .text(let text): text.definition
    }
  }

  /// The benchmark, where it is a list of questions.
  var items: Benchmark? { if case .items(let benchmark) = self { benchmark } else { nil } }

  /// A remark when the data found is not the complete benchmark.
  var note: String? { items?.note }

  /// The benchmark as a model reads it.
  ///
  /// - Throws: `UserError` for a model without tokenizer, `EvaluationError` for a text that is too
  ///   short for it or a context too short for the text's windows.
  func benchmark(for checkpoint: Checkpoint) throws -> Benchmark {
    switch self {
    case .items(let benchmark): return benchmark
    case .text(let text):
      guard let tokenizer = try LoadedModel.tokenizer(of: checkpoint) else {
        throw UserError("\(checkpoint.directory.path): has no tokenizer files")
      }
      let shape = try DecoderSource(checkpoint, families: Known.families).shape
      return try text.windows(context: shape.contextLength) { tokenizer.encode($0) }
    }
  }
}
