import JSON
import KVLayout
import TextGeneration

/// What a server takes, as an OpenAPI document: for programs that write clients or test servers.
struct APIDescription {
  let model: ServedModel
  let limits: ServerLimits
  let version: String

  /// The document.
  var document: JSONValue {
    .object([
      "openapi": .string("3.0.3"),
      "info": .object([
        "title": .string("BitBudget"), "version": .string(version),
        "description": .string("A model behind HTTP, in the OpenAI dialect."),
      ]),
      "paths": .object([
        "/v1/chat/completions": post(
          "Continues a conversation.", chatFields, required: ["messages"], streams: true),
        "/v1/completions": post(
          "Continues texts.", completionFields, required: ["prompt"], streams: true),
        "/v1/responses": post(
          "Continues a conversation of items.", responseFields, required: ["input"], streams: true),
        "/v1/replies": .object(
          joined(
            get(
              "What decides the replies to benchmarks' questions.",
              query: ["kv": Self.string, "kv_evict": Self.string]
            ).object ?? [:],
            post(
              "The reply to a benchmark's question, as journals have it; with others, a list.",
              [
                "model": Self.words([model.name]), "forced": Self.flag, "request": Self.object,
                "others": Self.list(Self.object), "kv": kvPolicy, "kv_evict": kvEviction,
              ],
              required: ["forced", "request"]
            ).object ?? [:])),
        "/tokenize": post(
          "The ids of a text or a conversation.",
          [
            "model": Self.string, "prompt": Self.string, "content": Self.string,
            "messages": messages, "add_special_tokens": Self.flag,
            "parse_special": Self.flag, "return_token_strs": Self.flag,
            "add_generation_prompt": Self.flag, "continue_final_message": Self.flag,
          ], required: [], either: ["prompt", "content", "messages"]),
        "/detokenize": post(
          "The text of ids.", ["model": Self.string, "tokens": ids], required: ["tokens"]),
        "/v1/models": get("The model that is served, in a list."),
        "/v1/models/\(model.name)": get("The model that is served."),
        "/tokenizer_info": get("The tokenizer's special tokens and the chat template."),
        "/health": get("Whether the server takes requests."),
        "/memory": get(
          "What the memory holds, and what texts of so many tokens would come to hold.",
          query: [
            "prompt": Self.integer(1, model.context), "reply": Self.integer(1, model.context),
            "texts": Self.integer(1, limits.texts), "kv": Self.string, "kv_evict": Self.string,
          ]),
        "/metrics": get("Counts and sums for Prometheus.", type: "text/plain"),
      ]),
    ])
  }

  // MARK: Fields

  /// The fields of `/v1/chat/completions`.
  var chatFields: OrderedObject<JSONValue> {
    joined(
      samplingFields, thinkingFields,
      [
        "messages": messages,
        "max_completion_tokens": Self.integer(1, model.context),
        "logprobs": Self.flag, "top_logprobs": Self.integer(0, 20),
        "vote": Self.integer(2, limits.texts),
        "reasoning_effort": Self.words(ThinkingFields.efforts.map(\.name)),
        "chat_template_kwargs": Self.object, "tools": Self.list(Self.object),
        "tool_choice": Self.toolChoice, "parallel_tool_calls": Self.flag,
        "response_format": Self.object, "add_generation_prompt": Self.flag,
        "continue_final_message": Self.flag,
        "metadata": Self.object, "store": Self.flag,
      ])
  }

  /// The fields of `/v1/completions`.
  var completionFields: OrderedObject<JSONValue> {
    joined(
      samplingFields,
      [
        "prompt": .object([
          "oneOf": .array([Self.string, Self.list(Self.string), ids, Self.list(ids)])
        ]),
        "echo": Self.flag, "add_special_tokens": Self.flag, "logprobs": Self.integer(0, 20),
        "best_of": Self.integer(1, limits.texts),
      ])
  }

