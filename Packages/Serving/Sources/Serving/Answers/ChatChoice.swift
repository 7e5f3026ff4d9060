import JSON
import TextGeneration
import Tokenizer

/// A text of a chat: the thought and the answer.
struct ChatChoice: Choice {
  /// What was added: text by part, log-probabilities of the answer's tokens, and the end.
  struct Update {
    var thought = ""
    var answer = ""
    var logprobs: [JSONValue] = []
    var ending: FinishReason?

    var isEmpty: Bool { thought.isEmpty && answer.isEmpty && logprobs.isEmpty && ending == nil }
  }

  private var stream: ReplyStream
  private let writer: LogprobWriter
  private(set) var thought = ""
  private(set) var answer = ""
  private(set) var logprobs: [JSONValue] = []
  private(set) var ending: FinishReason?
  /// The engine's result; nil where a stop string ended the text.
  private(set) var result: GenerationResult?
  private var tokens: [Int32] = []

  init(_ request: GenerationRequest, _ model: ServedModel, stops: [String]) {
    stream = ReplyStream(
      tokenizer: model.tokenizer, tags: model.tags, prompt: request.prompt, stops: stops)
    writer = LogprobWriter(tokenizer: model.tokenizer)
  }

  mutating func take(_ event: TextEvent) -> Update {
    var update = Update()
    switch event {
    case .token(let token):
      tokens.append(token.id)
      update.add(stream.take(token.id, isCue: token.origin == .cue))
      if stream.isAnswering, let logprob = token.logprob {
        update.logprobs.append(writer.entry(logprob))
      }
      if stream.isStopped { update.ending = .stop }
    case .finished(let result):
      update.add(stream.finish())
      update.ending = result.finishReason
      self.result = result
    }
    ending = update.ending
    thought += update.thought
    answer += update.answer
    logprobs += update.logprobs
    return update
  }

  /// Adds the tokens of this text to a sum.
  func count(into usage: inout Usage) {
    usage.completion += stream.tokens
    usage.thought += stream.thoughtTokens
    usage.cached = max(usage.cached, result?.sharedPromptTokens ?? 0)
  }

  /// The message as a client gets it.
  var message: JSONValue {
    var message: OrderedObject<JSONValue> = [
      "role": .string("assistant"), "content": .string(answer),
    ]
    if !thought.isEmpty {
      message["reasoning"] = .string(thought)
      message["reasoning_content"] = .string(thought)
    }
    return .object(message)
  }
}

extension ChatChoice.Update {
  mutating func add(_ pieces: [ReplyStream.Piece]) {
    for piece in pieces {
      switch piece.part {
      case .thought: thought += piece.text
      case .answer: answer += piece.text
      }
    }
  }

  /// The change as a client that streams gets it.
  var delta: JSONValue {
    var delta: OrderedObject<JSONValue> = [:]
    if !thought.isEmpty {
      delta["reasoning"] = .string(thought)
      delta["reasoning_content"] = .string(thought)
    }
    if !answer.isEmpty { delta["content"] = .string(answer) }
    return .object(delta)
  }
}
