import Synchronization

/// Counts the bytes that all pages of one engine's caches really hold.
public final class KVMeter: Sendable {
  private let live = Atomic<Int>(0)
  private let highest = Atomic<Int>(0)

  /// A meter that reads zero.
  public init() {}

  /// Bytes held now.
  public var bytes: Int { live.load(ordering: .relaxed) }
  /// The most bytes held at any time.
  public var peakBytes: Int { highest.load(ordering: .relaxed) }

  func add(_ bytes: Int) {
    let now = live.add(bytes, ordering: .relaxed).newValue
    var seen = highest.load(ordering: .relaxed)
    while now > seen {
      let (done, found) = highest.compareExchange(
        expected: seen, desired: now, ordering: .relaxed)
      if done { return }
      seen = found
    }
  }

  func remove(_ bytes: Int) { live.subtract(bytes, ordering: .relaxed) }
}