  /// The fields of `/v1/responses`.
  var responseFields: OrderedObject<JSONValue> {
    let others = samplingFields.members.filter { !["n", "max_tokens"].contains($0.0) }
    return joined(
      OrderedObject(others.map { ($0, $1) }), thinkingFields,
      [
        "input": .object(["oneOf": .array([Self.string, Self.list(Self.object)])]),
        "instructions": Self.string, "max_output_tokens": Self.integer(1, model.context),
        "reasoning": Self.object, "text": Self.object, "tools": Self.list(Self.object),
        "tool_choice": Self.toolChoice, "parallel_tool_calls": Self.flag,
        "top_logprobs": Self.integer(0, 20), "include": Self.list(Self.string),
        "chat_template_kwargs": Self.object, "metadata": Self.object, "store": Self.flag,
      ])
  }

  private var samplingFields: OrderedObject<JSONValue> {
    [
      "model": Self.words([model.name]), "stream": Self.flag,
      "stream_options": .object([
        "type": .string("object"), "additionalProperties": .bool(false),
        "properties": .object([
          "include_usage": Self.flag, "continuous_usage_stats": Self.flag,
        ]),
      ]),
      "temperature": Self.number(0, 100), "top_k": Self.integer(-1, Int(Int32.max)),
      "top_p": Self.number(0.001, 1), "min_p": Self.number(0, 0.999),
      "presence_penalty": Self.number(-100, 100), "frequency_penalty": Self.number(-100, 100),
      "repetition_penalty": Self.number(0.01, 100),
      "no_repeat_ngram_size": Self.integer(0, Int(Int32.max)),
      "seed": Self.integer(0, Int.max), "n": Self.integer(1, limits.texts),
      "max_tokens": Self.integer(1, model.context),
      "stop": .object([
        "oneOf": .array([
          Self.string,
          .object([
            "type": .string("array"), "maxItems": .integer(16), "items": Self.string,
          ]),
        ])
      ]),
      "stop_token_ids": ids, "ignore_eos": Self.flag, "user": Self.string,
      "kv": kvPolicy, "kv_evict": kvEviction,
    ]
  }

  private var thinkingFields: OrderedObject<JSONValue> {
    let tokens = Self.integer(1, ThinkingBudget.longest)
    return [
      "thinking_token_budget": Self.integer(-1, ThinkingBudget.longest),
      "thinking_budget_tokens": Self.integer(-1, ThinkingBudget.longest),
      "thinking_force": Self.flag, "thinking_waits": tokens,
      "thinking_cue": Self.words(BudgetWording.allCases.map(\.rawValue)),
      "thinking_close": Self.flag, "answer_tokens": tokens,
    ]
  }

  private var kvPolicy: JSONValue {
    .object([
      "type": .string("string"),
      "description": .string("What the KV cache keeps: \(KVPolicy.grammar)."),
    ])
  }

  private var kvEviction: JSONValue {
    .object([
      "type": .string("string"),
      "description": .string("Which tokens the KV cache keeps: \(model.caches.evictions.grammar)."),
    ])
  }

  private var ids: JSONValue {
    Self.list(Self.integer(0, model.tokenizer.vocabularySize - 1))
  }

  /// Every turn has a content but an assistant's, which may have called tools and said nothing.
  private var messages: JSONValue {
    .object([
      "type": .string("array"), "minItems": .integer(1),
      "items": .object([
        "oneOf": .array([
          Self.message(
            of: ["system", "developer", "user", "tool", "function"] + model.furtherRoles,
            required: ["role", "content"]),
          Self.message(
            of: ["assistant"], required: ["role"],
            ["reasoning_content": Self.string, "tool_calls": Self.list(Self.object)]),
        ])
      ]),
    ])
  }

  // MARK: Schemas

  private static let string: JSONValue = .object(["type": .string("string")])
  private static let flag: JSONValue = .object(["type": .string("boolean")])
  private static let object: JSONValue = .object(["type": .string("object")])

  private static let textPart: JSONValue = .object([
    "type": .string("object"), "required": .array([.string("type"), .string("text")]),
    "properties": .object(["type": words(["text"]), "text": string]),
  ])

