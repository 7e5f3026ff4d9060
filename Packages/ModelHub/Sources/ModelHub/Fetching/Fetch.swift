import Foundation
import SystemCalls

/// How far a fetch is.
public struct FetchProgress: Sendable, Hashable {
  /// Bytes that are there, those of earlier runs included.
  public var bytes: Int
  /// Bytes of all files.
  public var totalBytes: Int
  /// Files that are complete.
  public var files: Int
  /// All files.
  public var totalFiles: Int
  /// What the fetch waits for, if another process fetches the same file.
  public var waitsFor: String?
}

/// Brings files of a repository into the cache: several pieces at once, of several files where they
/// are small.
///
/// Threads take jobs in the order of the files; memory is bounded by the pieces that the fetch
/// owns. Sendable by rule: the condition guards what changes.
final class Fetch: @unchecked Sendable {
  private enum State {
    case waiting
    case opening
    case open(GrowingBlob, FileSource, next: Int)
    case done
  }

  /// A file on its way.
  private final class Item {
    let file: HubFile
    var state = State.waiting
    /// Pieces that threads fetch now.
    var underWay = 0
    /// Whether the server gives it only as a whole.
    var isWhole = false
    /// Whether it was begun anew after its digest was wrong.
    var isSecondTry = false
    init(_ file: HubFile) { self.file = file }
  }

  /// What a thread does next.
  private enum Job {
    case open(Item)
    case piece(Item, GrowingBlob, FileSource, PieceBuffer)
    case whole(Item, GrowingBlob, FileSource)
  }

  private let listing: HubListing
  private let client: HubClient
  private let cache: HubCache
  private let condition = NSCondition()
  private var items: [Item]
  private var store: [PieceBuffer]
  private var failure: HubError?
  private var progress: FetchProgress

  /// Prepares a fetch.
  ///
  /// - Parameters:
  ///   - files: files of the listing that are not in the cache.
  ///   - listing: the commit they are of.
  ///   - client: asks for them.
  init(_ files: [HubFile], _ listing: HubListing, _ client: HubClient) {
    self.listing = listing
    self.client = client
    cache = client.settings.cache
    items = files.map(Item.init)
    store = (0...client.settings.connections).map { _ in PieceBuffer() }
    progress = FetchProgress(
      bytes: 0, totalBytes: files.reduce(0) { $0 + $1.size }, files: 0, totalFiles: files.count)
  }

  /// Fetches all of them.
  ///
  /// - Parameter shows: told how far it is, some times a second.
  /// - Throws: the first `HubError`; what is complete and what has grown stays.
  func run(_ shows: (FetchProgress) -> Void) throws(HubError) {
    let count = client.settings.connections
    let threads = (0..<count).compactMap { _ in SystemThread { self.work() } }
    if threads.isEmpty { work() }
    while true {
      condition.lock()
      let isOver = failure != nil || progress.files == items.count
      if !isOver { _ = condition.wait(until: Date(timeIntervalSinceNow: 0.1)) }
      let now = progress
      condition.unlock()
      shows(now)
      if isOver { break }
      if client.isCancelled() { fail(.cancelled) }
    }
    for thread in threads { thread.join() }
    // Locks end here, whoever still holds on to the files.
    for item in items { if case .open(let blob, _, _) = item.state { blob.letGo() } }
    if let failure = condition.withLock({ failure }) { throw failure }
  }

  private func fail(_ error: HubError) {
    condition.withLock {
      if failure == nil { failure = error }
      condition.broadcast()
    }
  }

  private var isOver: Bool { condition.withLock { failure != nil } }

  private func work() {
    let client = client.stopping { self.isOver }
    while let job = next() {
      do throws(HubError) { try perform(job, client) } catch { return fail(error) }
    }
  }

  /// Waits for something to do; nil when there is no more.
  private func next() -> Job? {
    condition.lock()
    defer { condition.unlock() }
    while failure == nil, progress.files < items.count {
      if let job = available() { return job }
      _ = condition.wait(until: Date(timeIntervalSinceNow: 0.2))
    }
    return nil
  }

  private func available() -> Job? {
    var opened = 0
    for item in items {
      switch item.state {
      case .done: continue
      case .opening: opened += 1
      case .waiting:
        // Files are locked while they are open; more than are worked at would keep others from
        // them.
        guard opened <= client.settings.connections else { return nil }
        item.state = .opening
        return .open(item)
      case .open(let blob, let source, let next):
        opened += 1
        if item.isWhole {
          guard item.underWay == 0 else { continue }
          item.underWay = 1
          return .whole(item, blob, source)
        }
        guard next < item.file.size, let piece = store.popLast() else { continue }
        piece.begin(at: next, length: item.file.size - next)
        item.state = .open(blob, source, next: next + piece.length)
        item.underWay += 1
        return .piece(item, blob, source, piece)
      }
    }
    return nil
  }

