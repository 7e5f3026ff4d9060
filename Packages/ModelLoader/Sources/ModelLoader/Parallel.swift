import Synchronization
import SystemCalls
import Tensors

/// Calls `body` with 0..<count on up to `workers` threads; each thread takes every `workers`-th
/// index.
///
/// - Throws: the error of the lowest index that failed first on its thread, so that the message
///   does not depend on timing.
func forEachInParallel(
  _ count: Int, workers: Int, _ body: @Sendable (Int) throws(CheckpointError) -> Void
) throws(CheckpointError) {
  let threads = max(min(workers, count), 1)
  let failure = Mutex<(index: Int, error: CheckpointError)?>(nil)
  @Sendable func work(_ thread: Int) {
    for index in stride(from: thread, to: count, by: threads) {
      do throws(CheckpointError) {
        try body(index)
      } catch {
        failure.withLock { if index < $0?.index ?? .max { $0 = (index, error) } }
        return
      }
    }
  }
  if threads == 1 {
    work(0)
  } else {
    SystemThread.forEach(threads, work)
  }
  if let failure = failure.withLock({ $0 }) { throw failure.error }
}

/// Things that are costly to make and used by one thread at a time, kept for the next use.
final class ReusePool<Item: Sendable>: Sendable {
  private let idle = Mutex<[Item]>([])
  private let make: @Sendable () throws(CheckpointError) -> Item

  init(_ make: @escaping @Sendable () throws(CheckpointError) -> Item) { self.make = make }

  /// Runs `body` with an item that nobody else has meanwhile.
  func with<Result>(
    _ body: (Item) throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    let item: Item
    if let kept = idle.withLock({ $0.popLast() }) { item = kept } else { item = try make() }
    defer { idle.withLock { $0.append(item) } }
    return try body(item)
  }
}

/// Bytes that several threads write, each a part of its own.
struct SharedTarget: Sendable {
  private let memory: DisjointMemory<UInt8>?
  private let count: Int

  init(_ bytes: UnsafeMutableRawBufferPointer) {
    memory = bytes.baseAddress.map { DisjointMemory($0.assumingMemoryBound(to: UInt8.self)) }
    count = bytes.count
  }

  /// All of them.
  var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: memory?.base, count: count)
  }

  /// The part of `range`, which has to lie inside.
  func part(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: bytes[range])
  }
}

/// Bytes that several threads read.
struct SharedSource: Sendable {
  private let memory: ReadOnlyMemory<UInt8>?
  private let count: Int

  init(_ bytes: UnsafeRawBufferPointer) {
    memory = bytes.baseAddress.map { ReadOnlyMemory($0.assumingMemoryBound(to: UInt8.self)) }
    count = bytes.count
  }

  /// The part of `range`, which has to lie inside.
  func part(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      rebasing: UnsafeRawBufferPointer(start: memory?.base, count: count)[range])
  }
}
