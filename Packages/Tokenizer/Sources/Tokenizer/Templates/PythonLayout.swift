import Foundation

/// Layout of text as Python and MarkupSafe do it.
extension PythonText {
  /// `str.center(width)`
  static func centered(_ text: String, width: Int, fill: Character = " ") -> String {
    let space = width - text.unicodeScalars.count
    if space <= 0 { return text }
    let left = space / 2 + (space & width & 1)
    return String(repeating: fill, count: left) + text
      + String(repeating: fill, count: space - left)
  }

  /// `str.expandtabs(size)`
  static func withTabs(_ text: String, size: Int) -> String {
    var result = ""
    var column = 0
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\t" where size > 0:
        result += String(repeating: " ", count: size - column % size)
        column += size - column % size
      case "\t": break
      default:
        result.unicodeScalars.append(scalar)
        column = scalar == "\n" || scalar == "\r" ? 0 : column + 1
      }
    }
    return result
  }

  /// With the marks of HTML escaped.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&#34;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Without tags and comments, white space made single blanks, entities of escaping undone.
  static func withoutTags(_ text: String) -> String {
    var rest = text[...]
    var plain = ""
    while let open = rest.firstIndex(of: "<") {
      plain += rest[..<open]
      let isComment = rest[open...].hasPrefix("<!--")
      guard
        let end = isComment
          ? rest[open...].range(of: "-->")?.upperBound
          : rest[open...].firstIndex(of: ">").map({ rest.index(after: $0) })
      else {
        plain += rest[open...]
        rest = ""
        break
      }
      rest = rest[end...]
    }
    plain += rest
    let words = plain.unicodeScalars.split(whereSeparator: isSpace).map { String($0) }
    return words.joined(separator: " ").replacing("&lt;", with: "<").replacing("&gt;", with: ">")
      .replacing("&#34;", with: "\"").replacing("&#39;", with: "'").replacing("&amp;", with: "&")
  }

  /// Percent-encoded UTF-8, letters, digits and `_.-~` kept.
  static func percentEncoded(
    _ text: String, keeping kept: String = "", spaceIsPlus: Bool = false
  ) -> String {
    var result = ""
    for byte in text.utf8 {
      let scalar = Unicode.Scalar(byte)
      let isPlain =
        byte < 0x80 && (scalar.properties.isAlphabetic || "0"..."9" ~= scalar)
        || "_.-~".utf8.contains(byte) || kept.utf8.contains(byte)
      if isPlain {
        result.unicodeScalars.append(scalar)
      } else if spaceIsPlus, byte == 0x20 {
        result += "+"
      } else {
        result += "%" + hexadecimal(UInt32(byte), digits: 2).uppercased()
      }
    }
    return result
  }

  /// A line cut at blanks (and behind hyphens) into lines of at most `width` characters, as
  /// `textwrap.wrap` of Python does without expanding or replacing white space.
  static func wrapped(
    _ line: String, width: Int, breaksWords: Bool, breaksHyphens: Bool
  ) -> [String] {
    var lines: [String] = []
    var current = ""
    func flush() {
      let text = strip(current, nil, left: false)
      if !text.isEmpty { lines.append(text) }
      current = ""
    }
    for var chunk in chunks(of: line, breaksHyphens: breaksHyphens)[...] {
      if current.unicodeScalars.count + chunk.unicodeScalars.count > width {
        if isBlank(chunk) {
          flush()
          continue
        }
        if breaksWords, chunk.unicodeScalars.count > width {
          while current.unicodeScalars.count + chunk.unicodeScalars.count > width {
            let room = max(width - current.unicodeScalars.count, 0)
            current += String(chunk.unicodeScalars.prefix(room))
            chunk = String(chunk.unicodeScalars.dropFirst(room))
            flush()
          }
        } else {
          flush()
        }
      }
      if current.isEmpty, isBlank(chunk), !lines.isEmpty { continue }
      current += chunk
    }
    flush()
    return lines
  }

  private static func isBlank(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(isSpace) }

  /// Words and the white space between them, in turn; words end behind hyphens between letters.
  private static func chunks(of line: String, breaksHyphens: Bool) -> [String] {
    var chunks: [String] = []
    var current = String.UnicodeScalarView()
    let scalars = Array(line.unicodeScalars)
    for (index, scalar) in scalars.enumerated() {
      if let last = current.last, isSpace(last) != isSpace(scalar) {
        chunks.append(String(current))
        current = String.UnicodeScalarView()
      }
      current.append(scalar)
      let isHyphen =
        breaksHyphens && scalar == "-" && index >= 2 && index + 1 < scalars.count
        && scalars[index - 1].properties.isAlphabetic && scalars[index + 1].properties.isAlphabetic
      if isHyphen {
        chunks.append(String(current))
        current = String.UnicodeScalarView()
      }
    }
    if !current.isEmpty { chunks.append(String(current)) }
    return chunks
  }
}
