/// Text operations as Python's `str` and `json` do them, on code points.
enum PythonText {
  /// `str(value)`
  static func string(_ value: RuntimeValue, _ meter: inout TemplateMeter) throws(TokenizerError)
    -> String
  {
    switch value {
    case .undefined: return ""
    case .string(let text): return text
    default:
      var result = ""
      try represent(value, &meter, into: &result)
      return result
    }
  }

  /// `repr(value)`
  static func representation(_ value: RuntimeValue, _ meter: inout TemplateMeter)
    throws(TokenizerError) -> String
  {
    var result = ""
    try represent(value, &meter, into: &result)
    return result
  }

  private static func represent(
    _ value: RuntimeValue, _ meter: inout TemplateMeter, into result: inout String
  ) throws(TokenizerError) {
    try meter.charge()
    switch value {
    case .undefined: result += "Undefined"
    case .none: result += "None"
    case .bool(let bool): result += bool ? "True" : "False"
    case .integer(let integer): result += String(integer)
    case .number(let number): result += self.number(number)
    case .string(let text):
      try meter.charge(bytes: text.utf8.count)
      quote(text, into: &result)
    case .list(let list):
      result += list.isTuple ? "(" : "["
      for (index, element) in list.elements.enumerated() {
        if index > 0 { result += ", " }
        try represent(element, &meter, into: &result)
      }
      if list.isTuple { result += list.elements.count == 1 ? ",)" : ")" } else { result += "]" }
    case .dictionary(let dictionary):
      result += "{"
      for (index, member) in dictionary.members.members.enumerated() {
        if index > 0 { result += ", " }
        try represent(DictionaryKey.value(of: member.0), &meter, into: &result)
        result += ": "
        try represent(member.1, &meter, into: &result)
      }
      result += "}"
    case .namespace, .loop, .macro, .function: result += "<\(value.typeName)>"
    }
  }

  private static func quote(_ text: String, into result: inout String) {
    let scalars = text.unicodeScalars
    let mark: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
    result.unicodeScalars.append(mark)
    for scalar in scalars {
      switch scalar {
      case mark, "\\":
        result += "\\"
        result.unicodeScalars.append(scalar)
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7F {
          result += "\\x" + hexadecimal(scalar.value, digits: 2)
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    result.unicodeScalars.append(mark)
  }

  static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(digits - text.count, 0)) + text
  }

  /// `repr` of a float: the shortest digits that read back, with an exponent below 1e-4 and from
  /// 1e16 on.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    let sign = value.sign == .minus ? "-" : ""
    var (digits, exponent) = shortestDigits(value.magnitude)
    guard -4..<16 ~= exponent else {
      let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
      let power = String(exponent.magnitude)
      return sign + digits.prefix(1) + fraction + (exponent < 0 ? "e-" : "e+")
        + (power.count < 2 ? "0" : "") + power
    }
    if exponent < 0 {
      return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits
    }
    if digits.count < exponent + 2 {
      digits += String(repeating: "0", count: exponent + 2 - digits.count)
    }
    let point = digits.index(digits.startIndex, offsetBy: exponent + 1)
    return sign + digits[..<point] + "." + digits[point...]
  }

  /// The significant digits, and the power of ten of the first.
  private static func shortestDigits(_ value: Double) -> (digits: String, exponent: Int) {
    let parts = value.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let whole = mantissa[0]
    let fraction = mantissa.count > 1 ? mantissa[1] : ""
    var exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + whole.count - 1
    var digits = String(whole + fraction)
    let zeros = digits.prefix { $0 == "0" }.count
    if zeros == digits.count { return ("0", 0) }
    digits.removeFirst(zeros)
    exponent -= zeros
    while digits.count > 1, digits.last == "0" { digits.removeLast() }
    return (digits, exponent)
  }

  // MARK: Searching

  /// The byte offset of the first `part` in `text` from `start` on, or nil.
  static func firstOffset(of part: String, in text: String, from start: Int = 0) -> Int? {
    var (text, part) = (text, part)
    return text.withUTF8 { text in
      part.withUTF8 { part in firstOffset(of: part, in: text, from: start) }
    }
  }

