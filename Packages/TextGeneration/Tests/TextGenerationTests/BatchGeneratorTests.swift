import JSON
import KVCaches
import DecoderModels
import ModelLoader
import Tensors
import Testing

@testable import TextGeneration

@Suite struct BatchGeneratorTests {
  /// A decoder with random weights over 40 tokens: of one layer, of two the first of which is
  /// linear attention, or of two the second of which has a window.
  static func makePass(
    context: Int = 64, isHybrid: Bool = false, window: Int? = nil, vocabulary: Int = 40,
    headBits: HeadBits = .stored
  ) throws -> ForwardPass {
    var config: OrderedObject<JSONValue> = [
      "hidden_size": .integer(32), "intermediate_size": .integer(48),
      "num_hidden_layers": .integer(1), "num_attention_heads": .integer(2),
      "num_key_value_heads": .integer(1), "head_dim": .integer(16),
      "vocab_size": .integer(vocabulary),
      "max_position_embeddings": .integer(context), "tie_word_embeddings": .bool(true),
    ]
    if isHybrid {
      config["num_hidden_layers"] = .integer(2)
      config["full_attention_interval"] = .integer(2)
      for (key, value) in [
        ("num_key_heads", 1), ("num_value_heads", 2), ("key_head_dim", 16), ("value_head_dim", 12),
      ] {
        config["linear_" + key] = .integer(value)
      }
    }
    if let window {
      config["num_hidden_layers"] = .integer(2)
      config["use_sliding_window"] = .bool(true)
      config["sliding_window"] = .integer(window)
      config["max_window_layers"] = .integer(1)
    }
    let object = JSONObject(file: "config.json", members: config)
    let type: any ModelFamily.Type =
      isHybrid ? Qwen35.self : window == nil ? Llama.self : Qwen2.self
    let family = try type.init(object)
    let decoder = try Decoder(family, from: RandomTensors(), headBits: headBits)
    return ForwardPass(decoder, pool: try ThreadPool(workers: 1))
  }

  private final class RandomTensors: TensorSource {
    private var state: UInt64 = 7

    func contains(_ name: String) -> Bool { true }

    /// Ones, and a slow decay for linear attention, so that its state matters.
    func vector(_ name: String, count: Int) -> [Float] {
      [Float](repeating: name.hasSuffix("A_log") ? -3 : 1, count: count)
    }

