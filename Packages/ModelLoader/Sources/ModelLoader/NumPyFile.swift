import Foundation
import SystemCalls

/// A matrix of F32 as a NumPy array file (`.npy`, format 1.0), written row by row; it appears under
/// its name when it is complete.
public struct NumPyFile {
  private let file: AtomicFile

  /// Starts a matrix `[rows, columns]`.
  ///
  /// - Throws: `FileError` for what cannot be written.
  public init(_ path: String, rows: Int, columns: Int) throws(FileError) {
    file = try AtomicFile(path)
    try file.write(Self.header(rows: rows, columns: columns))
  }

  /// Appends rows, one behind the other.
  ///
  /// - Throws: `FileError`; a full disk is `ENOSPC`.
  public func append(_ values: [Float]) throws(FileError) {
    try file.write(values.withUnsafeBytes { Data($0) })
  }

  /// Gives the file its name; all rows have been appended.
  ///
  /// - Throws: `FileError`.
  public func finish() throws(FileError) { try file.finish() }

  /// Magic, version, length of the rest, a Python dictionary padded to a multiple of 64 bytes.
  private static func header(rows: Int, columns: Int) -> Data {
    var text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
    while (10 + text.utf8.count + 1) % 64 != 0 { text += " " }
    text += "\n"
    var data = Data([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0])
    data.append(contentsOf: [UInt8(text.utf8.count & 255), UInt8(text.utf8.count >> 8)])
    data.append(Data(text.utf8))
    return data
  }
}
