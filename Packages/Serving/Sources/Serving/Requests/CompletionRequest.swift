import JSON
import TextGeneration

/// A request to `/v1/completions`.
struct CompletionRequest {
  let text: TextRequest
  let streams: Bool
  let counted: CountedParts

  /// The most tokens of a reply where the client does not say: the dialect's own number.
  static let usualTokens = 16

  /// Reads a request.
  ///
  /// - Throws: `APIError` naming the field that is wrong or not known.
  init(_ body: JSONValue, _ model: ServedModel, _ limits: ServerLimits) throws(APIError) {
    var fields = try FieldReader(body)
    try fields.checkModel(model)
    (streams, counted) = try fields.streaming()
    let sampling = try SamplingFields(&fields, model, limits, limitFields: ["max_tokens"])
    let kv = try fields.cachePolicy(model)
    let logprobs = try fields.integer("logprobs", in: 0...20)
    let echoes = try fields.bool("echo") ?? false
    if sampling.maxTokens == 0 && !echoes {
      throw .invalid("max_tokens", "0 tokens need echo")
    }
    if echoes && logprobs != nil {
      if streams { throw .invalid("echo", "with logprobs is not streamed") }
      // A cache that forgets tokens would not give the model's own.
      let policy = kv ?? model.caches.usual
      if policy.eviction != nil {
        throw .invalid(
          "echo", "with logprobs needs a cache that keeps every token; this one is \(policy)")
      }
    }
    let bestOf = try fields.integer("best_of", in: 1...limits.texts)
    if let bestOf, bestOf != sampling.count {
      throw .invalid("best_of", "is \(bestOf); only as many texts as n are generated")
    }
    guard let prompt = fields.value("prompt") else { throw .invalid("prompt", "is missing") }
    let adds = try fields.bool("add_special_tokens") ?? true
    let prompts = try Self.prompts(prompt, model, addSpecialTokens: adds)
    fields.pass("user")
    try fields.refuse("suffix", unless: .string(""), why: "texts are continued at their end")
    try fields.refuse("logit_bias", unless: .object([:]), why: "no token is favoured here")
    try fields.finish()
    text = TextRequest(
      prompts: prompts, sampling: sampling, kv: kv, logprobs: logprobs, echoes: echoes,
      usualTokens: Self.usualTokens)
  }

  /// One prompt or several: texts, or lists of ids.
  private static func prompts(
    _ value: JSONValue, _ model: ServedModel, addSpecialTokens: Bool
  ) throws(APIError) -> [[Int32]] {
    func encode(_ text: String) -> [Int32] {
      model.tokenizer.encode(text, addSpecialTokens: addSpecialTokens)
    }
    if let text = value.string { return [encode(text)] }
    guard let values = value.array, let first = values.first else {
      throw .invalid("prompt", "expected a text, token ids, or a list of these")
    }
    if first.integer != nil { return [try ids(value, model)] }
    var prompts: [[Int32]] = []
    for value in values {
      if let text = value.string {
        prompts.append(encode(text))
      } else {
        prompts.append(try ids(value, model))
      }
    }
    return prompts
  }

  private static func ids(_ value: JSONValue, _ model: ServedModel) throws(APIError) -> [Int32] {
    try TokenIDs.read(value, field: "prompt", model)
  }
}

/// Reads lists of token ids.
enum TokenIDs {
  static func read(
    _ value: JSONValue, field: String, _ model: ServedModel
  ) throws(APIError) -> [Int32] {
    guard let values = value.array else {
      throw .invalid(field, "expected token ids, found \(value.summary)")
    }
    var ids: [Int32] = []
    for value in values {
      guard let id = value.integer.flatMap({ Int32(exactly: $0) }),
        model.tokenizer.piece(of: id) != nil
      else {
        throw .invalid(
          field,
          "\(value.summary) is no token; ids go from 0 to \(model.tokenizer.vocabularySize - 1)")
      }
      ids.append(id)
    }
    return ids
  }
}
