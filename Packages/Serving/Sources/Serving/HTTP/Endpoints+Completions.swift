import Hummingbird
import JSON
import TextGeneration

extension Endpoints {
  /// `/v1/completions`.
  func completion(_ call: Call) async throws(APIError) -> Response {
    let asked = try CompletionRequest(call.json(), model, limits)
    let requests = try asked.text.requests(model, limits)
    let choices = requests.map { CompletionChoice($0, asked.text, model) }
    let answer = CompletionAnswer(
      head: head("cmpl-", asked.text), hasLogprobs: asked.text.logprobs != nil)
    let submission = try await submit(
      requests, bounded: asked.text.sampling.maxTokens != nil, call.channel)
    if asked.streams {
      return EventWriter.response { events in
        for (index, choice) in choices.enumerated() where !choice.text.isEmpty {
          try await events.send(answer.chunk(index, .init(text: choice.text)))
        }
        let ended = try await submission.follow(choices) { index, update, all in
          let counts = asked.counted.counts(index, all, prompt: asked.text.promptTokens)
          try await events.send(answer.chunk(index, update, counts))
        }
        if asked.counted != .nothing {
          try await events.send(
            answer.note(usage: Usage(ended, prompt: asked.text.promptTokens)))
        }
      }
    }
    let ended = try await submission.ended(choices)
    call.channel.onGone(nil)
    // The first text of each prompt has the log-probabilities of it.
    let scores = ended.indices.map {
      ended[$0 - $0 % asked.text.count].result?.promptLogprobs ?? []
    }
    return .json(
      answer.whole(ended, scores: scores, Usage(ended, prompt: asked.text.promptTokens)))
  }
}