  /// A turn of one of some roles; members that need not be there may be null.
  private static func message(
    of roles: [String], required: [String], _ more: OrderedObject<JSONValue> = [:]
  ) -> JSONValue {
    let content: JSONValue = .object(["oneOf": .array([string, list(textPart)])])
    let members = [("role", words(roles)), ("content", content)] + more.members.map { ($0, $1) }
    return .object([
      "type": .string("object"), "required": .array(required.map { .string($0) }),
      "properties": .object(
        OrderedObject(members.map { ($0, required.contains($0) ? $1 : orNull($1)) })),
    ])
  }

  private static let toolChoice: JSONValue = .object([
    "oneOf": .array([words(["auto", "none", "required"]), object])
  ])

  private static func integer(_ least: Int, _ most: Int) -> JSONValue {
    .object([
      "type": .string("integer"), "minimum": .integer(least), "maximum": .integer(most),
    ])
  }

  private static func number(_ least: Double, _ most: Double) -> JSONValue {
    .object([
      "type": .string("number"), "minimum": .number(least), "maximum": .number(most),
    ])
  }

  private static func words(_ words: [String]) -> JSONValue {
    .object(["type": .string("string"), "enum": .array(words.map { .string($0) })])
  }

  private static func list(_ element: JSONValue) -> JSONValue {
    .object(["type": .string("array"), "items": element])
  }

  private func joined(_ parts: OrderedObject<JSONValue>...) -> OrderedObject<JSONValue> {
    OrderedObject(parts.flatMap { Array($0.members) })
  }

  // MARK: Operations

  private func get(
    _ summary: String, type: String = "application/json", query: OrderedObject<JSONValue> = [:]
  ) -> JSONValue {
    .object([
      "get": .object([
        "summary": .string(summary),
        "parameters": .array(
          query.members.map { name, schema in
            .object(["name": .string(name), "in": .string("query"), "schema": schema])
          }),
        "responses": .object([
          "200": .object([
            "description": .string("Done."),
            "content": .object([type: .object(["schema": .object([:])])]),
          ]),
          "default": Self.refusal,
        ]),
      ])
    ])
  }

  /// An operation whose body holds all fields of `required` and one of `either`; others may be absent or null.
  private func post(
    _ summary: String, _ fields: OrderedObject<JSONValue>, required: [String],
    either: [String] = [], streams: Bool = false
  ) -> JSONValue {
    let properties = fields.members.map { name, schema in
      (name, (required + either).contains(name) ? schema : Self.orNull(schema))
    }
    var schema: OrderedObject<JSONValue> = [
      "type": .string("object"), "additionalProperties": .bool(false),
      "properties": .object(OrderedObject(properties)),
    ]
    if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
    if !either.isEmpty {
      schema["anyOf"] = .array(either.map { .object(["required": .array([.string($0)])]) })
    }
    var answers: OrderedObject<JSONValue> = ["application/json": .object(["schema": Self.object])]
    if streams { answers["text/event-stream"] = .object(["schema": .object([:])]) }
    return .object([
      "post": .object([
        "summary": .string(summary),
        "requestBody": .object([
          "required": .bool(true),
          "content": .object(["application/json": .object(["schema": .object(schema)])]),
        ]),
        "responses": .object([
          "200": .object([
            "description": .string("The answer" + (streams ? ", or a stream of its parts." : ".")),
            "content": .object(answers),
          ]),
          "default": Self.refusal,
        ]),
      ])
    ])
  }

  /// The schema of a field that may be null as well.
  private static func orNull(_ schema: JSONValue) -> JSONValue {
    guard var members = schema.object else { return schema }
    if let alternatives = members["oneOf"]?.array, let first = alternatives.first {
      members["oneOf"] = .array([orNull(first)] + alternatives.dropFirst())
    } else {
      members["nullable"] = .bool(true)
      if let words = members["enum"]?.array { members["enum"] = .array(words + [.null]) }
    }
    return .object(members)
  }

  private static let refusal: JSONValue = .object([
    "description": .string("What is wrong, and with which field."),
    "content": .object([
      "application/json": .object([
        "schema": .object([
          "type": .string("object"), "required": .array([.string("error")]),
          "properties": .object(["error": object]),
        ])
      ])
    ]),
  ])
}
