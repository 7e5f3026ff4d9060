import JSON

/// The filters (`value | name(arguments)`).
extension TemplateRenderer {
  typealias Filter =
    @Sendable (TemplateRenderer, RuntimeValue, TemplateCall) throws(TokenizerError) -> RuntimeValue

  func apply(filter name: String, to value: RuntimeValue, _ arguments: TemplateArguments, line: Int)
    throws(TokenizerError) -> RuntimeValue
  {
    let call = try evaluate(arguments, name: name, line: line)
    return try apply(filter: name, to: value, call)
  }

  private func apply(filter name: String, to value: RuntimeValue, _ call: TemplateCall)
    throws(TokenizerError) -> RuntimeValue
  {
    guard let filter = Self.filters[name] else {
      throw .templateFailed(line: call.line, reason: "no filter is named '\(name)'")
    }
    try TemplateParameters.check(call)
    return try filter(self, value, call)
  }

  /// Whether there is a filter of this name.
  static func isFilter(_ name: String) -> Bool { filters[name] != nil }

  private static let filters: [String: Filter] =
    [textFilters, layoutFilters, listFilters, groupingFilters, valueFilters]
    .reduce(into: [:]) { $0.merge($1) { own, _ in own } }

  // MARK: Text

  private static let textFilters: [String: Filter] = [
    "trim": { (renderer, value, call) throws(TokenizerError) in
      let text = try renderer.meteredText(value, call)
      return .string(PythonText.strip(text, try call.optionalString(0, "chars")))
    },
    "upper": { (renderer, value, call) throws(TokenizerError) in
      .string(try renderer.meteredText(value, call).uppercased())
    },
    "lower": { (renderer, value, call) throws(TokenizerError) in
      .string(try renderer.meteredText(value, call).lowercased())
    },
    "capitalize": { (renderer, value, call) throws(TokenizerError) in
      .string(PythonText.capitalized(try renderer.meteredText(value, call)))
    },
    "title": { (renderer, value, call) throws(TokenizerError) in
      .string(
        PythonText.titled(try renderer.meteredText(value, call), apostropheEndsWord: false))
    },
    "string": { (renderer, value, call) throws(TokenizerError) in
      .string(try renderer.meteredText(value, call))
    },
    "safe": { (renderer, value, call) throws(TokenizerError) in
      .string(try renderer.meteredText(value, call))
    },
    "replace": { (renderer, value, call) throws(TokenizerError) in
      try renderer.replace(try renderer.meteredText(value, call), call)
    },
    "indent": { (renderer, value, call) throws(TokenizerError) in
      try renderer.indent(try renderer.meteredText(value, call), call)
    },
    "wordcount": { (renderer, value, call) throws(TokenizerError) in
      let scalars = try renderer.meteredText(value, call).unicodeScalars
      return .integer(scalars.split(whereSeparator: PythonText.isSpace).count)
    },
  ]

  /// A value as text, its size counted.
  func meteredText(_ value: RuntimeValue, _ call: TemplateCall) throws(TokenizerError)
    -> String
  {
    let text = try text(of: value, line: call.line)
    try meter.charge(bytes: text.utf8.count * 4)
    return text
  }

  private func indent(_ text: String, _ call: TemplateCall) throws(TokenizerError) -> RuntimeValue {
    let margin: String
    if case .string(let text) = call.argument(0, "width") {
      margin = text
    } else {
      let width = try call.integer(0, "width", default: 4)
      try meter.charge(bytes: max(width, 0))
      margin = String(repeating: " ", count: max(width, 0))
    }
    let lines = PythonText.split(text, by: "\n")
    try meter.charge(bytes: margin.utf8.count, times: lines.count)
    let indentsFirst = call.flag(1, "first", default: false)
    let indentsBlank = call.flag(2, "blank", default: false)
    let indented = lines.enumerated().map { index, line in
      index == 0 && !indentsFirst || index > 0 && line.isEmpty && !indentsBlank
        ? line : margin + line
    }
    return .string(indented.joined(separator: "\n"))
  }

  // MARK: Lists

