import Hummingbird
import JSON
import TextGeneration

extension Endpoints {
  /// `/v1/responses`.
  func responses(_ call: Call) async throws(APIError) -> Response {
    let asked = try ResponsesRequest(call.json(), model, limits)
    let requests = try asked.text.requests(model, limits)
    let choices = requests.map { ChatChoice($0, asked.text, model, tools: asked.tools) }
    let answer = ResponseAnswer(head: head("resp_", asked.text), repeated: asked.repeated)
    let submission = try await submit(
      requests, bounded: asked.text.sampling.maxTokens != nil, call.channel)
    if asked.streams {
      return EventWriter.response(isMarked: false) { events in
        var stream = ResponseStream(answer: answer)
        try await stream.run(
          submission, choices, prompt: asked.text.prompts[0].count, to: &events)
      }
    }
    var output = ResponseOutput()
    let ended = try await submission.ended(choices) { _ = output.take($0) }
    call.channel.onGone(nil)
    return .json(
      answer.ended(
        output, Usage(ended, prompt: asked.text.prompts[0].count), ended.first?.ending))
  }
}

/// Tells a client what becomes of a response, event by event.
private struct ResponseStream {
  let answer: ResponseAnswer
  private var output = ResponseOutput()
  private var number = 0

  init(answer: ResponseAnswer) { self.answer = answer }

  mutating func run(
    _ submission: Submission, _ choices: [ChatChoice], prompt: Int, to events: inout EventWriter
  ) async throws {
    do {
      for type in ["response.created", "response.in_progress"] {
        try await send(type, ["response": answer.begun], to: &events)
      }
      let ended = try await submission.follow(choices) { _, update, _ in
        for event in output.take(update) { try await send(event.type, event.members, to: &events) }
      }
      let ending = ended.first?.ending
      try await send(
        ending == .length ? "response.incomplete" : "response.completed",
        ["response": answer.ended(output, Usage(ended, prompt: prompt), ending)], to: &events)
    } catch let error as AnswerAbandoned {
      throw error
    } catch {
      try await send(
        "response.failed", ["response": answer.failed(output, APIError(error))], to: &events)
    }
  }

  private mutating func send(
    _ type: String, _ members: OrderedObject<JSONValue>, to events: inout EventWriter
  ) async throws {
    var event: OrderedObject<JSONValue> = [
      "type": .string(type), "sequence_number": .integer(number),
    ]
    for (key, value) in members.members { event[key] = value }
    number += 1
    try await events.send(.object(event), type: type)
  }
}
