import Evaluation
import Foundation
import Synchronization

/// The orders that threads take one by one, and what came of them.
final class EndpointWork: Sendable {
  /// The replies of an order; nil where the endpoint refuses to give them together.
  typealias Outcome = Result<[SampleResponse]?, any Error>

  private struct State {
    var next = 0
    var isCancelled = false
    var running = 0
    var shortened = 0
    var isRefused = false
    var outcomes: [(place: Int, outcome: Outcome)] = []
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

  /// Notes that an endpoint refuses orders of several replies; nothing more is taken.
  func refuse(_ reason: String) {
    let isFirst = state.withLock { state in
      defer { state.isRefused = true }
      return !state.isRefused
    }
    if isFirst { Console.note("note: replies are asked for one by one: \(reason)") }
  }

  /// The next order; nil when there is none.
  func next() -> Int? {
    if Interrupts.isPending { return nil }
    return state.withLock { state in
      guard !state.isCancelled, !state.isRefused, state.next < count else { return nil }
      state.next += 1
      return state.next - 1
    }
  }

  func done(_ place: Int, _ outcome: Outcome) {
    state.withLock { $0.outcomes.append((place, outcome)) }
    news.signal()
  }

  func leave() {
    state.withLock { $0.running -= 1 }
    news.signal()
    departures.signal()
  }

  func cancel() { state.withLock { $0.isCancelled = true } }

  /// What came of an order, as they end; nil when no thread is left.
  func nextOutcome() -> (place: Int, outcome: Outcome)? {
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
