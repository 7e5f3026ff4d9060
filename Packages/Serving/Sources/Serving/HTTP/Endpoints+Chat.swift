import Hummingbird
import JSON
import TextGeneration

extension Endpoints {
  /// `/v1/chat/completions`.
  func chat(_ call: Call) async throws(APIError) -> Response {
    let asked = try ChatRequest(call.json(), model, limits)
    let requests = try asked.text.requests(model, limits)
    let choices = requests.map { ChatChoice($0, asked.text, model, tools: asked.tools) }
    let answer = ChatAnswer(head: head("chatcmpl-", asked.text))
    let submission = try await submit(
      requests, bounded: asked.text.sampling.maxTokens != nil, call.channel)
    if asked.streams {
      return EventWriter.response { events in
        try await stream(asked, answer, choices, submission, &events)
      }
    }
    let ended = try await submission.ended(choices)
    call.channel.onGone(nil)
    return .json(
      answer.whole(
        ended, Usage(ended, prompt: asked.text.promptTokens),
        vote: asked.text.votes == nil ? nil : AnswerVote(ended.map(\.vote))))
  }

  private func stream(
    _ asked: ChatRequest, _ answer: ChatAnswer, _ choices: [ChatChoice], _ submission: Submission,
    _ events: inout EventWriter
  ) async throws {
    let votes = asked.text.votes
    for index in 0..<(votes == nil ? choices.count : 1) {
      try await events.send(answer.opening(index))
    }
    var ballots = [String?](repeating: nil, count: choices.count)
    var texts = choices.map { _ in "" }
    var cast: [String?] = []
    let ended = try await submission.follow(choices) { index, update, all in
      if votes == nil {
        guard !update.isEmpty else { return }
        let counts = asked.counted.counts(index, all, prompt: asked.text.promptTokens)
        try await events.send(answer.chunk(index, update, counts))
        return
      }
      texts[index] += update.answer
      guard update.ending != nil else { return }
      ballots[index] = Reply.answer(in: texts[index])
      cast.append(ballots[index])
      try await events.send(answer.note(votes: AnswerVote(cast).tally))
    }
    if votes != nil {
      let vote = AnswerVote(ballots)
      let shown = ended[vote.shown]
      try await events.send(
        answer.chunk(
          0,
          .init(
            thought: shown.thought, answer: shown.answer, ending: shown.ending,
            endingWord: shown.endingWord)))
      try await events.send(answer.note(votes: vote.tally))
    }
    if asked.counted != .nothing {
      try await events.send(answer.note(usage: Usage(ended, prompt: asked.text.promptTokens)))
    }
  }
}

extension ChatChoice {
  /// The answer that it votes for.
  var vote: String? { Reply.answer(in: answer) }
}
