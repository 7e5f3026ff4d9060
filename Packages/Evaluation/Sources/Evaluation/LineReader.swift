import Foundation
import SystemCalls

/// Reads a file line by line in bounded memory.
///
/// A line ends with LF; the end of file may end the last one. Bytes are given as they are.
struct LineReader: ~Copyable {
  /// One line without its line feed.
  struct Line {
    /// Counted from 1.
    let number: Int
    /// Where the line begins in the file, in bytes.
    let offset: UInt64
    /// The bytes before the line feed.
    let bytes: Data
    /// Whether a line feed follows.
    let isTerminated: Bool
  }

  /// Longer lines are refused, so that a file that is no text cannot fill the memory.
  static let longestLine = 64 << 20

  private let file: RegularFile?
  private let path: String
  private var buffer = Data()
  private var bufferOffset: UInt64 = 0
  private var number = 0
  private var atEnd = false

  /// Opens a file.
  init(_ url: URL) throws(EvaluationError) {
    path = url.path
    file = try EvaluationError.wrapping { () throws(FileError) in try RegularFile(url.path) }
  }

  /// Reads lines of bytes that are in memory; `path` is what messages call them.
  init(_ bytes: Data, path: String) {
    self.path = path
    file = nil
    buffer = bytes
    atEnd = true
  }

  /// The next line, or nil at the end.
  mutating func next() throws(EvaluationError) -> Line? {
    var searched = buffer.startIndex
    while true {
      let distance = buffer[searched...].withUnsafeBytes { bytes -> Int? in
        guard let start = bytes.baseAddress else { return nil }
        return memchr(start, 10, bytes.count).map { UnsafeRawPointer($0) - start }
      }
      if let distance { return take(upTo: searched + distance, terminated: true) }
      searched = buffer.endIndex
      if atEnd {
        return buffer.isEmpty ? nil : take(upTo: buffer.endIndex, terminated: false)
      }
      guard buffer.count < Self.longestLine else {
        throw .dataRow(
          file: path, line: number + 1, reason: "is longer than \(Self.longestLine) bytes")
      }
      let searchedCount = searched - buffer.startIndex
      try fill()
      searched = buffer.startIndex + searchedCount
    }
  }

  private mutating func take(upTo end: Data.Index, terminated: Bool) -> Line {
    number += 1
    let bytes = Data(buffer[buffer.startIndex..<end])
    let line = Line(number: number, offset: bufferOffset, bytes: bytes, isTerminated: terminated)
    let consumed = bytes.count + (terminated ? 1 : 0)
    buffer = buffer.dropFirst(consumed)
    bufferOffset += UInt64(consumed)
    return line
  }

  private mutating func fill() throws(EvaluationError) {
    let file = file
    let chunk = try EvaluationError.wrapping { () throws(FileError) in
      try file?.read(upTo: 1 << 20) ?? Data()
    }
    if !chunk.isEmpty {
      if buffer.startIndex > 0 { buffer = Data(buffer) }
      buffer.append(chunk)
    } else {
      atEnd = true
    }
  }
}
