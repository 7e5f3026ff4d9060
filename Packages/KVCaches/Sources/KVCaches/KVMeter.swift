import Synchronization
import Tensors

/// Counts the bytes that all pages of one engine's caches really hold, and has the memory that they
/// are in.
public final class KVMeter: Sendable {
  /// What bytes are held for.
  public enum Kind: String, Sendable, CaseIterable {
    /// Keys and values in full precision.
    case exact
    /// Codes of quantized keys and values.
    case codes
    /// Their scales and offsets.
    case scales
    /// What an eviction remembers.
    case eviction
    /// States of a fixed size, of layers that do not attend.
    case fixed
  }

  /// What the pages are taken from.
  let memory: BlockPool
  private let exact = Atomic<Int>(0)
  private let codes = Atomic<Int>(0)
  private let scales = Atomic<Int>(0)
  private let eviction = Atomic<Int>(0)
  private let fixed = Atomic<Int>(0)
  private let live = Atomic<Int>(0)
  private let highest = Atomic<Int>(0)

  /// A meter that reads zero.
  ///
  /// - Parameter keepsMemory: whether memory stays for pages to come where none lies in it, until
  ///   `releaseUnused` or the meter's end.
  public init(keepsMemory: Bool = false) { memory = BlockPool(keepsUnused: keepsMemory) }

  /// Bytes held now.
  public var bytes: Int { live.load(ordering: .relaxed) }
  /// The most bytes held at any time.
  public var peakBytes: Int { highest.load(ordering: .relaxed) }

  /// Bytes of one kind held now.
  public func bytes(of kind: Kind) -> Int {
    switch kind {
    case .exact: exact.load(ordering: .relaxed)
    case .codes: codes.load(ordering: .relaxed)
    case .scales: scales.load(ordering: .relaxed)
    case .eviction: eviction.load(ordering: .relaxed)
    case .fixed: fixed.load(ordering: .relaxed)
    }
  }

  /// Gives memory back in which no page lies: a pool keeps a slab for each size of pages.
  public func releaseUnused() { memory.trim() }

  func add(_ bytes: Int, _ kind: Kind) {
    change(kind, by: bytes)
    let now = live.add(bytes, ordering: .relaxed).newValue
    var seen = highest.load(ordering: .relaxed)
    while now > seen {
      let (done, found) = highest.compareExchange(
        expected: seen, desired: now, ordering: .relaxed)
      if done { return }
      seen = found
    }
  }

  func remove(_ bytes: Int, _ kind: Kind) {
    change(kind, by: -bytes)
    live.subtract(bytes, ordering: .relaxed)
  }

  private func change(_ kind: Kind, by bytes: Int) {
    switch kind {
    case .exact: exact.add(bytes, ordering: .relaxed)
    case .codes: codes.add(bytes, ordering: .relaxed)
    case .scales: scales.add(bytes, ordering: .relaxed)
    case .eviction: eviction.add(bytes, ordering: .relaxed)
    case .fixed: fixed.add(bytes, ordering: .relaxed)
    }
  }
}
