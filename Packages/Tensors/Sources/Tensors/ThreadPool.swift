import Kernels

/// A fixed set of threads that run one piece of work together; the caller is worker 0.
///
/// Work is split by worker number alone, so results never depend on timing. One region runs at a time: a pool
/// belongs to one engine, which is driven by one thread.
public final class ThreadPool: @unchecked Sendable {
  // Sendable by rule: `run` is called by one thread at a time; the C side is safe for its own workers.
  private let handle: OpaquePointer
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
  public func run(_ work: (Int) -> Void) {
    withoutActuallyEscaping(work) { escaping in
      var box = escaping
      withUnsafeMutablePointer(to: &box) { pointer in
        bb_pool_run(
          handle,
          { context, worker, _ in
            context?.assumingMemoryBound(to: ((Int) -> Void).self).pointee(Int(worker))
          }, pointer)
      }
    }
  }

  /// Multiply-adds below which work is not worth waking a second thread for: some 10 microseconds of one core.
  public static let worthwhileWork = 250_000

  /// Runs `work` on consecutive parts of `0..<count`, one a worker; a part starts at a multiple of `grain`.
  ///
  /// - Parameters:
  ///   - count: how many units there are.
  ///   - grain: what a part starts at a multiple of.
  ///   - cost: multiply-adds of the whole; below `worthwhileWork` the caller does everything. The default always splits.
  ///   - work: does one part.
  public func split(_ count: Int, grain: Int = 1, cost: Int = .max, _ work: (Range<Int>) -> Void) {
    let units = (count + grain - 1) / grain
    if workers == 1 || units <= 1 || cost < Self.worthwhileWork {
      if count > 0 { work(0..<count) }
      return
    }
    run { worker in
      let part = share(of: count, grain: grain, worker: worker)
      if !part.isEmpty { work(part) }
    }
  }

  /// The part of `0..<count` that belongs to a worker; it starts at a multiple of `grain`.
  func share(of count: Int, grain: Int, worker: Int) -> Range<Int> {
    let units = (count + grain - 1) / grain
    let first = min(units * worker / workers * grain, count)
    return first..<min(units * (worker + 1) / workers * grain, count)
  }
}
