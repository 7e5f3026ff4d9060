import Dispatch
import Synchronization

/// Calls `body` with 0..<count on up to `workers` threads; each thread takes every `workers`-th
/// index and has a `state` of its own.
///
/// - Throws: the error of the lowest index that failed first on its thread, so that the message
///   does not depend on timing.
func forEachInParallel<State>(
  _ count: Int, workers: Int, state: @Sendable () throws(CheckpointError) -> State,
  _ body: @Sendable (inout State, Int) throws(CheckpointError) -> Void
) throws(CheckpointError) {
  let threads = max(min(workers, count), 1)
  let failure = Mutex<(index: Int, error: CheckpointError)?>(nil)
  @Sendable func work(_ thread: Int) {
    var index = thread
    do throws(CheckpointError) {
      guard index < count else { return }
      var state = try state()
      while index < count {
        try body(&state, index)
        index += threads
      }
    } catch {
      failure.withLock { if index < $0?.index ?? .max { $0 = (index, error) } }
    }
  }
  if threads == 1 {
    work(0)
  } else {
    DispatchQueue.concurrentPerform(iterations: threads, execute: work)
  }
  if let failure = failure.withLock({ $0 }) { throw failure.error }
}

/// Calls `body` with 0..<count on up to `workers` threads.
///
/// - Throws: as above.
func forEachInParallel(
  _ count: Int, workers: Int, _ body: @Sendable (Int) throws(CheckpointError) -> Void
) throws(CheckpointError) {
  try forEachInParallel(count, workers: workers) { () throws(CheckpointError) in
  } _: { (_, index) throws(CheckpointError) in
    try body(index)
  }
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

/// A pointer that several threads may read through.
struct SharedSource: @unchecked Sendable {
  private let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The part of `range`, which has to lie inside.
  func part(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[range])
  }
}
