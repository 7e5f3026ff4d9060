import Evaluation
import Foundation
import ModelHub
import TextGeneration

/// Scores candidates of questions with a model behind endpoints.
///
/// Texts become token ids at the endpoint (`/tokenize`), as in this process: those of the prompt
/// alone, then those of prompt and candidate that lie behind them.
struct EndpointScorer {
  let question: EndpointQuestion
  let isCancelled: @Sendable () -> Bool

  /// Texts of a request: what a server may refuse is the number of them.
  private static let texts = 8

  /// The reply that the scores of a question's candidates are, and how many of its texts were too
  /// long for the model's context.
  ///
  /// A text may be as long as the context but for the token that is generated behind it.
  ///
  /// - Throws: `HubError` as `EndpointClient.post`.
  func reply(
    to asked: SampleQuestion, from client: EndpointClient
  ) throws(HubError) -> (reply: SampleResponse, shortened: Int) {
    let started = ContinuousClock.now
    var context = Int.max
    let whole = try asked.scoredTexts { (prompt, continuation) throws(HubError) in
      let found = try tokens(asked.text(prompt) + continuation, from: client)
      context = found.context ?? context
      return found.ids
    }
    func seconds() -> Double { (ContinuousClock.now - started) / .seconds(1) }
    if let fault = asked.fault(of: whole) { return (.failed(fault, seconds: seconds()), 0) }
    let texts = whole.map { $0.fitting(context - 1) }
    var scores: [TextLikelihood] = []
    for start in stride(from: 0, to: texts.count, by: Self.texts) {
      scores += try self.scores(texts[start..<min(start + Self.texts, texts.count)], from: client)
    }
    let reply = asked.response(texts, scores, cost: SampleCost(seconds: seconds()))
    return (reply, zip(whole, texts).count { $0 != $1 })
  }

  /// Objects to an endpoint that cannot score.
  ///
  /// - Throws: `UserError` naming it and what it lacks; `HubError` where it does not answer.
  func check(_ client: EndpointClient) throws {
    do throws(HubError) {
      let ids = try tokens("Two words and two more.", from: client).ids
      _ = try scores([ScoredText(tokens: ids, start: 1)], from: client)
    } catch {
      switch error {
      case .status(let url, let status, let message) where ![401, 403, 429].contains(status):
        throw UserError(
          "\(client.base) cannot score candidates, which takes /tokenize and prompts that are echoed with their log-probabilities: \(url) says \(status) \(message)"
        )
      case .malformed(let url, let expected, let found):
        throw UserError(
          "\(client.base) cannot score candidates: \(url) was to give \(expected), and gave \(found)"
        )
      default: throw error
      }
    }
  }

  private func tokens(
    _ text: String, from client: EndpointClient
  ) throws(HubError) -> (ids: [Int32], context: Int?) {
    let answer = try client.root.post(
      "tokenize", question.tokenizing(text), isCancelled: isCancelled)
    do throws(EndpointQuestion.Fault) { return try question.tokens(answer) } catch {
      throw client.root.malformed("tokenize", error.expected, error.found)
    }
  }

  private func scores(
    _ texts: ArraySlice<ScoredText>, from client: EndpointClient
  ) throws(HubError) -> [TextLikelihood] {
    let answer = try client.post(
      "completions", question.scoring(texts), isCancelled: isCancelled)
    do throws(EndpointQuestion.Fault) { return try question.scores(texts, answer) } catch {
      throw client.malformed("completions", error.expected, error.found)
    }
  }
}
