import Kernels
import Synchronization

/// A fixed set of threads that run one piece of work together; the caller is worker 0.
///
/// Which worker does a piece of work may depend on timing; what is done never does. One parallel
/// region runs at a time: a pool belongs to one engine, which is driven by one thread. A region
/// that is entered inside another one, or by a second thread meanwhile, ends the process with a
/// message: the workers would wait for one another for ever.
///
/// Sendable by rule: the handle never changes, the C side is safe for its own workers, and
/// `isBusy` keeps a second caller out.
public final class ThreadPool: @unchecked Sendable {
  private let handle: OpaquePointer
  /// Whether a region runs.
  private let isBusy = Atomic(false)
  /// Number of threads, the caller's included.
  public let workers: Int

  /// Starts `workers` - 1 threads beside the caller's.
  ///
  /// - Throws: `TensorError.outOfMemory` when the system refuses the threads.
  public init(workers: Int) throws(TensorError) {
    guard workers > 0, let handle = bb_pool_create(workers) else { throw .outOfMemory(bytes: 0) }
    self.handle = handle
    self.workers = workers
  }

  deinit { bb_pool_destroy(handle) }

  /// Runs `work(worker)` once on every worker, 0..<`workers`, and returns when all have finished.
  public func run(_ work: @Sendable (Int) -> Void) {
    enter()
    defer { leave() }
    withoutActuallyEscaping(work) { escaping in
      var box = escaping
      withUnsafeMutablePointer(to: &box) { pointer in
        bb_pool_run(
          handle,
          { context, worker, _ in
            context?.assumingMemoryBound(to: (@Sendable (Int) -> Void).self).pointee(Int(worker))
          }, pointer)
      }
    }
  }

  private func enter() {
    let wasBusy = isBusy.exchange(true, ordering: .acquiring)
    precondition(!wasBusy, "a parallel region was entered while another one of the same pool runs")
  }

  private func leave() { isBusy.store(false, ordering: .releasing) }

  /// Runs work that is not worth a second thread, under the rule of all regions.
  func runAlone(_ work: () -> Void) {
    enter()
    defer { leave() }
    work()
  }

  /// Inside `run`: 0, then 1 and so on, each number to one worker (dynamic schedule).
  func claim() -> Int { bb_pool_claim(handle) }

  /// Between parallel regions: bytes that a worker will read soon, which it prefetches while it
  /// waits at the barrier.
  ///
  /// - Parameters:
  ///   - bytes: where they begin.
  ///   - count: how many.
  ///   - worker: who reads them.
  ///   - isNow: whether the very next region reads them, so that workers who wait for it begin at
  ///     once; else those who wait for a later one do.
  func prefetch(_ bytes: UnsafeRawPointer, count: Int, by worker: Int, isNow: Bool) {
    if isNow {
      bb_pool_prefetch_now(handle, worker, bytes, count)
    } else {
      bb_pool_prefetch(handle, worker, bytes, count)
    }
  }

  /// Multiply-adds below which work is not worth waking a second thread for: some 10 microseconds
  /// of one core.
  public static let worthwhileWork = 250_000

  /// Runs `work` on consecutive parts of `0..<count`, which workers take one after the other.
  ///
  /// - Parameters:
  ///   - count: how many units there are.
  ///   - granularity: what a part starts at a multiple of.
  ///   - cost: multiply-adds of the whole; below `worthwhileWork` the caller does everything. The
  ///     default always splits.
  ///   - schedule: how large the parts are.
  ///   - work: does one part.
  public func split(
    _ count: Int, granularity: Int = 1, cost: Int = .max,
    schedule: Partition.Schedule = .guided,
    _ work: @Sendable (Range<Int>) -> Void
  ) {
    if workers == 1 || count <= granularity || cost < Self.worthwhileWork {
      if count > 0 { runAlone { work(0..<count) } }
      return
    }
    run([
      Partition(of: count, granularity: granularity, workers: workers, schedule: schedule)
    ]) { work($1) }
  }

  /// Runs `work` on all parts of some partitions, by their index. Parts are taken in order: the
  /// first one by worker 0, the next one by worker 1, those behind by whoever is ready.
  func run(_ partitions: [Partition], _ work: @Sendable (_ index: Int, Range<Int>) -> Void) {
    run { worker in
      var (wanted, number) = (worker, 0)
      for (index, partition) in partitions.enumerated() {
        for part in partition {
          if number == wanted {
            work(index, part)
            wanted = workers + claim()
          }
          number += 1
        }
      }
    }
  }
}

/// `0..<count` in consecutive parts, which workers take one after the other.
public struct Partition: Sendable, Sequence {
  /// How large the parts are.
  public enum Schedule: Sendable, Hashable {
    /// They become smaller (guided self-scheduling, Polychronopoulos and Kuck 1987): workers that
    /// take them one after the other read memory that lies close together, and one whose processor
    /// was busy delays the barrier little.
    case guided
    /// One part for each worker, because a larger part runs faster.
    case even
    /// One long part for each worker, seven eighths of the whole together, then guided. Memory is
    /// read as fast as it can be where a processor follows a stream for long: of matrices of 1 to
    /// 6 MB that two threads of a Zen 4 read, `guided` parts take 9 % longer.
    case streams
  }

  private let count: Int
  private let granularity: Int
  private let workers: Int
  private let schedule: Schedule

  /// Parts start at multiples of `granularity`.
  init(of count: Int, granularity: Int, workers: Int, schedule: Schedule = .guided) {
    self.count = count
    self.granularity = granularity
    self.workers = workers
    self.schedule = schedule
  }

  /// A part need not be larger than this: 256 rows of a matrix are some 100 KiB at least.
  private static let leastCount = 256

  /// The parts, in order.
  public func makeIterator() -> Parts {
    let units = (count + granularity - 1) / granularity
    let least =
      schedule == .even
      ? (units + workers - 1) / workers
      : Swift.max(1, Swift.min(units / (16 * workers), Self.leastCount / granularity))
    return Parts(
      count: count, granularity: granularity, least: least, ahead: 2 * workers,
      first: schedule == .streams ? Swift.max(least, units * 7 / (8 * workers)) : 0,
      streams: schedule == .streams ? workers : 0, left: units)
  }

  /// Parts one after the other.
  public struct Parts: IteratorProtocol {
    fileprivate let count: Int
    fileprivate let granularity: Int
    /// Units of a part, at least.
    fileprivate let least: Int
    /// A part is this fraction of what is left.
    fileprivate let ahead: Int
    /// Units of each of the first parts, which are long.
    fileprivate let first: Int
    /// How many of those are left.
    fileprivate var streams: Int
    /// Units that are left.
    fileprivate var left: Int
    fileprivate var start = 0

    /// The next part; nil behind the last.
    public mutating func next() -> Range<Int>? {
      guard left > 0 else { return nil }
      let size = Swift.min(left, streams > 0 ? first : Swift.max(least, left / ahead))
      streams -= 1
      left -= size
      defer { start = Swift.min(start + size * granularity, count) }
      return start..<Swift.min(start + size * granularity, count)
    }
  }
}
