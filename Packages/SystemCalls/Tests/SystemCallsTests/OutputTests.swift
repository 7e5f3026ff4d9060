import Foundation
import Testing

@testable import SystemCalls

/// Files appear whole or not at all, and nothing but a regular file is ever replaced.
@Suite struct OutputTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appendingPathComponent("systemcalls-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
  }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
  private func text(_ name: String) throws -> String {
    try TextFile.contents(of: path(name), atMost: 1 << 20)
  }
  private var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
  }

  @Test func appearsWhenComplete() throws {
    try AtomicFile.write(Data("old".utf8), to: path("a"))
    do {
      let file = try AtomicFile(path("a"))
      try file.write(Data("new".utf8))
      #expect(try text("a") == "old")
      #expect(try names.count == 2)
    }
    #expect(try names == ["a"])
    try AtomicFile.write(Data("new".utf8), to: path("a"))
    #expect(try text("a") == "new")
    try FileManager.default.removeItem(at: folder)
  }

  /// A killed process leaves what it was writing; who writes at the same time, and files of other names, keep theirs.
  @Test func whatKilledRunsLeftIsRemoved() throws {
    let others = [".a.b.12-1.partial", ".a.12-1.part", ".a.x-1.partial", "a.12-1.partial"]
    for name in [".a.12-1.partial", ".a.123456-78.partial"] + others {
      try Data("half".utf8).write(to: URL(fileURLWithPath: path(name)))
    }
    try FileManager.default.createSymbolicLink(
      atPath: path(".a.7-7.partial"), withDestinationPath: "a.12-1.partial")
    let first = try AtomicFile(path("a"))
    let second = try AtomicFile(path("a"))
    try first.write(Data("first".utf8))
    try second.write(Data("second".utf8))
    try first.finish()
    #expect(try text("a") == "first")
    try second.finish()
    #expect(try text("a") == "second")
    #expect(try names == (others + ["a", ".a.7-7.partial"]).sorted())
    try FileManager.default.removeItem(at: folder)
  }

  /// Bytes, and no name that anything could leave behind.
  @Test func aNamelessFileIsInNoFolder() throws {
    let file = try NamelessFile(in: folder.path, holding: Data("one two".utf8))
    #expect(try names == [])
    var bytes = [UInt8](repeating: 0, count: 3)
    #expect(read(file.descriptor, &bytes, 3) == 3 && bytes == Array("one".utf8))
    #expect(write(file.descriptor, "-1234567", 8) == 8)
    #expect(file.count == 11)
    #expect(try file.contents(atMost: 100) == Data("one-1234567".utf8))
    #expect(try file.contents(atMost: 4) == Data("one-".utf8))
    try FileManager.default.removeItem(at: folder)
    #expect(throws: FileError.self) { try NamelessFile(in: folder.path) }
  }

  @Test func aLinkStaysAndItsTargetChanges() throws {
    try AtomicFile.write(Data("old".utf8), to: path("target"))
    try FileManager.default.createSymbolicLink(
      atPath: path("link"), withDestinationPath: "target")
    try FileManager.default.createSymbolicLink(
      atPath: path("dangling"), withDestinationPath: "later")
    try AtomicFile.write(Data("new".utf8), to: path("link"))
    try AtomicFile.write(Data("made".utf8), to: path("dangling"))
    #expect(try text("target") == "new")
    #expect(try text("later") == "made")
    for link in ["link", "dangling"] {
      let kind = try FileManager.default.attributesOfItem(atPath: path(link))[.type]
      #expect(kind as? FileAttributeType == .typeSymbolicLink)
    }
    try FileManager.default.removeItem(at: folder)
  }

  /// Of devices a character device with the numbers of `/dev/full` and one of a disk, made here.
  @Test func aNodeIsNeverReplaced() throws {
    #expect(mkfifo(path("pipe"), 0o600) == 0)
    #expect(throws: FileError.self) { try AtomicFile.write(Data("x".utf8), to: path("pipe")) }
    let reader = open(path("pipe"), O_RDONLY | O_NONBLOCK)
    try AtomicFile.write(Data("through".utf8), to: path("pipe"))
    var bytes = [UInt8](repeating: 0, count: 16)
    #expect(read(reader, &bytes, 16) == 7)
    close(reader)
    #expect(throws: FileError.self) { try RegularFile(path("pipe")) }
    #expect(throws: FileError.self) { try FileLock.take(path("pipe")) }
    #expect(try names == ["pipe"])
    #if os(Linux)
      // Only the superuser may make devices.
      if mknod(path("full"), S_IFCHR | 0o600, dev_t(1 << 8 | 7)) == 0,
        mknod(path("disk"), S_IFBLK | 0o600, dev_t(0)) == 0
      {
        let file = open(path("full"), O_WRONLY)
        if file >= 0 {
          close(file)
          #expect(throws: FileError.self) { try AtomicFile.write(Data("x".utf8), to: path("full")) }
        }
        #expect(throws: FileError.self) { try AtomicFile.write(Data("x".utf8), to: path("disk")) }
        var status = stat()
        #expect(lstat(path("full"), &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
        #expect(lstat(path("disk"), &status) == 0 && status.st_mode & S_IFMT == S_IFBLK)
        #expect(try names == ["disk", "full", "pipe"])
      }
    #endif
    try FileManager.default.removeItem(at: folder)
  }

  @Test func textsAreUTF8() throws {
    #expect(try TextFile.text([0xEF, 0xBB, 0xBF, 0x61], of: "f") == "a")
    #expect(try TextFile.text([], of: "f") == "")
    let broken: [UInt8] = [0x61, 0xC3, 0xA9, 0xC3, 0x28]
    #expect(
      throws: FileError(path: "f", action: "reading", reason: "the byte at offset 3 is no UTF-8")
    ) { try TextFile.text(broken, of: "f") }
    #expect(TextFile.firstInvalid(in: [0xED, 0xA0, 0x80]) == 0)
    try FileManager.default.removeItem(at: folder)
  }

  @Test func aLockIsHeldOnce() throws {
    let first = try #require(try FileLock.take(path("lock")))
    #expect(try FileLock.take(path("lock"), patience: 0) == nil)
    close(first)
    let second = try #require(try FileLock.take(path("lock"), patience: 0))
    close(second)
    try FileManager.default.removeItem(at: folder)
  }

  @Test func memoryLimits() {
    #expect(MemoryLimits([(.machine, 7), (.addressSpace, 5), (.controlGroup, nil)]).bytes == 5)
    #expect(MemoryLimits([(.machine, 7), (.addressSpace, -5)]).bytes == 0)
    #expect(MemoryLimits([(.machine, 7), (.controlGroup, 3)]).bound == .controlGroup)
    #expect(MemoryLimits.now().bytes > 0)
  }
}
