import JSON
import KVLayout
import TextGeneration

/// A request for texts in the engine's terms, whichever endpoint it came by.
struct TextRequest {
  /// The prompts, each with the texts that are wanted of it; never empty.
  var prompts: [[Int32]]
  /// What draws and ends the texts.
  let sampling: SamplingFields
  /// What the cache of each text keeps; nil for what the server's caches keep.
  let kv: KVPolicy?
  /// The thinking budget; nil for none.
  var thinking: ThinkingFields?
  /// How many of the likeliest tokens are wanted at each place; nil for no log-probabilities.
  var logprobs: Int?
  /// Whether the prompt is part of the reply.
  var echoes = false
  /// The most tokens of a reply where the client does not say; nil for what the server has it.
  var usualTokens: Int?
  /// The grammar that answers keep to; nil for any text.
  var grammar: TokenGrammar?
  /// How many texts vote on one answer; nil for no vote.
  var votes: Int?
  /// Whether a message is gone on with that the client began.
  var continues = false

  /// Tokens of all prompts together.
  var promptTokens: Int { prompts.reduce(0) { $0 + $1.count } }

  /// How many texts a prompt gets.
  var count: Int { votes ?? sampling.count }

  /// The engine's requests: of each prompt its texts, in turn. Each of several is what a request for
  /// one alone gets of a seed so much higher.
  ///
  /// - Throws: `APIError` for a prompt or a reply that the model's context does not hold.
  func requests(_ model: ServedModel, _ limits: ServerLimits) throws(APIError)
    -> [GenerationRequest]
  {
    guard prompts.count * count <= limits.texts else {
      throw .invalid(
        "n", "\(prompts.count) prompts with \(count) texts each; at most \(limits.texts) texts")
    }
    var requests: [GenerationRequest] = []
    for prompt in prompts {
      let room = try room(prompt, model, limits)
      let budget = try thinking?.budget(model, room: room)
      if budget != nil, sampling.ignoresEnd {
        throw .invalid("ignore_eos", "and a thinking budget exclude each other")
      }
      if grammar != nil, sampling.stopTokens.isEmpty {
        throw .invalid("ignore_eos", "and an answer of a given form exclude each other")
      }
      for sample in 0..<count {
        var request = GenerationRequest(
          prompt: prompt, sampling: sampling.options,
          random: RandomStream(seed: sampling.seed &+ UInt64(sample), sample: 0),
          maxTokens: max(1, room), stopTokens: sampling.stopTokens, tags: model.tags, budget: budget
        )
        request.kv = kv
        request.logprobs = logprobs
        request.constraint = grammar.map {
          JSONConstraint(
            $0, model, prompt: prompt, stopTokens: sampling.stopTokens,
            thinks: thinking?.thinks ?? true)
        }
        request.scoresPrompt = echoes && logprobs != nil && sample == 0
        requests.append(request)
      }
    }
    return requests
  }

  /// The most tokens of the reply to a prompt.
  private func room(
    _ prompt: [Int32], _ model: ServedModel, _ limits: ServerLimits
  ) throws(APIError) -> Int {
    guard !prompt.isEmpty else { throw .invalid("prompt", "is empty") }
    let most = min(limits.promptTokens ?? .max, model.context - 1)
    guard prompt.count <= most else {
      throw APIError(
        status: 400,
        message:
          "the prompt has \(prompt.count) tokens; at most \(most) are taken, in a context of "
          + "\(model.context) tokens",
        field: nil, code: "context_length_exceeded")
    }
    let left = model.context - prompt.count
    guard let asked = sampling.maxTokens else {
      return min(usualTokens ?? model.replyTokens ?? .max, left)
    }
    guard asked <= left else {
      throw APIError(
        status: 400,
        message:
          "\(sampling.maxTokensField): \(asked) tokens after a prompt of \(prompt.count) are "
          + "\(asked + prompt.count); the model's context holds \(model.context)",
        field: sampling.maxTokensField, code: "context_length_exceeded")
    }
    return asked
  }
}

extension GenerationError {
  /// The error as a client gets it.
  var answer: APIError {
    switch self {
    case .invalidOption, .emptyPrompt, .promptTooLong, .budgetTooLong, .memoryExceeded:
      APIError.invalid(nil, "\(self)")
    case .cache:
      APIError.invalid("kv", "\(self)")
    case .nonFiniteLogits, .model:
      APIError(status: 500, message: "\(self)")
    }
  }
}
