import JSON
import TextGeneration
import Tokenizer

/// A request to `/v1/chat/completions`.
struct ChatRequest {
  let text: TextRequest
  let streams: Bool
  let counted: CountedParts
  /// The tools whose calls are looked for in the answer; nil where none are offered.
  let tools: OfferedTools?

  /// Reads a request.
  ///
  /// - Throws: `APIError` naming the field that is wrong or not known.
  init(_ body: JSONValue, _ model: ServedModel, _ limits: ServerLimits) throws(APIError) {
    var fields = try FieldReader(body)
    try fields.checkModel(model)
    (streams, counted) = try fields.streaming()
    let sampling = try SamplingFields(
      &fields, model, limits, limitFields: ["max_completion_tokens", "max_tokens"])
    if sampling.maxTokens == 0 { throw .invalid(sampling.maxTokensField, "expected at least 1") }
    let kv = try fields.cachePolicy(model)
    let effort = try fields.word(
      "reasoning_effort", among: ThinkingFields.efforts.map(\.name))
    var thinking = try ThinkingFields(
      &fields, effort: effort.map { ("reasoning_effort", $0) })
    let wantsLogprobs = try fields.bool("logprobs") ?? false
    let top = try fields.integer("top_logprobs", in: 0...20)
    if top != nil && !wantsLogprobs { throw .invalid("top_logprobs", "needs logprobs") }
    let votes = try fields.integer("vote", in: 2...limits.texts)
    if votes != nil {
      if sampling.count > 1 { throw .invalid("vote", "and n exclude each other") }
      if wantsLogprobs { throw .invalid("vote", "and logprobs exclude each other") }
      if sampling.options.temperature == 0 {
        throw .invalid("vote", "without chance all texts are equal; it needs a temperature above 0")
      }
    }
    var conversation = try Self.conversation(&fields)
    tools = try OfferedTools.read(&fields, &conversation, model)
    let form = try fields.value("response_format").flatMap {
      (format) throws(APIError) in try model.grammars.grammar(format)
    }
    if form != nil, tools != nil {
      throw .invalid("response_format", "and tools exclude each other")
    }
    let grammar = form ?? tools?.grammar
    if grammar != nil {
      try thinking.freeAnswer(for: form == nil ? "tool_choice" : "response_format")
    }
    fields.pass(
      "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key")
    try fields.refuse("logit_bias", unless: .object([:]), why: "no token is favoured here")
    try fields.refuse("modalities", unless: .array([.string("text")]), why: "the model writes text")
    try fields.refuse(
      "verbosity", unless: .string("medium"), why: "the model's own template has no word for it")
    for key in ["audio", "prediction", "functions", "function_call", "web_search_options"] {
      try fields.refuse(key, why: "it would change nothing here")
    }
    try fields.finish()
    text = TextRequest(
      prompts: [try conversation.prompt(model, thinks: thinking.thinks)], sampling: sampling,
      kv: kv, thinking: thinking, logprobs: wantsLogprobs ? top ?? 0 : nil, grammar: grammar,
      votes: votes, continues: conversation.end == .openMessage)
  }

  /// Reads the conversation: the messages, the tools and the variables of the template.
  static func conversation(_ fields: inout FieldReader) throws(APIError) -> ChatConversation {
    guard let values = try fields.array("messages") else {
      throw .invalid("messages", "is missing")
    }
    if values.isEmpty { throw .invalid("messages", "is empty") }
    var messages: [ChatMessage] = []
    for (index, value) in values.enumerated() {
      let value = withArguments(value)
      do { messages.append(try ChatMessage(value, key: "messages[\(index)]")) } catch {
        throw .invalid("messages", "\(error)")
      }
    }
    var conversation = ChatConversation(messages: messages)
    if let tools = try fields.array("tools"), !tools.isEmpty {
      guard tools.allSatisfy({ $0.object != nil }) else {
        throw .invalid("tools", "expected an array of objects")
      }
      conversation.tools = tools
    }
    conversation.variables = try variables(&fields)
    conversation.end = try end(&fields)
    return conversation
  }

  /// Reads how the prompt ends, in vLLM's words.
  private static func end(_ fields: inout FieldReader) throws(APIError) -> PromptEnd {
    let opens = try fields.bool("add_generation_prompt")
    let continues = try fields.bool("continue_final_message") ?? false
    if continues, opens == true {
      throw .invalid("continue_final_message", "and add_generation_prompt exclude each other")
    }
    return continues ? .openMessage : opens == false ? .message : .reply
  }

  /// Reads further variables of the template.
  static func variables(_ fields: inout FieldReader) throws(APIError) -> [String: JSONValue] {
    guard let given = fields.value("chat_template_kwargs") else { return [:] }
    guard let object = given.object else {
      throw .invalid("chat_template_kwargs", "expected an object, found \(given.summary)")
    }
    return Dictionary(object.members.map { ($0, $1) }) { $1 }
  }

  /// A message whose calls of tools have objects as arguments, which templates look into, where the
  /// dialect has their text.
  private static func withArguments(_ message: JSONValue) -> JSONValue {
    guard var fields = message.object, let calls = fields["tool_calls"]?.array else {
      return message
    }
    fields["tool_calls"] = .array(
      calls.map { call in
        guard var members = call.object, var function = members["function"]?.object,
          let text = function["arguments"]?.string,
          let arguments = try? JSONValue(parsing: text.utf8), arguments.object != nil
        else { return call }
        function["arguments"] = arguments
        members["function"] = .object(function)
        return .object(members)
      })
    return .object(fields)
  }
}

extension ChatConversation {
  /// The ids of the prompt; what the template objects to is the client's mistake.
  func prompt(
    _ model: ServedModel, thinks: Bool, field: String = "messages"
  ) throws(APIError) -> [Int32] {
    do { return try model.prompt(self, thinks) } catch {
      throw .invalid(field, error.reason)
    }
  }
}
