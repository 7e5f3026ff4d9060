/// Counts the failures of one request and pauses between them: longer each time, or as long as the
/// server asks.
struct Attempts {
  private let settings: HubSettings
  private var failures = 0

  init(_ settings: HubSettings) { self.settings = settings }

  /// Waits until the request may be sent again.
  ///
  /// - Parameters:
  ///   - error: how it failed.
  ///   - progressed: whether bytes arrived before it did: then it counts as the first failure.
  ///   - isCancelled: asked often.
  /// - Throws: the error where repeating it makes no sense, or was tried often enough;
  ///   `HubError.cancelled`.
  mutating func failed(
    _ error: HubError, progressed: Bool = false, isCancelled: () -> Bool
  ) throws(HubError) {
    failures = progressed ? 1 : failures + 1
    guard error.isTransient, failures < settings.attempts else { throw error }
    var seconds = settings.firstPause * Double(1 << min(failures - 1, 16))
    if case .tooManyRequests(_, let asked?) = error { seconds = asked }
    guard seconds <= HubSettings.longestPause else { throw error }
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      if isCancelled() { throw .cancelled }
      Pause.briefly(until: end)
    }
  }
}