  static func firstOffset(
    of part: UnsafeBufferPointer<UInt8>, in text: UnsafeBufferPointer<UInt8>, from start: Int
  ) -> Int? {
    guard let first = part.first else { return start <= text.count ? start : nil }
    var position = start
    while position + part.count <= text.count {
      if text[position] == first {
        var length = 1
        while length < part.count, text[position + length] == part[length] { length += 1 }
        if length == part.count { return position }
      }
      position += 1
    }
    return nil
  }

  /// The text between the occurrences of `separator`, which is not empty.
  static func split(_ text: String, by separator: String, limit: Int = .max) -> [String] {
    var (text, separator) = (text, separator)
    return text.withUTF8 { text in
      separator.withUTF8 { separator in
        var parts: [String] = []
        var start = 0
        while parts.count < limit,
          let found = firstOffset(of: separator, in: text, from: start)
        {
          parts.append(String(decoding: text[start..<found], as: UTF8.self))
          start = found + separator.count
        }
        parts.append(String(decoding: text[start...], as: UTF8.self))
        return parts
      }
    }
  }

  /// The lines of `text` without their line breaks (`\n`, `\r` or both), or with them.
  static func lines(_ text: String, keepingEnds: Bool = false) -> [String] {
    var lines: [String] = []
    var line = String.UnicodeScalarView()
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      defer { previous = scalar }
      if scalar == "\n", previous == "\r" {
        if keepingEnds { lines[lines.count - 1].unicodeScalars.append(scalar) }
        continue
      }
      if scalar == "\n" || scalar == "\r" {
        if keepingEnds { line.append(scalar) }
        lines.append(String(line))
        line.removeAll(keepingCapacity: true)
      } else {
        line.append(scalar)
      }
    }
    if !line.isEmpty { lines.append(String(line)) }
    return lines
  }

  // MARK: Stripping

  /// `text` without the scalars of `characters` (white space when nil) at its ends.
  static func strip(_ text: String, _ characters: String?, left: Bool = true, right: Bool = true)
    -> String
  {
    let set = characters.map { Set($0.unicodeScalars) }
    func isStripped(_ scalar: Unicode.Scalar) -> Bool {
      set?.contains(scalar) ?? isSpace(scalar)
    }
    var scalars = Substring(text).unicodeScalars
    if left { scalars = scalars.drop(while: isStripped) }
    if right {
      let end = scalars.lastIndex { !isStripped($0) }
      scalars = end.map { scalars[...$0] } ?? scalars.prefix(0)
    }
    return String(scalars)
  }

  /// `str.isspace`: white space and the four separators U+001C to U+001F.
  static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || 0x1C...0x1F ~= scalar.value
  }
}

extension PythonText {
  // MARK: Case and order

  /// The first character in upper case, the rest in lower case.
  static func capitalized(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst().lowercased()
  }

  /// The first letter of every word in upper case. An apostrophe ends a word for `str.title`, not
  /// for Jinja's filter.
  static func titled(_ text: String, apostropheEndsWord: Bool) -> String {
    var result = ""
    var isInWord = false
    for scalar in text.unicodeScalars {
      let letter = String(scalar)
      result += isInWord ? letter.lowercased() : letter.uppercased()
      isInWord = scalar.properties.isAlphabetic || scalar == "'" && !apostropheEndsWord
    }
    return result
  }

  /// The positions of `keys` in increasing order, equal ones in the order they came (merge sort,
  /// because the comparison can throw).
  static func stableOrder(
    _ keys: [RuntimeValue],
    _ isLess: (RuntimeValue, RuntimeValue) throws(TokenizerError) -> Bool
  ) throws(TokenizerError) -> [Int] {
    var order = Array(keys.indices)
    var width = 1
    while width < order.count {
      var merged: [Int] = []
      merged.reserveCapacity(order.count)
      for start in stride(from: 0, to: order.count, by: 2 * width) {
        var left = start
        let middle = min(start + width, order.count)
        var right = middle
        let end = min(start + 2 * width, order.count)
        while left < middle || right < end {
          var takesRight = left == middle
          if !takesRight, right < end {
            takesRight = try isLess(keys[order[right]], keys[order[left]])
          }
          merged.append(order[takesRight ? right : left])
          if takesRight { right += 1 } else { left += 1 }
        }
      }
      order = merged
      width *= 2
    }
    return order
  }
}
