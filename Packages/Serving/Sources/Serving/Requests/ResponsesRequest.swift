import JSON
import Tokenizer

/// A request to `/v1/responses`.
struct ResponsesRequest {
  let text: TextRequest
  let streams: Bool
  /// The tools whose calls are looked for in the answer; nil where none are offered.
  let tools: OfferedTools?
  /// What the response repeats of the request.
  let repeated: OrderedObject<JSONValue>

  /// Reads a request.
  ///
  /// - Throws: `APIError` naming the field that is wrong or not known.
  init(_ body: JSONValue, _ model: ServedModel, _ limits: ServerLimits) throws(APIError) {
    var fields = try FieldReader(body)
    try fields.checkModel(model)
    streams = try fields.streaming().streams
    let sampling = try SamplingFields(&fields, model, limits, limitFields: ["max_output_tokens"])
    if sampling.maxTokens == 0 { throw .invalid(sampling.maxTokensField, "expected at least 1") }
    if sampling.count > 1 { throw .invalid("n", "a response is one text") }
    let kv = try fields.cachePolicy(model)
    let effort = try Self.effort(&fields)
    var thinking = try ThinkingFields(&fields, effort: effort.map { ("reasoning.effort", $0) })
    var conversation = ChatConversation(messages: try Self.messages(&fields))
    conversation.variables = try ChatRequest.variables(&fields)
    conversation.tools = try Self.tools(&fields)
    tools = try OfferedTools.read(&fields, &conversation, model)
    let form = try Self.form(&fields, model)
    if form != nil, tools != nil { throw .invalid("text.format", "and tools exclude each other") }
    let grammar = form ?? tools?.grammar
    if grammar != nil {
      try thinking.freeAnswer(for: form == nil ? "tool_choice" : "text.format")
    }
    let logprobs = try Self.logprobs(&fields)
    fields.pass(
      "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key",
      "prompt_cache_retention")
    for key in ["previous_response_id", "conversation"] {
      try fields.refuse(key, why: "nothing is kept here; send the whole input")
    }
    try fields.refuse("prompt", why: "no prompts are kept here")
    try fields.refuse("background", unless: .bool(false), why: "a response is waited for")
    try fields.refuse(
      "truncation", unless: .string("disabled"), why: "no part of the input is left out")
    try fields.refuse("max_tool_calls", why: "there are no tools here but the client's own")
    try fields.finish()
    repeated = Self.repeated(body, sampling)
    text = TextRequest(
      prompts: [try conversation.prompt(model, thinks: thinking.thinks, field: "input")],
      sampling: sampling, kv: kv, thinking: thinking, logprobs: logprobs, grammar: grammar)
  }

  /// The word of `reasoning.effort`.
  private static func effort(_ fields: inout FieldReader) throws(APIError) -> String? {
    guard var reasoning = try fields.reader("reasoning") else { return nil }
    let effort = try reasoning.word("effort", among: ThinkingFields.efforts.map(\.name))
    for key in ["summary", "generate_summary"] {
      // Thoughts are told as they are, which a client that leaves the choice to the server takes.
      try reasoning.refuse(
        key, unless: .string("auto"), why: "thoughts are told whole, as reasoning_text")
    }
    try reasoning.finish()
    return effort
  }

  /// The conversation of `instructions` and `input`.
  private static func messages(_ fields: inout FieldReader) throws(APIError) -> [ChatMessage] {
    var messages: [ChatMessage] = []
    if let instructions = try fields.string("instructions") {
      messages.append(ChatMessage(role: "system", content: instructions))
    }
    guard let input = fields.value("input") else { throw .invalid("input", "is missing") }
    if let text = input.string {
      return messages + [ChatMessage(role: "user", content: text)]
    }
    guard let items = input.array, !items.isEmpty else {
      throw .invalid("input", "expected a text, or an array of items that is not empty")
    }
    return messages + (try InputItems(items).messages)
  }

  /// The tools as templates know them: what is flat here is within `function` there.
  private static func tools(_ fields: inout FieldReader) throws(APIError) -> [JSONValue]? {
    var tools: [JSONValue] = []
    for (index, value) in (try fields.array("tools") ?? []).enumerated() {
      var tool = try FieldReader(value, path: "tools[\(index)]")
      guard try tool.word("type", among: ["function"]) != nil else {
        throw .invalid("tools[\(index)].type", "is missing")
      }
      guard let name = try tool.string("name") else {
        throw .invalid("tools[\(index)].name", "is missing")
      }
      var function: OrderedObject<JSONValue> = ["name": .string(name)]
      if let text = try tool.string("description") { function["description"] = .string(text) }
      if let schema = tool.value("parameters") { function["parameters"] = schema }
      tool.pass("strict")
      try tool.finish()
      tools.append(.object(["type": .string("function"), "function": .object(function)]))
    }
    return tools.isEmpty ? nil : tools
  }

  /// The grammar of `text.format`; nil for text of any form.
  private static func form(
    _ fields: inout FieldReader, _ model: ServedModel
  ) throws(APIError) -> TokenGrammar? {
    guard var text = try fields.reader("text") else { return nil }
    try text.refuse(
      "verbosity", unless: .string("medium"), why: "the model's own template has no word for it")
    var grammar: TokenGrammar?
    if var format = try text.reader("format") {
      grammar = try model.grammars.grammar(textFormat: &format)
    }
    try text.finish()
    return grammar
  }

  /// How many of the likeliest tokens are wanted; nil for no log-probabilities.
  private static func logprobs(_ fields: inout FieldReader) throws(APIError) -> Int? {
    let top = try fields.integer("top_logprobs", in: 0...20)
    var wants = (top ?? 0) > 0
    for value in try fields.array("include") ?? [] {
      switch value.string {
      case "message.output_text.logprobs": wants = true
      // Thoughts are not hidden, so that there is nothing to encrypt.
      case "reasoning.encrypted_content": break
      default: throw .invalid("include", "\(value.summary) is not known here")
      }
    }
    return wants ? top ?? 0 : nil
  }

  private static func repeated(
    _ body: JSONValue, _ sampling: SamplingFields
  ) -> OrderedObject<JSONValue> {
    let usual: OrderedObject<JSONValue> = [
      "instructions": .null, "max_output_tokens": .null, "metadata": .object([:]),
      "parallel_tool_calls": .bool(true), "reasoning": .object(["effort": .null]),
      "temperature": .number(Double(sampling.options.temperature)),
      "text": .object(["format": .object(["type": .string("text")])]),
      "tool_choice": .string("auto"), "tools": .array([]),
      "top_p": .number(Double(sampling.options.topP)), "user": .null,
    ]
    var repeated = usual
    for (key, _) in usual.members {
      if let given = body[key], !given.isNull { repeated[key] = given }
    }
    for key in ["background", "store"] { repeated[key] = .bool(false) }
    for key in ["previous_response_id", "service_tier"] { repeated[key] = .null }
    repeated["truncation"] = .string("disabled")
    return repeated
  }
}
