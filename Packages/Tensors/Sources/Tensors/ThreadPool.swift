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
  func prefetch(_ bytes: UnsafeRawPointer, count: Int, by worker: Int) {
    bb_pool_prefetch(handle, worker, bytes, count)
  }

  /// Multiply-adds below which work is not worth waking a second thread for: some 10 microseconds
  /// of one core.
  public static let worthwhileWork = 250_000

  /// Runs `work` on consecutive parts of `0..<count`: a static share for each worker, then smaller
  /// pieces of the remainder, taken dynamically.
  ///
  /// - Parameters:
  ///   - count: how many units there are.
  ///   - granularity: what a part starts at a multiple of.
  ///   - cost: multiply-adds of the whole; below `worthwhileWork` the caller does everything. The
  ///     default always splits.
  ///   - evenly: whether there is no shared remainder, because a larger part runs faster.
  ///   - work: does one part.
  public func split(
    _ count: Int, granularity: Int = 1, cost: Int = .max, evenly: Bool = false,
    _ work: @Sendable (Range<Int>) -> Void
  ) {
    if workers == 1 || count <= granularity || cost < Self.worthwhileWork {
      if count > 0 { runAlone { work(0..<count) } }
      return
    }
    run([Partition(of: count, granularity: granularity, workers: workers, evenly: evenly)]) {
      work($1)
    }
  }

  /// Runs `work` on all parts of some partitions, by their index: every worker's static share of
  /// each, then the pieces.
  func run(_ partitions: [Partition], _ work: @Sendable (_ index: Int, Range<Int>) -> Void) {
    run { worker in
      for (index, partition) in partitions.enumerated() {
        let share = partition.share(of: worker)
        if !share.isEmpty { work(index, share) }
      }
      var (claimed, before) = (claim(), 0)
      for (index, partition) in partitions.enumerated() {
        while claimed < before + partition.pieces {
          work(index, partition.piece(claimed - before))
          claimed = claim()
        }
        before += partition.pieces
      }
    }
  }
}

/// A static partition of `0..<count` plus a shared remainder: three quarters in consecutive shares,
/// one a worker, and the rest in small pieces taken dynamically, so that a worker whose processor
/// was busy delays the barrier little. Or shares alone.
struct Partition: Sendable {
  private let count: Int
  private let shareCount: Int
  private let pieceCount: Int
  private let firstPiece: Int
  /// Pieces of the shared remainder.
  let pieces: Int

  /// Parts and pieces start at multiples of `granularity`.
  init(of count: Int, granularity: Int, workers: Int, evenly: Bool = false) {
    let units = (count + granularity - 1) / granularity
    let share = evenly ? (units + workers - 1) / workers : units * 3 / 4 / workers
    let rest = max(0, units - share * workers)
    let piece = max(1, rest / (4 * workers))
    self.count = count
    shareCount = share * granularity
    pieceCount = piece * granularity
    firstPiece = share * workers * granularity
    pieces = (rest + piece - 1) / piece
  }

  /// The static share of a worker.
  func share(of worker: Int) -> Range<Int> {
    min(shareCount * worker, count)..<min(shareCount * (worker + 1), count)
  }

  /// A piece of the shared remainder.
  func piece(_ index: Int) -> Range<Int> {
    let start = firstPiece + index * pieceCount
    return start..<min(start + pieceCount, count)
  }
}
