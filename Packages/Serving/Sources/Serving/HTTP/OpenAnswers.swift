import Hummingbird
import Synchronization

/// Counts answers that are under way, so that a server that is to end can wait until they are
/// written.
final class OpenAnswers: Sendable {
  private let count = Mutex(0)

  /// Whether none is under way.
  var isEmpty: Bool { count.withLock { $0 == 0 } }

  /// One answer; it counts for as long as anybody has it.
  final class Ticket: Sendable {
    private let answers: OpenAnswers

    fileprivate init(_ answers: OpenAnswers) {
      self.answers = answers
      answers.count.withLock { $0 += 1 }
    }

    deinit { answers.count.withLock { $0 -= 1 } }

    /// A body that has the ticket until it is written, or nobody wants it any more.
    func held(by body: ResponseBody) -> ResponseBody {
      ResponseBody(contentLength: body.contentLength) { writer in
        try await body.write(writer)
        withExtendedLifetime(self) {}
      }
    }
  }

  /// Begins an answer.
  func begin() -> Ticket { Ticket(self) }
}
