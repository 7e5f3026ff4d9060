import Foundation

/// Keeps working memory between encodings, so that a cache warmed by one text serves the next.
///
/// As many are kept as threads ever encoded at the same moment.
final class ScratchPool: @unchecked Sendable {
  // Sendable: `free` is only touched under `lock`, and a scratch belongs to one caller at a time.
  private let lock = NSLock()
  private var free: [BPEScratch] = []

  /// Lends a scratch to `body`.
  func withScratch<Result>(_ body: (BPEScratch) -> Result) -> Result {
    let scratch = lock.withLock { free.popLast() } ?? BPEScratch()
    defer { lock.withLock { free.append(scratch) } }
    return body(scratch)
  }
}
