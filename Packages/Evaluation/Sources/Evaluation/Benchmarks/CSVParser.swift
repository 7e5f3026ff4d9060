/// Splits comma-separated values as RFC 4180 describes: fields may be quoted, quotes are doubled
/// within them, and a quoted field may hold line ends.
enum CSVParser {
  /// One record and the line it begins on, from 1.
  struct Record: Equatable {
    let line: Int
    let fields: [String]
  }

  /// The records of a text; blank lines are skipped.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - file: The name for errors.
  /// - Returns: The records in order, a header line among them.
  /// - Throws: ``EvaluationError/dataRow(file:line:reason:)`` for a quote that is never closed or
  ///   is followed by text.
  static func records(of text: String, file: String) throws(EvaluationError) -> [Record] {
    let bytes = Array(text.utf8)
    var records: [Record] = []
    var fields: [String] = []
    var (position, line, recordLine) = (0, 1, 1)
    while position < bytes.count {
      fields.append(try field(of: bytes, at: &position, line: &line, file: file))
      let separator = position < bytes.count ? bytes[position] : UInt8(ascii: "\n")
      position += 1
      if separator == UInt8(ascii: ",") {
        if position == bytes.count { fields.append("") }
        if position < bytes.count { continue }
      } else if separator == UInt8(ascii: "\r"), position < bytes.count,
        bytes[position] == UInt8(ascii: "\n")
      {
        position += 1
      }
      if fields != [""] { records.append(Record(line: recordLine, fields: fields)) }
      fields = []
      line += 1
      recordLine = line
    }
    return records
  }

  /// One field; `position` moves to the separator behind it.
  private static func field(
    of bytes: [UInt8], at position: inout Int, line: inout Int, file: String
  ) throws(EvaluationError) -> String {
    let isEnd: (UInt8) -> Bool = { ",\r\n".utf8.contains($0) }
    guard bytes[position] == UInt8(ascii: "\"") else {
      let end = bytes[position...].firstIndex(where: isEnd) ?? bytes.count
      defer { position = end }
      return String(decoding: bytes[position..<end], as: UTF8.self)
    }
    let firstLine = line
    var value: [UInt8] = []
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") {
        if position < bytes.count, bytes[position] == byte {
          position += 1
        } else if position == bytes.count || isEnd(bytes[position]) {
          return String(decoding: value, as: UTF8.self)
        } else {
          throw .dataRow(file: file, line: line, reason: "has text after a closing quote")
        }
      }
      if byte == UInt8(ascii: "\n") { line += 1 }
      value.append(byte)
    }
    throw .dataRow(file: file, line: firstLine, reason: "has a quote that is never closed")
  }
}
