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
    /// Calls of tools, and how many came before.
    var calls: [ToolCall] = []
    var callsBefore = 0
    var ending: FinishReason?
    /// The end in the words of the dialect.
    var endingWord: String?

    var isEmpty: Bool {
      thought.isEmpty && answer.isEmpty && logprobs.isEmpty && calls.isEmpty && ending == nil
    }
  }

  private var stream: ReplyStream
  private var tools: ToolCallReader?
  private let mostCalls: Int
  private let writer: LogprobWriter
  private(set) var thought = ""
  private(set) var answer = ""
  private(set) var logprobs: [JSONValue] = []
  private(set) var ending: FinishReason?
  /// The engine's result; nil where a stop string ended the text.
  private(set) var result: GenerationResult?

  init(
    _ request: GenerationRequest, _ source: TextRequest, _ model: ServedModel,
    tools: OfferedTools? = nil
  ) {
    self.tools = tools.map { ToolCallReader(names: $0.names) }
    mostCalls = tools?.areParallel == false ? 1 : .max
    stream = ReplyStream(
      tokenizer: model.tokenizer, tags: model.tags, prompt: request.prompt,
      stops: source.sampling.stops, continues: source.continues)
    writer = LogprobWriter(tokenizer: model.tokenizer)
  }

  mutating func take(_ event: TextEvent) -> Update {
    var update = Update()
    switch event {
    case .token(let token):
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
    findCalls(&update)
    ending = update.ending
    update.endingWord = endingWord
    thought += update.thought
    answer += update.answer
    logprobs += update.logprobs
    return update
  }

  /// The calls of tools so far.
  var calls: [ToolCall] { Array((tools?.calls ?? []).prefix(mostCalls)) }

  /// Why it ended in the words of the dialect; nil while it goes on.
  var endingWord: String? { ending.map { calls.isEmpty ? $0.word : "tool_calls" } }

  /// Takes calls of tools out of what was added.
  private mutating func findCalls(_ update: inout Update) {
    guard tools != nil else { return }
    update.callsBefore = calls.count
    update.answer = tools?.push(update.answer) ?? ""
    if update.ending != nil { update.answer += tools?.finish() ?? "" }
    update.calls = Array(calls.dropFirst(update.callsBefore))
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
      "role": .string("assistant"),
      "content": answer.isEmpty && !calls.isEmpty ? .null : .string(answer),
    ]
    if !calls.isEmpty {
      message["tool_calls"] = .array(calls.map { .object($0.members) })
    }
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
    if !calls.isEmpty {
      delta["tool_calls"] = .array(
        calls.enumerated().map { place, call in
          var members = call.members
          members["index"] = .integer(callsBefore + place)
          return .object(members)
        })
    }
    return .object(delta)
  }
}

extension ToolCall {
  /// The name by which its result refers to it.
  var callID: String { "call_" + id }

  /// The call as a client gets it.
  var members: OrderedObject<JSONValue> {
    [
      "id": .string(callID), "type": .string("function"),
      "function": .object(["name": .string(name), "arguments": .string(arguments.line)]),
    ]
  }
}
