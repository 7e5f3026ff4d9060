import JSON
import TextGeneration

/// The items of a response's output - the thought, the answer, calls of tools - as they grow, and
/// what a client that streams is told of it.
struct ResponseOutput: Sendable {
  /// What a client is told.
  struct Event: Sendable, Equatable {
    let type: String
    let members: OrderedObject<JSONValue>
  }

  /// The item that text is added to.
  private struct Open: Sendable {
    let id: String
    let isThought: Bool
    var text = ""
    var logprobs: [JSONValue] = []

    /// The prefix of its events.
    var name: String { isThought ? "response.reasoning_text" : "response.output_text" }
  }

  /// The items that are complete.
  private(set) var items: [JSONValue] = []
  private var open: Open?

  /// Takes what was added to a text, and at its end completes the items.
  mutating func take(_ update: ChatChoice.Update) -> [Event] {
    var events: [Event] = []
    if !update.thought.isEmpty { events += add(update.thought, isThought: true) }
    if !update.answer.isEmpty || !update.logprobs.isEmpty {
      events += add(update.answer, isThought: false, update.logprobs)
    }
    for call in update.calls { events += close("completed") + add(call) }
    guard let ending = update.ending else { return events }
    if items.isEmpty && open == nil { events += add("", isThought: false) }
    return events + close(ending == .length ? "incomplete" : "completed")
  }

  private mutating func add(
    _ text: String, isThought: Bool, _ logprobs: [JSONValue] = []
  ) -> [Event] {
    var events: [Event] = []
    if open?.isThought != isThought {
      events += close("completed")
      let item = Open(
        id: (isThought ? "rs_" : "msg_") + AnswerHead.randomID(), isThought: isThought)
      open = item
      events.append(event("response.output_item.added", ["item": value(item, "in_progress")]))
      events.append(
        event(
          "response.content_part.added",
          ["item_id": .string(item.id), "content_index": .integer(0), "part": part(item)]))
    }
    guard var item = open else { return events }
    item.text += text
    item.logprobs += logprobs
    open = item
    var members: OrderedObject<JSONValue> = [
      "item_id": .string(item.id), "content_index": .integer(0), "delta": .string(text),
    ]
    if !isThought { members["logprobs"] = .array(logprobs) }
    if !text.isEmpty || !logprobs.isEmpty { events.append(event(item.name + ".delta", members)) }
    return events
  }

  private mutating func add(_ call: ToolCall) -> [Event] {
    let id = "fc_" + call.id
    func item(_ arguments: String, _ status: String) -> JSONValue {
      .object([
        "id": .string(id), "type": .string("function_call"), "status": .string(status),
        "call_id": .string(call.callID), "name": .string(call.name),
        "arguments": .string(arguments),
      ])
    }
    let text = call.arguments.line
    let events = [
      event("response.output_item.added", ["item": item("", "in_progress")]),
      event(
        "response.function_call_arguments.delta",
        ["item_id": .string(id), "delta": .string(text)]),
      event(
        "response.function_call_arguments.done",
        ["item_id": .string(id), "name": .string(call.name), "arguments": .string(text)]),
      event("response.output_item.done", ["item": item(text, "completed")]),
    ]
    items.append(item(text, "completed"))
    return events
  }

  /// Completes the item that text was added to.
  private mutating func close(_ status: String) -> [Event] {
    guard let item = open else { return [] }
    var done: OrderedObject<JSONValue> = [
      "item_id": .string(item.id), "content_index": .integer(0), "text": .string(item.text),
    ]
    if !item.isThought { done["logprobs"] = .array(item.logprobs) }
    let value = value(item, status)
    let events = [
      event(item.name + ".done", done),
      event(
        "response.content_part.done",
        ["item_id": .string(item.id), "content_index": .integer(0), "part": part(item)]),
      event("response.output_item.done", ["item": value]),
    ]
    items.append(value)
    open = nil
    return events
  }

  private func event(_ type: String, _ members: OrderedObject<JSONValue>) -> Event {
    var members = members
    members["output_index"] = .integer(items.count)
    return Event(type: type, members: members)
  }

  private func part(_ item: Open) -> JSONValue {
    if item.isThought {
      return .object(["type": .string("reasoning_text"), "text": .string(item.text)])
    }
    return .object([
      "type": .string("output_text"), "text": .string(item.text), "annotations": .array([]),
      "logprobs": .array(item.logprobs),
    ])
  }

  private func value(_ item: Open, _ status: String) -> JSONValue {
    // An item has no parts when it is begun.
    let parts: JSONValue = .array(status == "in_progress" ? [] : [part(item)])
    if item.isThought {
      return .object([
        "id": .string(item.id), "type": .string("reasoning"), "status": .string(status),
        "summary": .array([]), "content": parts,
      ])
    }
    return .object([
      "id": .string(item.id), "type": .string("message"), "status": .string(status),
      "role": .string("assistant"), "content": parts,
    ])
  }
}

/// Writes what `/v1/responses` says of a response as a whole.
struct ResponseAnswer {
  let head: AnswerHead
  /// What is repeated of the request.
  let repeated: OrderedObject<JSONValue>

  /// The response before any of its items.
  var begun: JSONValue { value(status: "in_progress", [], usage: nil) }

  /// The response at its end.
  func ended(_ output: ResponseOutput, _ usage: Usage, _ ending: FinishReason?) -> JSONValue {
    value(status: ending == .length ? "incomplete" : "completed", output.items, usage: usage)
  }

  /// The response that an error ended.
  func failed(_ output: ResponseOutput, _ error: APIError) -> JSONValue {
    value(status: "failed", output.items, usage: nil, error: error)
  }

  private func value(
    status: String, _ items: [JSONValue], usage: Usage?, error: APIError? = nil
  ) -> JSONValue {
    var members: OrderedObject<JSONValue> = [
      "created_at": .integer(head.created), "status": .string(status),
      "error": error.map {
        .object([
          "code": .string($0.code ?? "server_error"), "message": .string($0.message),
        ])
      } ?? .null,
      "incomplete_details": status == "incomplete"
        ? .object(["reason": .string("max_output_tokens")]) : .null,
      "output": .array(items),
      "usage": usage?.ofResponse ?? .null,
    ]
    for (key, value) in repeated.members { members[key] = value }
    return head.object("response", members)
  }
}

extension Usage {
  /// The tokens in the words of `/v1/responses`.
  var ofResponse: JSONValue {
    .object([
      "input_tokens": .integer(prompt),
      "input_tokens_details": .object(["cached_tokens": .integer(cached)]),
      "output_tokens": .integer(completion),
      "output_tokens_details": .object(["reasoning_tokens": .integer(thought)]),
      "total_tokens": .integer(prompt + completion),
    ])
  }
}
