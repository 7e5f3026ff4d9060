/// Methods of strings that search, ask and pad.
extension TemplateRenderer {
  func callFurtherMethod(of text: String, _ call: TemplateCall) throws(TokenizerError)
    -> RuntimeValue?
  {
    let scalars = text.unicodeScalars
    switch call.name {
    case "find", "rfind", "index", "rindex":
      let found = try offset(in: text, call, last: call.name.hasPrefix("r"))
      if found == nil, call.name.hasSuffix("index") { throw call.failed("substring not found") }
      return .integer(found ?? -1)
    case "count":
      let (_, part) = try window(text, call)
      let wanted = try call.string(0, "sub")
      guard !wanted.isEmpty else { return .integer(part.unicodeScalars.count + 1) }
      try meter.charge(bytes: part.utf8.count, times: wanted.utf8.count / 16 + 1)
      return .integer(PythonText.split(part, by: wanted).count - 1)
    case "rsplit": return try splitFromEnd(text, call)
    case "partition", "rpartition":
      let separator = try call.string(0, "sep")
      if separator.isEmpty { throw call.failed("the separator is empty") }
      try meter.charge(bytes: text.utf8.count, times: separator.utf8.count / 16 + 1)
      let parts = PythonText.split(text, by: separator)
      let isLast = call.name == "rpartition"
      let texts: [String]
      if parts.count == 1 {
        texts = isLast ? ["", "", text] : [text, "", ""]
      } else if isLast {
        texts = [parts.dropLast().joined(separator: separator), separator, parts.last ?? ""]
      } else {
        texts = [parts[0], separator, parts.dropFirst().joined(separator: separator)]
      }
      return try tuple(texts.map { .string($0) }, line: call.line)
    case "center", "ljust", "rjust", "zfill": return try padded(text, call)
    case "format": return .string(try PythonFields.format(text, call, self))
    case "swapcase":
      return .string(
        String(
          text.map { $0.isUppercase ? $0.lowercased() : $0.uppercased() }.joined()))
    case "casefold": return .string(text.uppercased().lowercased())
    case "expandtabs":
      let size = try call.integer(0, "tabsize", default: 8)
      try meter.charge(bytes: text.utf8.count, times: max(size, 0))
      return .string(PythonText.withTabs(text, size: size))
    case "isdigit", "isdecimal":
      return .bool(!text.isEmpty && scalars.allSatisfy { $0.properties.numericType == .decimal })
    case "isnumeric":
      return .bool(!text.isEmpty && scalars.allSatisfy { $0.properties.numericType != nil })
    case "isalpha": return .bool(!text.isEmpty && scalars.allSatisfy(Self.isLetter))
    case "isalnum":
      return .bool(
        !text.isEmpty
          && scalars.allSatisfy { Self.isLetter($0) || $0.properties.numericType != nil })
    case "isspace": return .bool(!text.isEmpty && scalars.allSatisfy(PythonText.isSpace))
    case "isupper":
      return .bool(scalars.contains { $0.properties.isCased } && text == text.uppercased())
    case "islower":
      return .bool(scalars.contains { $0.properties.isCased } && text == text.lowercased())
    case "istitle":
      return .bool(
        scalars.contains { $0.properties.isCased }
          && text == PythonText.titled(text, apostropheEndsWord: true))
    case "isascii": return .bool(scalars.allSatisfy(\.isASCII))
    default: return nil
    }
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  /// The part of a text between the positions `start` and `end` of a call, and where it begins.
  private func window(_ text: String, _ call: TemplateCall) throws(TokenizerError)
    -> (start: Int, text: String)
  {
    guard call.argument(1, "start") != nil else { return (0, text) }
    let scalars = Array(text.unicodeScalars)
    func position(_ value: Int) -> Int {
      min(max(value < 0 ? value + scalars.count : value, 0), scalars.count)
    }
    let start = position(try call.integer(1, "start", default: 0))
    let end = position(try call.integer(2, "end", default: scalars.count))
    return (start, String(String.UnicodeScalarView(scalars[start..<max(start, end)])))
  }

  private func offset(in text: String, _ call: TemplateCall, last: Bool) throws(TokenizerError)
    -> Int?
  {
    let part = try call.string(0, "sub")
    let (start, searched) = try window(text, call)
    try meter.charge(bytes: searched.utf8.count, times: part.utf8.count / 16 + 1)
    func characters(_ bytes: Int) -> Int {
      String(decoding: searched.utf8.prefix(bytes), as: UTF8.self).unicodeScalars.count
    }
    if last {
      if part.isEmpty { return start + searched.unicodeScalars.count }
      let parts = PythonText.split(searched, by: part)
      guard parts.count > 1 else { return nil }
      return start
        + characters(
          searched.utf8.count - (parts.last?.utf8.count ?? 0) - part.utf8.count)
    }
    return PythonText.firstOffset(of: part, in: searched).map { start + characters($0) }
  }

  private func splitFromEnd(_ text: String, _ call: TemplateCall) throws(TokenizerError)
    -> RuntimeValue
  {
    let limit = try call.integer(1, "maxsplit", default: -1)
    var parts: [String]
    let separator = try call.optionalString(0, "sep")
    if let separator {
      if separator.isEmpty { throw call.failed("the separator is empty") }
      try meter.charge(bytes: text.utf8.count, times: separator.utf8.count / 16 + 1)
      parts = PythonText.split(text, by: separator)
      if limit >= 0, parts.count > limit + 1 {
        let head = parts.dropLast(limit).joined(separator: separator)
        parts = [head] + parts.suffix(limit)
      }
    } else {
      var rest = Array(PythonText.strip(text, nil).unicodeScalars)[...]
      parts = []
      while !rest.isEmpty, limit < 0 || parts.count < limit,
        let space = rest.lastIndex(where: PythonText.isSpace)
      {
        parts.insert(String(String.UnicodeScalarView(rest[(space + 1)...])), at: 0)
        rest = rest[..<space]
        while let last = rest.last, PythonText.isSpace(last) { rest.removeLast() }
      }
      if !rest.isEmpty { parts.insert(String(String.UnicodeScalarView(rest)), at: 0) }
    }
    return try list(parts.map { .string($0) }, line: call.line)
  }

  private func padded(_ text: String, _ call: TemplateCall) throws(TokenizerError)
    -> RuntimeValue
  {
    let width = try call.integer(0, "width", default: 0)
    try meter.charge(bytes: max(width, 0))
    let fill = try call.optionalString(1, "fillchar") ?? " "
    guard fill.unicodeScalars.count == 1, let character = fill.first else {
      throw call.failed("needs one character to fill with")
    }
    let space = max(width - text.unicodeScalars.count, 0)
    switch call.name {
    case "ljust": return .string(text + String(repeating: character, count: space))
    case "rjust": return .string(String(repeating: character, count: space) + text)
    case "zfill":
      let hasSign = text.hasPrefix("-") || text.hasPrefix("+")
      let zeros = String(repeating: "0", count: space)
      return .string(hasSign ? text.prefix(1) + zeros + text.dropFirst() : zeros + text)
    default: return .string(PythonText.centered(text, width: width, fill: character))
    }
  }
}