  private func perform(_ job: Job, _ client: HubClient) throws(HubError) {
    switch job {
    case .open(let item): try open(item, client)
    case .piece(let item, let blob, let source, let piece):
      let answer = try source.fill(piece) { self.arrived($0) }
      guard answer == .complete else {
        return condition.withLock {
          item.underWay -= 1
          item.isWhole = true
          store.append(piece)
          condition.broadcast()
        }
      }
      let (written, isFull) = try blob.add(piece)
      condition.withLock {
        item.underWay -= 1
        store += written
        condition.broadcast()
      }
      if isFull { try finish(item, blob) }
    case .whole(let item, let blob, let source): try readWhole(item, blob, source, client)
    }
  }

  private func arrived(_ bytes: Int) { condition.withLock { progress.bytes += bytes } }

  private func open(_ item: Item, _ client: HubClient) throws(HubError) {
    let blob = try GrowingBlob(
      item.file, in: cache.folder(of: listing.repository),
      locks: cache.locks(of: listing.repository),
      isCancelled: client.isCancelled,
      waits: { condition.withLock { progress.waitsFor = item.file.path } })
    condition.withLock { if progress.waitsFor == item.file.path { progress.waitsFor = nil } }
    if blob.isDone {
      arrived(item.file.size)
      return try link(item)
    }
    let source = try FileSource(item.file, listing, client)
    condition.withLock {
      progress.bytes += blob.found
      item.state = .open(blob, source, next: blob.found)
      condition.broadcast()
    }
    if item.file.size == 0 { try finish(item, blob) }
  }

  /// Reads a file in one go from a server that gives no parts.
  private func readWhole(
    _ item: Item, _ blob: GrowingBlob, _ source: FileSource, _ client: HubClient
  ) throws(HubError) {
    var attempts = Attempts(client.settings)
    while true {
      let before = blob.written
      let freed = try blob.restart()
      condition.withLock {
        store += freed
        progress.bytes -= before + freed.reduce(0) { $0 + $1.count }
      }
      let receiver = BlobReceiver(blob) { self.arrived($0) }
      do throws(HubError) {
        try source.read(to: receiver)
        if let failure = receiver.failure { throw failure }
        guard blob.written == item.file.size else {
          throw .wrongLength(file: item.file.path, expected: item.file.size, found: blob.written)
        }
        return try finish(item, blob)
      } catch {
        try attempts.failed(error, isCancelled: client.isCancelled)
      }
    }
  }

  private func finish(_ item: Item, _ blob: GrowingBlob) throws(HubError) {
    do throws(HubError) {
      try blob.finish(named: "\(listing.repository.path): \(item.file.path)")
    } catch {
      // What an earlier process left may have been damaged since.
      guard case .wrongDigest = error, blob.found > 0, !item.isSecondTry else { throw error }
      blob.letGo()
      return condition.withLock {
        progress.bytes -= item.file.size
        item.isSecondTry = true
        item.underWay = 0
        item.state = .waiting
        condition.broadcast()
      }
    }
    try link(item)
  }

  private func link(_ item: Item) throws(HubError) {
    try cache.link(item.file, listing.repository, commit: listing.commit)
    condition.withLock {
      item.state = .done
      progress.files += 1
      condition.broadcast()
    }
  }
}

/// Appends a body to a file as it comes.
private final class BlobReceiver: BodyReceiver, @unchecked Sendable {
  private(set) var failure: HubError?
  private let blob: GrowingBlob
  private let arrived: @Sendable (Int) -> Void

  init(_ blob: GrowingBlob, arrived: @escaping @Sendable (Int) -> Void) {
    self.blob = blob
    self.arrived = arrived
  }

  func begin(_ response: HTTPResponse) -> Bool { true }

  func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard blob.written + bytes.count <= blob.file.size else {
      failure = .wrongLength(
        file: blob.file.path, expected: blob.file.size, found: blob.written + bytes.count)
      return false
    }
    do throws(HubError) { try blob.append(bytes) } catch {
      failure = error
      return false
    }
    arrived(bytes.count)
    return true
  }
}