    func matrix(
      _ name: String, rows: Int, columns: Int
    ) throws(CheckpointError) -> any LinearWeights {
      let values = (0..<rows * columns).map { _ -> Float in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int(state >> 40 % 2001) - 1000) / 2000
      }
      do {
        return try WeightPacking.pack(Tensor(values, shape: [rows, columns]), name: name)
      } catch {
        throw .tensors("\(error)")
      }
    }
  }

  static func request(_ sample: Int, maxTokens: Int = 30) throws -> GenerationRequest {
    GenerationRequest(
      prompt: (0...Int32(sample % 7)).map { $0 * 3 },
      sampling: try SamplingOptions(temperature: 1.5, topK: 12, topP: 0.95),
      random: RandomStream(seed: 3, sample: UInt64(sample)), maxTokens: maxTokens,
      stopTokens: [2])
  }

  func run(
    _ requests: [GenerationRequest], concurrency: Int
  ) throws -> (results: [Int: GenerationResult], generator: BatchGenerator) {
    let generator = BatchGenerator(try Self.makePass())
    var results: [Int: GenerationResult] = [:]
    var streamed: [Int: [Int32]] = [:]
    try generator.run(requests, concurrency: concurrency) { event in
      switch event {
      case .token(let index, let token): streamed[index, default: []].append(token.id)
      case .branched: Issue.record("no branch was asked for")
      case .finished(let index, let result):
        #expect(results.updateValue(result, forKey: index) == nil)
        #expect(result.tokens == streamed[index] ?? [])
      }
      return .goOn
    }
    return (results, generator)
  }

  @Test func aTextDoesNotDependOnItsNeighbours() throws {
    let requests = try (0..<25).map { try Self.request($0) }
    let alone = try run(requests, concurrency: 1).results
    #expect(alone.count == 25)
    #expect(Set(alone.values.map(\.finishReason)) == [.stop, .length])
    for concurrency in [2, 7, 64] {
      let (together, generator) = try run(requests, concurrency: concurrency)
      #expect(together.count == 25)
      for (index, result) in together {
        #expect(result.tokens == alone[index]?.tokens)
        #expect(result.finishReason == alone[index]?.finishReason)
      }
      #expect(generator.meter.bytes == 0)
    }
  }

  @Test func limitsAreExactAndTheContextEndsATextToo() throws {
    var request = try Self.request(0, maxTokens: 5)
    request.stopTokens = []
    #expect(try run([request], concurrency: 1).results[0]?.tokens.count == 5)
    request.maxTokens = .max
    let result = try run([request], concurrency: 1).results[0]
    #expect(result?.tokens.count == 64 - request.prompt.count)
    #expect(result?.finishReason == .length)
  }

  @Test func callersCanEndOneTextOrAll() throws {
    var requests = try (0..<3).map { try Self.request($0) }
    for index in requests.indices { requests[index].stopTokens = [] }
    let generator = BatchGenerator(try Self.makePass())
    var results: [Int: GenerationResult] = [:]
    var seen = 0
    try generator.run(requests, concurrency: 3) { event in
      switch event {
      case .token(let index, _):
        seen += 1
        return index == 1 ? .endText : .goOn
      case .branched: return .goOn
      case .finished(let index, let result):
        results[index] = result
        return .goOn
      }
    }
    #expect(results[1]?.tokens.count == 1 && results[1]?.finishReason == .cancelled)
    #expect(results[0]?.tokens.count == 30 && results[2]?.tokens.count == 30)
    try generator.run(requests, concurrency: 3) { _ in .endAll }
    #expect(generator.meter.bytes == 0)
    #expect(seen == 61)
  }

  @Test func refusesWhatCannotBeRun() throws {
    var request = try Self.request(0)
    request.prompt = []
    #expect(throws: GenerationError.emptyPrompt) { try run([request], concurrency: 1) }
    request.prompt = [Int32](repeating: 1, count: 64)
    #expect(throws: GenerationError.promptTooLong(tokens: 64, context: 64)) {
      try run([request], concurrency: 1)
    }
  }

  @Test func thinkingIsFollowedFromThePromptOn() {
    let tags = ThinkingTags(open: 3, close: 4)
    var tracker = ThoughtTracker(tags: tags, prompt: [1, 3])
    #expect([7, 4, 8].map { tracker.take($0) } == [.thought, .tag, .answer])
    tracker = ThoughtTracker(tags: tags, prompt: [3, 4, 1])
    #expect([7, 3, 8, 4, 9].map { tracker.take($0) } == [.answer, .tag, .thought, .tag, .answer])
    tracker = ThoughtTracker(tags: tags, prompt: [3])
    tracker.endThought()
    #expect(tracker.take(7) == .answer)
    tracker = ThoughtTracker(tags: nil, prompt: [3])
    #expect(tracker.take(7) == .answer)
  }

  @Test func theThoughtEndsWithItsLastTag() {
    let tags = ThinkingTags(open: 3, close: 4)
    #expect(tags.thoughtLength(of: [3, 7, 4, 8], after: [1]) == 3)
    #expect(tags.thoughtLength(of: [7, 4, 3, 4, 9], after: [3]) == 4)
    #expect(tags.thoughtLength(of: [3, 7], after: [1]) == 2)
    #expect(tags.thoughtLength(of: [7, 8], after: [3]) == 2)
    #expect(tags.thoughtLength(of: [7, 8], after: [3, 4]) == 0)
  }
}
