import Evaluation
import Foundation
import ModelHub
import Synchronization

/// Answers benchmark questions through endpoints, several at a time.
///
/// A request that fails is sent again, to the next endpoint where there are several, after a pause.
/// One that stays without answer gives a reply that is marked as failed.
public final class EndpointResponder: Responder {
  private let clients: [EndpointClient]
  private let question: EndpointQuestion
  private let concurrency: Int
  private let attempts: Int
  private let patience: Double
  private var tokens = 0
  private var seconds = 0.0

  /// Replies that fail one behind the other without any that comes: the endpoint is not worth
  /// asking on.
  private static let hopeless = 8
  /// Seconds of the first pause before a request is sent again.
  private static let firstPause = 0.5

  /// A responder; at most `concurrency` requests are under way at a time, each sent up to
  /// `attempts` times. Endpoints that say that they are busy are waited for up to `patience`
  /// seconds.
  public init(_ endpoint: EndpointModel, concurrency: Int, attempts: Int, patience: Double) {
    clients = endpoint.clients
    question = endpoint.question
    self.concurrency = concurrency
    self.attempts = attempts
    self.patience = patience
  }

  /// Tokens generated a second over everything answered; nil where the endpoint counts none.
  public var rate: Double? { tokens > 0 && seconds > 0 ? Double(tokens) / seconds : nil }

  /// Asks for the replies and for those at smaller budgets, each with a request of its own.
  ///
  /// - Throws: `HubError` for an endpoint that refuses to be asked; `UserError` where nothing but
  ///   failures come, or when interrupted; what `each` throws.
  public func respond(
    to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
  ) throws {
    let all = requests.flatMap { request in
      request.budgets.map(request.shortened) + [request]
    }
    let started = ContinuousClock.now
    defer { seconds += (ContinuousClock.now - started) / .seconds(1) }
    let work = EndpointWork(all.count)
    let workers = (0..<min(concurrency, all.count)).map { number in
      Thread { [clients, question, attempts, patience] in
        let asker = EndpointAsker(
          clients: clients, question: question, attempts: attempts, patience: patience,
          firstPause: EndpointResponder.firstPause)
        while let place = work.next() {
          work.done(place, Result { try asker.reply(to: all[place], first: number, work) })
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
    while let (place, outcome) = work.nextOutcome() {
      try Interrupts.check()
      let reply = try outcome.get()
      failures = reply.finish == .failed ? failures + 1 : 0
      tokens += reply.thoughtTokens + reply.answerTokens
      try each(all[place], reply)
      guard failures < Self.hopeless else {
        throw UserError(
          "\(failures) replies in a row could not be had, the last one since \(reply.failure ?? ""); they are marked as failed, and --retry-failed asks for them again"
        )
      }
    }
    try Interrupts.check()
    Console.noteShortened(work.shortened)
  }
}

/// Asks for one reply after the other.
private struct EndpointAsker {
  let clients: [EndpointClient]
  let question: EndpointQuestion
  let attempts: Int
  let patience: Double
  let firstPause: Double

  /// The reply to a request, or what is recorded where there is none.
  ///
  /// - Throws: `HubError` where asking for any other reply would end alike; `.cancelled`.
  func reply(
    to request: SampleRequest, first: Int, _ work: EndpointWork
  ) throws -> SampleResponse {
    let body = request.question.isScored ? Data() : try question.body(request)
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
          return try score(request.question, of: clients[place], work)
        }
        var reply = try answer(body, of: clients[place], work)
        if question.dialect != .bitbudget { reply.cost.seconds = seconds(since: sent) }
        return reply
      } catch {
        if Self.isFatal(error) { throw error }
        let isWrong = if case .malformed = error { true } else { error.isTransient }
        place = (place + 1) % clients.count
        if case .tooManyRequests = error, seconds(since: started) < patience {
          attempts = Attempts(limit: 2, firstPause: firstPause)
        }
        do throws(HubError) {
          try attempts.failed(error, again: isWrong) { work.isCancelled }
        } catch .cancelled { throw HubError.cancelled } catch {
          return .failed("\(error)", seconds: seconds(since: started))
        }
      }
    }
  }

  private func answer(
    _ body: Data, of client: EndpointClient, _ work: EndpointWork
  ) throws(HubError) -> SampleResponse {
    let bytes = try client.post(question.path, body) { work.isCancelled }
    do throws(EndpointQuestion.Fault) { return try question.reply(bytes) } catch {
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

/// The requests that threads take one by one, and what came of them.
private final class EndpointWork: Sendable {
  private struct State {
    var next = 0
    var isCancelled = false
    var running = 0
    var shortened = 0
    var outcomes: [(place: Int, outcome: Result<SampleResponse, any Error>)] = []
  }

  private let count: Int
  private let state = Mutex(State())
  /// Signalled for each outcome, and when the last thread leaves.
  private let news = DispatchSemaphore(value: 0)
  private let departures = DispatchSemaphore(value: 0)

  init(_ count: Int) { self.count = count }

  /// Whether nothing more is wanted.
  var isCancelled: Bool { Interrupts.isPending || state.withLock { $0.isCancelled } }

  /// Texts that lost their beginnings.
  var shortened: Int { state.withLock { $0.shortened } }

  func add(shortened texts: Int) { state.withLock { $0.shortened += texts } }

  func enter(_ threads: Int) { state.withLock { $0.running = threads } }

  /// The next request; nil when there is none.
  func next() -> Int? {
    if Interrupts.isPending { return nil }
    return state.withLock { state in
      guard !state.isCancelled, state.next < count else { return nil }
      state.next += 1
      return state.next - 1
    }
  }

  func done(_ place: Int, _ outcome: Result<SampleResponse, any Error>) {
    state.withLock { $0.outcomes.append((place, outcome)) }
    news.signal()
  }

  func leave() {
    state.withLock { $0.running -= 1 }
    news.signal()
    departures.signal()
  }

  func cancel() { state.withLock { $0.isCancelled = true } }

  /// What came of a request, in the order in which they end; nil when no thread is left.
  func nextOutcome() -> (place: Int, outcome: Result<SampleResponse, any Error>)? {
    while true {
      let (found, isOver) = state.withLock { state in
        (state.outcomes.isEmpty ? nil : state.outcomes.removeFirst(), state.running == 0)
      }
      if let found { return found }
      if isOver { return nil }
      news.wait()
    }
  }

  /// Waits until every thread has left.
  func waitForAll() {
    while state.withLock({ $0.running > 0 }) { departures.wait() }
  }
}
