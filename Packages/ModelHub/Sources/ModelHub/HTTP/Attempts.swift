/// Counts the failures of one request and pauses between them: longer each time, or as long as the
/// server asks.
public struct Attempts: Sendable {
  private let limit: Int
  private let firstPause: Double
  private var failures = 0

  /// Counts up to `limit` attempts; the pause behind the first has `firstPause` seconds, each
  /// further one is twice as long.
  public init(limit: Int, firstPause: Double) {
    self.limit = limit
    self.firstPause = firstPause
  }

  init(_ settings: HubSettings) {
    self.init(limit: settings.attempts, firstPause: settings.firstPause)
  }

  /// Waits until the request may be sent again.
  ///
  /// - Parameters:
  ///   - error: how it failed.
  ///   - again: whether the request may be sent again; nil where its error says so.
  ///   - progressed: whether bytes arrived before it did: then it counts as the first failure.
  ///   - isCancelled: asked often.
  /// - Throws: the error where repeating it makes no sense, or was tried often enough;
  ///   `HubError.cancelled`.
  public mutating func failed(
    _ error: HubError, again: Bool? = nil, progressed: Bool = false, isCancelled: () -> Bool
  ) throws(HubError) {
    failures = progressed ? 1 : failures + 1
    guard again ?? error.isTransient, failures < limit else { throw error }
    var seconds = firstPause * Double(1 << min(failures - 1, 16))
    if case .tooManyRequests(_, let asked?) = error { seconds = asked }
    guard seconds <= HubSettings.longestPause else { throw error }
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      if isCancelled() { throw .cancelled }
      Pause.briefly(until: end)
    }
  }
}
