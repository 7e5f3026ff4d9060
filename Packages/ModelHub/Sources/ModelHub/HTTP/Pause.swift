import Foundation

/// Short sleeps, between which a thread looks whether it is to stop.
enum Pause {
  /// Sleeps for a tenth of a second, or until `end`.
  static func briefly(until end: ContinuousClock.Instant) {
    let left = (end - ContinuousClock.now) / .seconds(1)
    usleep(UInt32(max(0, min(left, 0.1)) * 1_000_000))
  }
}