  private static let listFilters: [String: Filter] = [
    "length": { (renderer, value, call) throws(TokenizerError) in
      try renderer.length(of: value, call)
    },
    "count": { (renderer, value, call) throws(TokenizerError) in
      try renderer.length(of: value, call)
    },
    "first": { (renderer, value, call) throws(TokenizerError) in
      try renderer.elements(of: value, line: call.line).first ?? .undefined("the first of nothing")
    },
    "last": { (renderer, value, call) throws(TokenizerError) in
      try renderer.elements(of: value, line: call.line).last ?? .undefined("the last of nothing")
    },
    "list": { (renderer, value, call) throws(TokenizerError) in
      try renderer.list(try renderer.elements(of: value, line: call.line), line: call.line)
    },
    "reverse": { (renderer, value, call) throws(TokenizerError) in
      let reversed = try renderer.elements(of: value, line: call.line).reversed()
      guard case .string = value else { return try renderer.list(Array(reversed), line: call.line) }
      return try renderer.join(Array(reversed), separator: "", call)
    },
    "join": { (renderer, value, call) throws(TokenizerError) in
      var elements = try renderer.elements(of: value, line: call.line)
      if let attribute = call.argument(1, "attribute"), !attribute.isNone {
        elements = try renderer.members(attribute, of: elements, call)
      }
      let separator = try call.optionalString(0, "d") ?? ""
      return try renderer.join(elements, separator: separator, call)
    },
    "map": { (renderer, value, call) throws(TokenizerError) in try renderer.map(value, call) },
    "select": { (renderer, value, call) throws(TokenizerError) in
      try renderer.select(value, call, attribute: nil, wanted: true)
    },
    "reject": { (renderer, value, call) throws(TokenizerError) in
      try renderer.select(value, call, attribute: nil, wanted: false)
    },
    "selectattr": { (renderer, value, call) throws(TokenizerError) in
      try renderer.select(value, call, attribute: try call.required(0, "attribute"), wanted: true)
    },
    "rejectattr": { (renderer, value, call) throws(TokenizerError) in
      try renderer.select(value, call, attribute: try call.required(0, "attribute"), wanted: false)
    },
  ]

  private func length(of value: RuntimeValue, _ call: TemplateCall) throws(TokenizerError)
    -> RuntimeValue
  {
    switch value {
    case .string(let text):
      try meter.charge(bytes: text.utf8.count)
      return .integer(text.unicodeScalars.count)
    case .dictionary(let dictionary): return .integer(dictionary.members.count)
    case .list(let list): return .integer(list.elements.count)
    case .undefined: return .integer(0)
    default: throw call.failed("\(value.typeName) has no length")
    }
  }

  func join(_ elements: [RuntimeValue], separator: String, _ call: TemplateCall)
    throws(TokenizerError) -> RuntimeValue
  {
    try meter.charge(bytes: separator.utf8.count, times: elements.count)
    var result = ""
    for (index, element) in elements.enumerated() {
      if index > 0 { result += separator }
      let text = try text(of: element, line: call.line)
      try meter.charge(bytes: text.utf8.count)
      result += text
    }
    return .string(result)
  }

  private func map(_ value: RuntimeValue, _ call: TemplateCall) throws(TokenizerError)
    -> RuntimeValue
  {
    guard value.isTrue else { return try list([], line: call.line) }
    let elements = try elements(of: value, line: call.line)
    if let attribute = call.argument(.max, "attribute"), !attribute.isNone {
      if let other = call.named.first(where: { $0.name != "attribute" && $0.name != "default" }) {
        throw call.failed("has no argument '\(other.name)'")
      }
      var mapped = try members(attribute, of: elements, call)
      if let fallback = call.argument(.max, "default") {
        mapped = mapped.map { if case .undefined = $0 { fallback } else { $0 } }
      }
      return try list(mapped, line: call.line)
    }
    let filter = try call.string(0, "filter")
    let inner = TemplateCall(
      name: filter, line: call.line, positional: Array(call.positional.dropFirst()),
      named: call.named)
    var mapped: [RuntimeValue] = []
    for element in elements { mapped.append(try apply(filter: filter, to: element, inner)) }
    return try list(mapped, line: call.line)
  }

  /// The elements that pass (or fail) a test, applied to themselves or to an attribute.
  private func select(
    _ value: RuntimeValue, _ call: TemplateCall, attribute: RuntimeValue?, wanted: Bool
  ) throws(TokenizerError) -> RuntimeValue {
    guard value.isTrue else { return try list([], line: call.line) }
    let elements = try elements(of: value, line: call.line)
    let subjects =
      try attribute.map { (path) throws(TokenizerError) in
        try members(path, of: elements, call)
      } ?? elements
    let arguments = call.positional.dropFirst(attribute == nil ? 0 : 1)
    var selected: [RuntimeValue] = []
    for (element, subject) in zip(elements, subjects) {
      var passes = subject.isTrue
      if case .string(let name) = arguments.first {
        let inner = TemplateCall(
          name: name, line: call.line, positional: Array(arguments.dropFirst()),
          named: call.named)
        passes = try test(subject, inner)
      }
      if passes == wanted { selected.append(element) }
    }
    return try list(selected, line: call.line)
  }

