import Dispatch
import Synchronization
import SystemCalls

/// Grades replies on threads beside the caller's, who goes on meanwhile and takes the records as they
/// come: a program may run for seconds, in which a model writes the next replies.
///
/// What is under way has no record yet; a process that is killed generates it again.
final class BackgroundGrading {
  /// Makes the record of a reply; it may end early, with any record, where that is no longer wanted.
  typealias Work =
    @Sendable (_ isWanted: @Sendable () -> Bool) -> Result<
      SampleRecord, EvaluationError
    >
  /// The record of a reply to one of several runs.
  typealias Graded = (run: Int, record: Result<SampleRecord, EvaluationError>)

  /// Replies that may be under way before the caller waits: what is lost by a kill stays little.
  static let most = 16

  private final class Shared: Sendable {
    struct State {
      var waiting: [(run: Int, work: Work)] = []
      var graded: [Graded] = []
      /// Replies that were handed over and are not graded.
      var underWay = 0
      var isEnded = false
    }
    let state = Mutex(State())
    /// Wakes a thread for each reply that waits.
    let waiting = DispatchSemaphore(value: 0)
    /// Wakes the caller for each record.
    let graded = DispatchSemaphore(value: 0)

    /// What a thread does.
    func run() {
      while true {
        waiting.wait()
        let next = state.withLock { state in
          state.isEnded || state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
        guard let (run, work) = next else { return }
        let record = work { self.state.withLock { !$0.isEnded } }
        state.withLock { state in
          state.graded.append((run, record))
          state.underWay -= 1
        }
        graded.signal()
      }
    }
  }

  private let shared = Shared()
  private let threads: [SystemThread]

  /// Grading on so many threads; where the system gives none, replies are graded as they are handed
  /// over.
  init(threads count: Int) {
    let shared = shared
    threads = (0..<count).compactMap { _ in SystemThread { shared.run() } }
  }

  /// Hands a reply over.
  func add(_ run: Int, _ work: @escaping Work) {
    if threads.isEmpty {
      let record = work { true }
      return shared.state.withLock { $0.graded.append((run, record)) }
    }
    shared.state.withLock { state in
      state.waiting.append((run, work))
      state.underWay += 1
    }
    shared.waiting.signal()
  }

  /// A record that is there; waits for one as long as more than `most` replies are under way.
  func next(leaving most: Int) -> Graded? {
    while true {
      let (graded, underWay) = shared.state.withLock { state in
        (state.graded.isEmpty ? nil : state.graded.removeFirst(), state.underWay)
      }
      if let graded { return graded }
      guard underWay > most else { return nil }
      shared.graded.wait()
    }
  }

  /// Ends what is under way, of which nobody will ask for a record.
  func end() {
    shared.state.withLock { $0.isEnded = true }
    for _ in threads { shared.waiting.signal() }
    for thread in threads { thread.join() }
  }
}
