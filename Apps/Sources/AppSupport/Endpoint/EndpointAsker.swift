import Evaluation
import Foundation
import ModelHub

/// Asks for replies, one request after the other.
struct EndpointAsker {
  let clients: [EndpointClient]
  let question: EndpointQuestion
  let attempts: Int
  let patience: Double
  let firstPause: Double

  /// The replies to one question, or what is recorded where there are none; nil where an endpoint
  /// does not answer so many together, after which nobody is asked on.
  ///
  /// - Throws: `HubError` where asking for any other reply would end alike; `.cancelled`.
  func replies(
    to requests: [SampleRequest], first: Int, _ work: EndpointWork
  ) throws -> [SampleResponse]? {
    let request = requests[0]
    let body =
      request.question.isScored ? Data() : try question.body(request, requests.dropFirst())
    let started = ContinuousClock.now
    var attempts = Attempts(limit: attempts, firstPause: firstPause)
    var place = first % clients.count
    func seconds(since start: ContinuousClock.Instant) -> Double {
      (ContinuousClock.now - start) / .seconds(1)
    }
    while true {
      do throws(HubError) {
        let sent = ContinuousClock.now
        if request.question.isScored {
          return [try score(request.question, of: clients[place], work)]
        }
        guard var replies = try answers(body, requests.count, of: clients[place], work) else {
          work.refuse("another number of replies came than the \(requests.count) of a request")
          return nil
        }
        if question.dialect != .bitbudget {
          for place in replies.indices { replies[place].cost.seconds = seconds(since: sent) }
        }
        return replies
      } catch {
        if Self.isFatal(error) { throw error }
        if requests.count > 1, case .status(_, let status, _) = error,
          [400, 413, 422, 501].contains(status)
        {
          work.refuse("\(error)")
          return nil
        }
        let isWrong = if case .malformed = error { true } else { error.isTransient }
        place = (place + 1) % clients.count
        if case .tooManyRequests = error, seconds(since: started) < patience {
          attempts = Attempts(limit: 2, firstPause: firstPause)
        }
        do throws(HubError) {
          try attempts.failed(error, again: isWrong) { work.isCancelled }
        } catch .cancelled { throw HubError.cancelled } catch {
          let failed = SampleResponse.failed("\(error)", seconds: seconds(since: started))
          return requests.map { _ in failed }
        }
      }
    }
  }

  private func answers(
    _ body: Data, _ count: Int, of client: EndpointClient, _ work: EndpointWork
  ) throws(HubError) -> [SampleResponse]? {
    let bytes = try client.post(question.path, body) { work.isCancelled }
    do throws(EndpointQuestion.Fault) { return try question.replies(bytes, count: count) } catch {
      throw client.malformed(question.path, error.expected, error.found)
    }
  }

  private func score(
    _ asked: SampleQuestion, of client: EndpointClient, _ work: EndpointWork
  ) throws(HubError) -> SampleResponse {
    let scorer = EndpointScorer(question: question) { work.isCancelled }
    let (reply, shortened) = try scorer.reply(to: asked, from: client)
    work.add(shortened: shortened)
    return reply
  }

  /// Whether the endpoint would refuse any request, whatever is asked.
  private static func isFatal(_ error: HubError) -> Bool {
    switch error {
    case .status(_, let status, _):
      (300...399).contains(status) || [401, 403, 404, 405].contains(status)
    case .cancelled, .noTransport: true
    default: false
    }
  }
}
