import Foundation
import SystemCalls

/// A file of the cache that grows from its beginning to its end under `blobs/ETAG.incomplete`, and
/// takes its name when it has the length and the digest that the hub lists.
///
/// What is in the growing file is always a beginning of the file, so that its length alone says
/// where to go on after the process was killed. Pieces that come early wait in memory. A lock keeps
/// other processes away.
///
/// Sendable by rule: a lock guards what changes.
final class GrowingBlob: @unchecked Sendable {
  /// What it will be.
  let file: HubFile
  /// Bytes that an earlier process had left.
  private(set) var found = 0

  private let place: String
  private let growing: String
  private let lock = NSLock()
  private var descriptor: Int32 = -1
  private var hold: Int32 = -1
  private var count = 0
  private var digest: BlobDigest
  private var early: [Int: PieceBuffer] = [:]
  private var isWriting = false

  /// Takes over a file of a repository's folder.
  ///
  /// - Parameters:
  ///   - file: what it will be.
  ///   - folder: the repository's folder; its `blobs` is there.
  ///   - locks: the folder of the locks of the repository; it is there.
  ///   - isCancelled: asked while another process holds the file and while what is there is read.
  ///   - waits: called once where another process holds it.
  /// - Throws: `HubError.file`, `HubError.cancelled`.
  init(
    _ file: HubFile, in folder: URL, locks: URL, isCancelled: () -> Bool, waits: () -> Void
  ) throws(HubError) {
    self.file = file
    place = folder.path + "/blobs/" + file.etag
    growing = place + ".incomplete"
    digest = BlobDigest(of: file)
    let name = locks.path + "/\(file.etag).lock"
    var hasWaited = false
    while hold < 0 {
      let taken = try onDisk { () throws(FileError) in try FileLock.take(name, patience: 0.1) }
      if let taken { hold = taken } else if !hasWaited { waits() }
      hasWaited = true
      if isCancelled() { throw .cancelled }
    }
    if isDone { return }
    descriptor = try onDisk { () throws(FileError) in
      try FileCalls.open(growing, O_RDWR | O_CREAT)
    }
    try readOn(isCancelled)
  }

  deinit { letGo() }

  /// Closes the file and lets others have it; to be called while nobody adds pieces.
  func letGo() {
    lock.withLock {
      if descriptor >= 0 { close(descriptor) }
      if hold >= 0 { close(hold) }
      (descriptor, hold) = (-1, -1)
    }
  }

  /// Whether the file lies in its place with its length: it got its name only after its digest was
  /// compared.
  var isDone: Bool {
    var status = stat()
    return stat(place, &status) == 0 && Int(status.st_size) == file.size
  }

  /// Reads what an earlier process left, whose digest goes on from there.
  private func readOn(_ isCancelled: () -> Bool) throws(HubError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw fault("reading") }
    // A whole one that has no name yet may be damaged; a longer one is.
    guard Int(status.st_size) < file.size else {
      try restart()
      return
    }
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { chunk.deallocate() }
    while count < Int(status.st_size) {
      if isCancelled() { throw .cancelled }
      let result = read(descriptor, chunk.baseAddress, chunk.count)
      if result < 0 && errno == EINTR { continue }
      guard result >= 0 else { throw fault("reading") }
      if result == 0 { break }
      digest.add(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(chunk)[..<result]))
      count += result
    }
    found = count
  }

  /// Bytes that are in the file.
  var written: Int { lock.withLock { count } }

  /// Throws away what is there; to be called while nobody adds pieces.
  ///
  /// - Returns: pieces that waited, whose memory is free again.
  /// - Throws: `HubError.file`.
  @discardableResult
  func restart() throws(HubError) -> [PieceBuffer] {
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw fault("writing")
    }
    defer { early = [:] }
    (count, found, digest) = (0, 0, BlobDigest(of: file))
    return Array(early.values)
  }

  /// Takes a piece over: writes it, and those that waited for it, or lets it wait.
  ///
  /// - Returns: pieces whose memory is free again, and whether all bytes of the file are there now,
  ///   which one caller alone is told.
  /// - Throws: `HubError.file`.
  func add(_ piece: PieceBuffer) throws(HubError) -> (written: [PieceBuffer], isFull: Bool) {
    let isWriter = lock.withLock {
      early[piece.offset] = piece
      defer { isWriting = true }
      return !isWriting
    }
    guard isWriter else { return ([], false) }
    var written: [PieceBuffer] = []
    // One thread writes at a time; others leave their pieces and fetch the next ones.
    while true {
      let (next, isFull) = lock.withLock { takeNext() }
      guard let next else { return (written, isFull) }
      try append(next.bytes)
      written.append(next)
    }
  }

  private func takeNext() -> (piece: PieceBuffer?, isFull: Bool) {
    if let next = early.removeValue(forKey: count) { return (next, false) }
    isWriting = false
    return (nil, count == file.size)
  }

  /// Appends bytes.
  ///
  /// - Throws: `HubError.file`; a full disk is `ENOSPC`.
  func append(_ bytes: UnsafeRawBufferPointer) throws(HubError) {
    try onDisk { () throws(FileError) in
      try FileCalls.write(bytes, to: descriptor, path: growing)
    }
    digest.add(bytes)
    lock.withLock { count += bytes.count }
  }

  /// Compares the digest and gives the file its name.
  ///
  /// - Throws: `HubError.wrongDigest`, after which nothing of it is left; `HubError.file`.
  func finish(named name: String) throws(HubError) {
    let found = digest.text
    guard found == file.etag else {
      unlink(growing)
      throw .wrongDigest(file: name, expected: file.etag, found: found)
    }
    try onDisk { () throws(FileError) in
      try FileCalls.sync(descriptor, path: growing)
      try FileCalls.rename(growing, to: place)
      try FileCalls.syncFolder((place as NSString).deletingLastPathComponent)
    }
  }

  private func fault(_ action: String) -> HubError {
    .file(FileError(path: growing, action: action, code: errno))
  }
}
