import Dispatch
import Synchronization

/// Calls `body` with 0..<count on up to `workers` threads; each thread takes every `workers`-th index.
///
/// - Throws: the error of the lowest index that failed, so that the message does not depend on timing.
func forEachInParallel(
  _ count: Int, workers: Int, _ body: @Sendable (Int) throws(CheckpointError) -> Void
) throws(CheckpointError) {
  let threads = min(workers, count)
  guard threads > 1 else {
    for index in 0..<max(count, 0) { try body(index) }
    return
  }
  let failure = Mutex<(index: Int, error: CheckpointError)?>(nil)
  DispatchQueue.concurrentPerform(iterations: threads) { thread in
    for index in stride(from: thread, to: count, by: threads) {
      do throws(CheckpointError) {
        try body(index)
      } catch {
        failure.withLock { if index < $0?.index ?? .max { $0 = (index, error) } }
        return
      }
    }
  }
  if let failure = failure.withLock({ $0 }) { throw failure.error }
}

/// A pointer that several threads may write through, each to its own part.
struct SharedTarget: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer

  init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

  /// The part of `range`, which has to lie inside.
  func part(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: bytes[range])
  }
}