  // MARK: Values

  private static let valueFilters: [String: Filter] = [
    "tojson": { (renderer, value, call) throws(TokenizerError) in
      var style = PythonJSON(
        indentation: call.argument(1, "indent") == nil
          ? nil : try call.integer(1, "indent", default: 0))
      if case .some(.none) = call.argument(1, "indent") { style = PythonJSON(indentation: nil) }
      style.escapesNonASCII = call.flag(0, "ensure_ascii", default: false)
      style.sortsKeys = call.flag(3, "sort_keys", default: false)
      if case .list(let separators) = call.argument(2, "separators") {
        guard separators.elements.count == 2, case .string(let item) = separators.elements[0],
          case .string(let key) = separators.elements[1]
        else { throw call.failed("needs two strings as 'separators'") }
        style.itemSeparator = item
        style.keySeparator = key
      }
      return .string(try PythonJSON.dump(value, style, call, &renderer.meter))
    },
    "default": { (_, value, call) throws(TokenizerError) in defaulted(value, call) },
    "d": { (_, value, call) throws(TokenizerError) in defaulted(value, call) },
    "items": { (renderer, value, call) throws(TokenizerError) in
      if case .undefined = value { return try renderer.list([], line: call.line) }
      guard case .dictionary(let dictionary) = value else {
        throw call.failed("needs a dictionary, not \(value.typeName)")
      }
      return try renderer.pairs(dictionary, line: call.line)
    },
    "int": { (_, value, call) throws(TokenizerError) in
      let fallback = call.argument(0, "default") ?? .integer(0)
      if case .string(let text) = value {
        let base = try call.integer(1, "base", default: 10)
        guard 2...36 ~= base else { throw call.failed("needs a base of 2 to 36") }
        return integer(PythonText.strip(text, nil), base: base).map { .integer($0) } ?? fallback
      }
      if let integer = value.asInteger { return .integer(integer) }
      let truncated = value.asNumber.flatMap { Int(exactly: $0.rounded(.towardZero)) }
      return truncated.map { .integer($0) } ?? fallback
    },
    "float": { (_, value, call) throws(TokenizerError) in
      let fallback = call.argument(0, "default") ?? .number(0)
      if case .string(let text) = value {
        return Double(PythonText.strip(text, nil)).map { .number($0) } ?? fallback
      }
      return value.asNumber.map { .number($0) } ?? fallback
    },
    "abs": { (renderer, value, call) throws(TokenizerError) in
      let isNegative = try renderer.isLess(value, .integer(0), line: call.line)
      return isNegative
        ? try renderer.arithmetic(.subtract, .integer(0), value, line: call.line) : value
    },
  ]

  /// Digits in a base, with the prefix of the base where it has one; in base 10 also a decimal, cut
  /// off behind its point.
  private static func integer(_ text: String, base: Int) -> Int? {
    var digits = text.replacing("_", with: "").lowercased()
    let prefixes = [16: "0x", 8: "0o", 2: "0b"]
    if let prefix = prefixes[base], digits.hasPrefix(prefix) {
      digits = String(digits.dropFirst(2))
    }
    if let value = Int(digits, radix: base) { return value }
    return base == 10 ? Double(text).flatMap { Int(exactly: $0.rounded(.towardZero)) } : nil
  }

  private static func defaulted(_ value: RuntimeValue, _ call: TemplateCall) -> RuntimeValue {
    let fallback = call.argument(0, "default_value") ?? .string("")
    if case .undefined = value { return fallback }
    return call.flag(1, "boolean", default: false) && !value.isTrue ? fallback : value
  }

  /// The members of a dictionary as pairs of key and value.
  func pairs(_ dictionary: RuntimeDictionary, line: Int) throws(TokenizerError) -> RuntimeValue {
    var pairs: [RuntimeValue] = []
    for (key, value) in dictionary.members.members {
      pairs.append(try tuple([DictionaryKey.value(of: key), value], line: line))
    }
    return try list(pairs, line: line)
  }
}
