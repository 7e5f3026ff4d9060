import Kernels

/// A fixed set of threads that run one piece of work together; the caller is worker 0.
///
/// Which worker does a piece of work may depend on timing; what is done never does. One region runs at a time: a pool belongs to
/// one engine, which is driven by one thread.
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

  /// Inside `run`: 0, then 1 and so on, each number to whichever worker asks next.
  func claim() -> Int { bb_pool_claim(handle) }

  /// Between regions: bytes that a worker will read soon. It asks for them while it waits.
  func announce(_ bytes: UnsafeRawPointer, count: Int, to worker: Int) {
    bb_pool_announce(handle, worker, bytes, count)
  }

  /// Multiply-adds below which work is not worth waking a second thread for: some 10 microseconds of one core.
  public static let worthwhileWork = 250_000

  /// Runs `work` on consecutive parts of `0..<count`: one a worker, then smaller ones by those that are done first.
  ///
  /// - Parameters:
  ///   - count: how many units there are.
  ///   - grain: what a part starts at a multiple of.
  ///   - cost: multiply-adds of the whole; below `worthwhileWork` the caller does everything. The default always splits.
  ///   - evenly: whether nothing is left for those that are done first, because a larger part is done faster.
  ///   - work: does one part.
  public func split(
    _ count: Int, grain: Int = 1, cost: Int = .max, evenly: Bool = false,
    _ work: (Range<Int>) -> Void
  ) {
    if workers == 1 || count <= grain || cost < Self.worthwhileWork {
      if count > 0 { work(0..<count) }
      return
    }
    divide([Division(of: count, grain: grain, workers: workers, evenly: evenly)]) { work($1) }
  }

  /// Runs `work` on all parts of some divisions, by their index: every worker's own part of each, then the pieces.
  func divide(_ divisions: [Division], _ work: (_ index: Int, Range<Int>) -> Void) {
    run { worker in
      for (index, division) in divisions.enumerated() {
        let own = division.own(of: worker)
        if !own.isEmpty { work(index, own) }
      }
      var (claimed, before) = (claim(), 0)
      for (index, division) in divisions.enumerated() {
        while claimed < before + division.pieces {
          work(index, division.piece(claimed - before))
          claimed = claim()
        }
        before += division.pieces
      }
    }
  }
}

/// How `0..<count` is divided among workers: three quarters evenly, in consecutive parts, and the rest in small pieces. So nobody
/// waits long for a worker whose processor was busy with something else. Or all of it evenly.
struct Division {
  private let count: Int
  private let ownCount: Int
  private let pieceCount: Int
  private let firstPiece: Int
  /// Number of pieces.
  let pieces: Int

  /// Parts and pieces start at multiples of `grain`.
  init(of count: Int, grain: Int, workers: Int, evenly: Bool = false) {
    let units = (count + grain - 1) / grain
    let own = evenly ? (units + workers - 1) / workers : units * 3 / 4 / workers
    let rest = max(0, units - own * workers)
    let piece = max(1, rest / (4 * workers))
    self.count = count
    ownCount = own * grain
    pieceCount = piece * grain
    firstPiece = own * workers * grain
    pieces = (rest + piece - 1) / piece
  }

  /// The part that is a worker's own.
  func own(of worker: Int) -> Range<Int> {
    min(ownCount * worker, count)..<min(ownCount * (worker + 1), count)
  }

  /// One of the pieces.
  func piece(_ index: Int) -> Range<Int> {
    let start = firstPiece + index * pieceCount
    return start..<min(start + pieceCount, count)
  }
}
