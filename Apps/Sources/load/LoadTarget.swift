import AppSupport
import Evaluation
import Foundation
import JSON
import Serving
import TextGeneration
import Tokenizer

/// What load is put on.
protocol LoadTarget: Sendable {
  /// The model's name.
  var model: String { get }
  /// The format of its weights, where that is known.
  var format: String { get }
  /// The most tokens of prompt and reply; nil where that is not known.
  var context: Int? { get }

  /// Sends one request of a use case and waits for its end.
  ///
  /// - Parameters:
  ///   - useCase: the lengths of prompt and text.
  ///   - number: tells requests apart: no two prompts begin alike.
  /// - Returns: when its tokens came.
  /// - Throws: what went wrong with it.
  func send(_ useCase: UseCase, number: Int) async throws -> RequestTiming
}

/// A model in this process.
struct EngineTarget: LoadTarget {
  let model: String
  let format: String
  let context: Int?
  let engine: TextEngine
  let tokenizer: TextTokenizer

  func send(_ useCase: UseCase, number: Int) async throws -> RequestTiming {
    var words = useCase.prompt
    var prompt: [Int32] = []
    while prompt.count < useCase.prompt {
      prompt = tokenizer.encode(LoadPrompt.text(words: words, number: number))
      words *= 2
    }
    let request = GenerationRequest(
      prompt: Array(prompt.prefix(useCase.prompt)), sampling: .greedy,
      random: RandomStream(seed: UInt64(truncatingIfNeeded: number), sample: 0),
      maxTokens: useCase.generated,
      stopTokens: [])
    let start = ContinuousClock.now
    var arrivals: [Double] = []
    let submission = try await engine.submit([request])
    for try await step in submission.events {
      for (_, event) in step {
        let now = (ContinuousClock.now - start) / .seconds(1)
        switch event {
        case .token: arrivals.append(now)
        case .finished(let result):
          return RequestTiming(
            arrivals: arrivals, end: now, promptTokens: useCase.prompt,
            tokens: result.tokens.count)
        }
      }
    }
    throw UserError("the engine ended before a request did")
  }
}

/// A model behind endpoints, which are asked in turn by `/v1/chat/completions`.
struct EndpointTarget: LoadTarget {
  let model: String
  let format: String
  let clients: [EndpointClient]
  /// Tokens that a prompt has besides its words, and by word.
  private let fixed: Double
  private let perWord: Double

  var context: Int? { nil }

  /// Asks which model there is, and how many tokens its words have.
  ///
  /// - Throws: `HubError`; `UserError` for an endpoint that does not count tokens.
  init(_ flags: EndpointPlaceFlags) throws {
    let clients = flags.clients()
    let model = try EndpointListing.name(
      flags.modelName, clients.map { try EndpointListing($0) })
    func tokens(_ words: Int) throws -> Double {
      let body = Self.body(model, words: words, number: words, tokens: 1)
      let stream = try clients[0].stream(Self.path, body) { Interrupts.isPending }
      guard let tokens = stream.promptTokens else {
        throw UserError("\(clients[0].base) does not count tokens in its streams")
      }
      return Double(tokens)
    }
    let (few, many) = (32, 160)
    let counts = (try tokens(few), try tokens(many))
    perWord = max(0.25, (counts.1 - counts.0) / Double(many - few))
    fixed = max(0, counts.0 - perWord * Double(few))
    self.model = model
    self.clients = clients
    format = "endpoint"
  }

  func send(_ useCase: UseCase, number: Int) async throws -> RequestTiming {
    let words = max(1, Int(((Double(useCase.prompt) - fixed) / perWord).rounded()))
    let body = Self.body(model, words: words, number: number, tokens: useCase.generated)
    let client = clients[Int(UInt(bitPattern: number) % UInt(clients.count))]
    return try await withCheckedThrowingContinuation { continuation in
      Thread {
        continuation.resume(
          with: Result {
            let stream = try client.stream(Self.path, body) { Interrupts.isPending }
            return RequestTiming(
              arrivals: stream.arrivals, end: stream.elapsed,
              promptTokens: stream.promptTokens ?? useCase.prompt,
              tokens: stream.tokens ?? stream.arrivals.count)
          })
      }.start()
    }
  }

  private static let path = "chat/completions"

  private static func body(_ model: String, words: Int, number: Int, tokens: Int) -> Data {
    let body: JSONValue = .object([
      "model": .string(model),
      "messages": .array([
        .object([
          "role": .string("user"),
          "content": .string(LoadPrompt.text(words: words, number: number)),
        ])
      ]),
      "max_tokens": .integer(tokens), "temperature": .number(0), "stream": .bool(true),
      "stream_options": .object(["include_usage": .bool(true)]), "ignore_eos": .bool(true),
    ])
    return Data(body.line.utf8)
  }
}

/// Prompts of some length, of which no two begin alike.
enum LoadPrompt {
  private static let words = [
    "time", "water", "house", "small", "light", "river", "stone", "paper", "green", "north",
    "music", "field", "table", "winter", "letter", "garden",
  ]

  /// So many words, drawn by a linear congruence (Knuth, volume 2, 3.3.4, line 26).
  static func text(words count: Int, number: Int) -> String {
    var state = UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15 | 1
    let drawn = (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return words[Int(state >> 60)]
    }
    return drawn.joined(separator: " ")
  }
}
