import Evaluation
import Foundation
import ModelHub

/// Answers benchmark questions through endpoints, several at a time.
///
/// Replies to one question are asked for together, as far as the endpoints do that. A request that
/// fails is sent again, to the next endpoint where there are several, after a pause. One that stays
/// without answer gives replies that are marked as failed.
public final class EndpointResponder: Responder {
  private let clients: [EndpointClient]
  private let question: EndpointQuestion
  private let concurrency: Int
  private let attempts: Int
  private let patience: Double
  /// The most replies to one question that a request asks for.
  private var together: Int
  private var tokens = 0
  private var seconds = 0.0

  /// Requests that fail one behind the other without any that goes well: the endpoint is not worth
  /// asking on.
  private static let hopeless = 8
  /// Seconds of the first pause before a request is sent again.
  private static let firstPause = 0.5
  /// Replies of a request: most of what prompts cost is saved, and none waits long for the others.
  private static let together = 8

  /// A responder; about `concurrency` replies are under way at a time, each asked for up to
  /// `attempts` times. Endpoints that say that they are busy are waited for up to `patience`
  /// seconds.
  public init(_ endpoint: EndpointModel, concurrency: Int, attempts: Int, patience: Double) {
    clients = endpoint.clients
    question = endpoint.question
    self.concurrency = concurrency
    self.attempts = attempts
    self.patience = patience
    together = min(Self.together, concurrency)
  }

  /// Tokens generated a second over everything answered; nil where the endpoint counts none.
  public var rate: Double? { tokens > 0 && seconds > 0 ? Double(tokens) / seconds : nil }

  /// Asks for the replies and for those at smaller budgets, those to one question together. What an
  /// endpoint refuses to answer together is asked for one by one, as is everything from then on.
  ///
  /// - Throws: `HubError` for an endpoint that refuses to be asked; `UserError` where nothing but
  ///   failures come, or when interrupted; what `each` throws.
  public func respond(
    to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
  ) throws {
    let started = ContinuousClock.now
    defer { seconds += (ContinuousClock.now - started) / .seconds(1) }
    let all = requests.flatMap { request in
      request.budgets.map(request.shortened) + [request]
    }
    let left = try ask(Self.orders(of: all, together: together), each: each)
    guard !left.isEmpty else { return }
    together = 1
    _ = try ask(left.map { [$0] }, each: each)
  }

  /// The requests that go out as one, which is for replies to one question, one numbered behind the
  /// other.
  static func orders(of requests: [SampleRequest], together: Int) -> [[SampleRequest]] {
    var orders: [[SampleRequest]] = []
    // Where the orders of the item begin that requests have come to.
    var first = 0
    for request in requests {
      if orders.last?[0].index != request.index { first = orders.count }
      let open = orders[first...].firstIndex { order in
        order.count < together && !request.question.isScored
          && order.last?.isFollowed(by: request) == true
      }
      if let open { orders[open].append(request) } else { orders.append([request]) }
    }
    return orders
  }

  /// Asks until everything is answered, or until an endpoint refuses to answer an order together:
  /// what then is left is returned.
  private func ask(
    _ orders: [[SampleRequest]], each: (SampleRequest, SampleResponse) throws -> Void
  ) throws -> [SampleRequest] {
    let work = EndpointWork(orders.count)
    // Of replies that are asked for together some have ended long before the last: twice as many are
    // under way.
    let most = orders.map(\.count).max() ?? 1
    let threads = most == 1 ? concurrency : max(1, 2 * concurrency / most)
    let workers = (0..<min(threads, orders.count)).map { number in
      Thread { [clients, question, attempts, patience] in
        let asker = EndpointAsker(
          clients: clients, question: question, attempts: attempts, patience: patience,
          firstPause: EndpointResponder.firstPause)
        while let place = work.next() {
          work.done(place, Result { try asker.replies(to: orders[place], first: number, work) })
        }
        work.leave()
      }
    }
    work.enter(workers.count)
    for worker in workers { worker.start() }
    defer {
      work.cancel()
      work.waitForAll()
    }
    var failures = 0
    var left = Set(orders.indices)
    while let (place, outcome) = work.nextOutcome() {
      try Interrupts.check()
      guard let replies = try outcome.get() else { continue }
      left.remove(place)
      failures = replies[0].finish == .failed ? failures + 1 : 0
      for (request, reply) in zip(orders[place], replies) {
        tokens += reply.thoughtTokens + reply.answerTokens
        try each(request, reply)
      }
      guard failures < Self.hopeless else {
        throw UserError(
          "\(failures) requests in a row could not be answered, the last one since \(replies[0].failure ?? ""); their replies are marked as failed, and --retry-failed asks for them again"
        )
      }
    }
    try Interrupts.check()
    Console.noteShortened(work.shortened)
    return left.sorted().flatMap { orders[$0] }
  }
}
