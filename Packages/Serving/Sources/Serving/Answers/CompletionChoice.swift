import JSON
import TextGeneration
import Tokenizer

/// A text that continues a prompt, as it is: the tags of thoughts that are no special tokens
/// included.
struct CompletionChoice: Choice {
  /// What was added.
  struct Update {
    var text = ""
    var tokens: [(id: Int32, logprob: TokenLogprob?)] = []
    var ending: FinishReason?
  }

  /// The prompt's tokens where they are part of the reply.
  let echoed: [Int32]
  /// Whether the drawn token is no part of the reply, since none was wanted.
  private let isEmpty: Bool
  private var detokenizer: StreamingDetokenizer
  private var stops: StopStrings
  private(set) var text: String
  private(set) var tokens: [(id: Int32, logprob: TokenLogprob?)] = []
  private(set) var ending: FinishReason?
  private(set) var result: GenerationResult?

  init(_ request: GenerationRequest, _ source: TextRequest, _ model: ServedModel) {
    detokenizer = model.tokenizer.streamingDetokenizer(skipSpecialTokens: true)
    stops = StopStrings(source.sampling.stops)
    echoed = source.echoes ? request.prompt : []
    isEmpty = source.sampling.maxTokens == 0
    text = model.tokenizer.decode(echoed, skipSpecialTokens: true)
  }

  mutating func take(_ event: TextEvent) -> Update {
    var update = Update()
    switch event {
    case .token(let token):
      if isEmpty { break }
      update.tokens = [(token.id, token.logprob)]
      update.text = stops.push(detokenizer.push(token.id))
      if stops.isHit { update.ending = .stop }
    case .finished(let result):
      if !isEmpty {
        update.text = stops.push(detokenizer.finish()) + stops.finish()
        // In lists of log-probabilities the end has its place, as with vLLM.
        if let end = result.endToken { update.tokens = [(end.id, end.logprob)] }
      }
      update.ending = result.finishReason
      self.result = result
    }
    text += update.text
    tokens += update.tokens
    ending = update.ending
    return update
  }

  /// Adds the tokens of this text to a sum; the one that ended it is none.
  func count(into usage: inout Usage) {
    usage.completion += tokens.count - (isEmpty || result?.endToken == nil ? 0 : 1)
    usage.cached += result?.sharedPromptTokens ?? 0
  }
}

/// Writes the answers of `/v1/completions`.
struct CompletionAnswer {
  let head: AnswerHead
  /// Whether log-probabilities are wanted.
  let hasLogprobs: Bool

  /// A whole answer; `scores` are the log-probabilities of each choice's prompt.
  func whole(
    _ choices: [CompletionChoice], scores: [[TokenLogprob]], _ usage: Usage
  ) -> JSONValue {
    let values = choices.enumerated().map { index, text in
      // Nothing is known of the first token: nothing stands before it.
      let known = text.echoed.isEmpty ? [] : [nil] + scores[index].map { $0 as TokenLogprob? }
      let prompt = zip(text.echoed, known).map { (id: $0, logprob: $1) }
      return choice(
        index, text.text, prompt + text.tokens, ending: text.ending,
        usage: choices.count > 1 ? Usage([text]) : nil)
    }
    return head.object(
      "text_completion", ["choices": .array(values), "usage": usage.value])
  }

  /// A part of an answer that is streamed, with the tokens that it counts.
  func chunk(
    _ index: Int, _ update: CompletionChoice.Update, _ counts: PartCounts = PartCounts()
  ) -> JSONValue {
    var members: OrderedObject<JSONValue> = [
      "choices": .array([
        choice(index, update.text, update.tokens, ending: update.ending, usage: counts.own)
      ])
    ]
    members["usage"] = counts.all?.value
    return head.object("text_completion", members)
  }

  /// The last part: the tokens that it took.
  func note(usage: Usage) -> JSONValue {
    head.object("text_completion", ["choices": .array([]), "usage": usage.value])
  }

  /// One of the texts; `usage` are its own tokens, where others share the answer's count.
  private func choice(
    _ index: Int, _ text: String, _ tokens: [(id: Int32, logprob: TokenLogprob?)],
    ending: FinishReason?, usage: Usage? = nil
  ) -> JSONValue {
    let writer = LogprobWriter(tokenizer: head.model.tokenizer)
    var members: OrderedObject<JSONValue> = [
      "text": .string(text), "index": .integer(index),
      "logprobs": hasLogprobs ? writer.lists(tokens) : .null,
      "finish_reason": ending.map { .string($0.word) } ?? .null,
    ]
    members["usage"] = usage?.ofChoice
    return .object(members)
  }
}
