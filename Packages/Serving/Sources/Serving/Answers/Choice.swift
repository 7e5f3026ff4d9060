import JSON
import TextGeneration

/// One of the texts of an answer, as it grows.
protocol Choice: Sendable {
  /// What a client that streams is told of a step.
  associatedtype Update: Sendable

  /// Why the text ended; nil while it goes on.
  var ending: FinishReason? { get }

  /// Takes what happened next.
  mutating func take(_ event: TextEvent) -> Update
  /// Adds the tokens of this text to a sum.
  func count(into usage: inout Usage)
}

extension FinishReason {
  /// The reason in the words of the dialect.
  var word: String { self == .length ? "length" : "stop" }
}

/// The tokens that a request took.
struct Usage: Sendable {
  var prompt = 0
  var cached = 0
  var completion = 0
  var thought = 0

  var value: JSONValue {
    .object([
      "prompt_tokens": .integer(prompt), "completion_tokens": .integer(completion),
      "total_tokens": .integer(prompt + completion),
      "prompt_tokens_details": .object(["cached_tokens": .integer(cached)]),
      "completion_tokens_details": .object(["reasoning_tokens": .integer(thought)]),
    ])
  }

  /// The tokens of one text among several, which share a prompt.
  var ofChoice: JSONValue {
    .object([
      "completion_tokens": .integer(completion),
      "completion_tokens_details": .object(["reasoning_tokens": .integer(thought)]),
    ])
  }
}

extension Usage {
  /// The tokens that texts of prompts of so many tokens took.
  init(_ choices: [some Choice], prompt: Int = 0) {
    self.init(prompt: prompt)
    for choice in choices { choice.count(into: &self) }
  }
}

/// The tokens that a part of a stream tells of.
struct PartCounts: Sendable {
  /// Those of the whole answer so far.
  var all: Usage?
  /// Those of the text that the part ends, where others share the answer's count.
  var own: Usage?
}

extension CountedParts {
  /// What a part tells of that went on with one of the texts of an answer, to prompts of so many tokens.
  func counts(_ index: Int, _ choices: [some Choice], prompt: Int) -> PartCounts {
    let isEnd = self != .nothing && choices.count > 1 && choices[index].ending != nil
    return PartCounts(
      all: self == .eachPart ? Usage(choices, prompt: prompt) : nil,
      own: isEnd ? Usage([choices[index]]) : nil)
  }
}

/// The client closed the connection, or the server ends, before the texts did.
struct AnswerAbandoned: Error {}

extension Submission {
  /// Follows texts to their ends.
  ///
  /// - Parameters:
  ///   - choices: the texts as they are at the start.
  ///   - tell: told of every event what it changed.
  /// - Returns: the texts at their ends.
  /// - Throws: `AnswerAbandoned`; `GenerationError` where the engine failed; what `tell` throws,
  ///   which is whatever a writer of Hummingbird does.
  func follow<C: Choice>(
    _ choices: [C], tell: (Int, C.Update, [C]) async throws -> Void
  ) async throws -> [C] {
    var choices = choices
    var left = Set(choices.indices)
    for try await step in events {
      for (index, event) in step where left.contains(index) {
        let update = choices[index].take(event)
        if choices[index].ending != nil {
          left.remove(index)
          if case .token = event { cancel(index) }
        }
        try await tell(index, update, choices)
      }
      if left.isEmpty { break }
    }
    guard left.isEmpty else { throw AnswerAbandoned() }
    return choices
  }

  /// The texts at their ends, each event told on the way.
  ///
  /// - Throws: what ended them, as the client gets it.
  func ended<C: Choice>(
    _ choices: [C], tell: (C.Update) -> Void = { _ in }
  ) async throws(APIError) -> [C] {
    do { return try await follow(choices) { _, update, _ in tell(update) } } catch {
      throw APIError(error)
    }
  }
}
