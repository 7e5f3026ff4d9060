import Foundation

/// The calls by which files are changed: interrupted ones are repeated, and each is a place where
/// `FaultInjection` may strike.
public enum FileCalls {
  /// Opens a file.
  ///
  /// - Returns: its descriptor, closed when another program is started.
  /// - Throws: `FileError`.
  public static func open(
    _ path: String, _ flags: Int32, mode: mode_t = 0o644, action: String = "opening"
  ) throws(FileError) -> Int32 {
    if FaultInjection.strikes(.open) { throw FileError(path: path, action: action, code: EACCES) }
    while true {
      let descriptor = Foundation.open(path, flags | O_CLOEXEC, mode)
      if descriptor >= 0 { return descriptor }
      guard errno == EINTR else { throw FileError(path: path, action: action, code: errno) }
    }
  }

  /// Writes all of `bytes`.
  ///
  /// - Throws: `FileError`; a full disk is `ENOSPC`, a file-size limit `EFBIG`.
  public static func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
  ) throws(FileError) {
    if FaultInjection.strikes(.write) {
      throw FileError(path: path, action: "writing", code: ENOSPC)
    }
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let result = Foundation.write(descriptor, rest.baseAddress, rest.count)
      if result < 0 {
        guard errno == EINTR else { throw FileError(path: path, action: "writing", code: errno) }
      } else {
        done += result
      }
    }
  }

  /// Waits until everything written is on the disk.
  ///
  /// - Throws: `FileError`: a disk may report only now that it is full.
  public static func sync(_ descriptor: Int32, path: String) throws(FileError) {
    if FaultInjection.strikes(.sync) { throw FileError(path: path, action: "saving", code: EIO) }
    while fsync(descriptor) != 0 {
      guard errno == EINTR else { throw FileError(path: path, action: "saving", code: errno) }
    }
  }

  /// Gives a file or folder another name, replacing a file that has it.
  ///
  /// - Throws: `FileError`.
  public static func rename(_ from: String, to: String) throws(FileError) {
    if FaultInjection.strikes(.rename) { throw FileError(path: to, action: "renaming", code: EIO) }
    guard Foundation.rename(from, to) == 0 else {
      throw FileError(path: to, action: "renaming", code: errno)
    }
  }

  /// Makes the names in a folder durable.
  ///
  /// - Throws: `FileError`.
  public static func syncFolder(_ path: String) throws(FileError) {
    let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
    defer { close(descriptor) }
    try sync(descriptor, path: path)
  }

  /// Makes a folder, and those that it lies in where they are missing.
  ///
  /// - Throws: `FileError`; one that is there already is none.
  public static func makeFolder(_ path: String) throws(FileError) {
    if FaultInjection.strikes(.open) {
      throw FileError(path: path, action: "creating", code: EACCES)
    }
    try make(path)
  }

  /// Whether a path names something, be it a link that leads nowhere: where a file that is absent has a default, one
  /// that is damaged has none.
  public static func isNamed(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  private static func make(_ path: String) throws(FileError) {
    var code = mkdir(path, 0o777) == 0 ? 0 : errno
    let parent = (path as NSString).deletingLastPathComponent
    if code == ENOENT, !parent.isEmpty, parent != path {
      try make(parent)
      code = mkdir(path, 0o777) == 0 ? 0 : errno
    }
    guard code != 0 else { return }
    var isFolder: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard isThere, isFolder.boolValue else {
      throw FileError(path: path, action: "creating", code: code)
    }
  }
}
