/// Looks for the highest rate of requests that holds some limits.
///
/// Rates are doubled while they hold, and the interval between the highest that held and the lowest
/// that did not is halved then.
public struct RateSearch: Sendable, Hashable {
  /// Requests a second to try next; nil when the search is over.
  public private(set) var next: Double?
  /// The highest rate that held; nil while none did.
  public private(set) var best: Double?
  private var worst: Double?
  private var left: Int

  /// A search that begins with a rate above 0 and tries `steps` rates.
  public init(start: Double, steps: Int) {
    next = steps > 0 ? start : nil
    left = steps
  }

  /// Says whether the rate that was tried last held.
  public mutating func take(holds: Bool) {
    guard let tried = next else { return }
    if holds { best = max(best ?? 0, tried) } else { worst = min(worst ?? .infinity, tried) }
    left -= 1
    guard left > 0 else {
      next = nil
      return
    }
    switch (best, worst) {
    case (let best?, let worst?): next = (best + worst) / 2
    case (_?, nil): next = tried * 2
    default: next = tried / 2
    }
  }
}
