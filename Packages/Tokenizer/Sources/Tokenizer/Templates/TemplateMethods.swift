import Foundation
import JSON

/// Methods of strings and dictionaries, and the global functions.
extension TemplateRenderer {
  /// The result of `subject.name(arguments)`, or nil when the type has no such method.
  func callMethod(of subject: RuntimeValue, _ call: TemplateCall) throws(TokenizerError)
    -> RuntimeValue?
  {
    switch subject {
    case .string(let text):
      try meter.charge(bytes: text.utf8.count * 4)
      return try callMethod(of: text, call)
    case .dictionary(let dictionary): return try callMethod(of: dictionary, call)
    case .list(let list):
      switch call.name {
      case "index":
        let wanted = try call.required(0, "value")
        for (index, element) in list.elements.enumerated() where try areEqual(element, wanted) {
          return .integer(index)
        }
        throw call.failed("the value is not in the list")
      case "count":
        let wanted = try call.required(0, "value")
        var count = 0
        for element in list.elements where try areEqual(element, wanted) { count += 1 }
        return .integer(count)
      default: return nil
      }
    case .loop(let loop):
      switch call.name {
      case "cycle":
        guard !call.positional.isEmpty else { throw call.failed("needs something to cycle over") }
        return call.positional[loop.index % call.positional.count]
      case "changed":
        let before = loop.watched
        loop.watched = call.positional
        guard let before, before.count == call.positional.count else { return .bool(true) }
        for (old, new) in zip(before, call.positional) where try !areEqual(old, new) {
          return .bool(true)
        }
        return .bool(false)
      default: return nil
      }
    default: return nil
    }
  }

  private func callMethod(of text: String, _ call: TemplateCall) throws(TokenizerError)
    -> RuntimeValue?
  {
    switch call.name {
    case "strip": return .string(PythonText.strip(text, try call.optionalString(0, "chars")))
    case "lstrip":
      return .string(PythonText.strip(text, try call.optionalString(0, "chars"), right: false))
    case "rstrip":
      return .string(PythonText.strip(text, try call.optionalString(0, "chars"), left: false))
    case "startswith":
      return .bool(try affixes(call).contains { text.utf8.starts(with: $0.utf8) })
    case "endswith":
      return .bool(
        try affixes(call).contains { text.utf8.reversed().starts(with: $0.utf8.reversed()) })
    case "split": return try split(text, call)
    case "splitlines":
      let keeps = call.flag(0, "keepends", default: false)
      return try list(
        PythonText.lines(text, keepingEnds: keeps).map { .string($0) }, line: call.line)
    case "replace": return try replace(text, call)
    case "upper": return .string(text.uppercased())
    case "lower": return .string(text.lowercased())
    case "capitalize": return .string(PythonText.capitalized(text))
    case "title": return .string(PythonText.titled(text, apostropheEndsWord: true))
    case "join":
      let elements = try elements(of: try call.required(0, "iterable"), line: call.line)
      return try join(elements, separator: text, call)
    case "removeprefix":
      let prefix = try call.string(0, "prefix")
      guard text.utf8.starts(with: prefix.utf8) else { return .string(text) }
      return .string(String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
    case "removesuffix":
      let suffix = try call.string(0, "suffix")
      guard text.utf8.reversed().starts(with: suffix.utf8.reversed()) else { return .string(text) }
      return .string(String(decoding: text.utf8.dropLast(suffix.utf8.count), as: UTF8.self))
    default: return try callFurtherMethod(of: text, call)
    }
  }

  /// The one string, or the several of a list, given to `startswith` and `endswith`.
  private func affixes(_ call: TemplateCall) throws(TokenizerError) -> [String] {
    guard case .list(let list) = try call.required(0, "affix") else {
      return [try call.string(0, "affix")]
    }
    var affixes: [String] = []
    for element in list.elements {
      guard case .string(let text) = element else { throw call.failed("needs strings") }
      affixes.append(text)
    }
    return affixes
  }

  private func split(_ text: String, _ call: TemplateCall) throws(TokenizerError) -> RuntimeValue {
    let limit = try call.integer(1, "maxsplit", default: -1)
    let maximum = limit < 0 ? Int.max : limit
    guard let separator = try call.optionalString(0, "sep") else {
      let words = PythonText.strip(text, nil).unicodeScalars.split(
        maxSplits: maximum, whereSeparator: PythonText.isSpace)
      return try list(
        words.map { .string(PythonText.strip(String($0), nil, right: false)) }, line: call.line)
    }
    if separator.isEmpty { throw call.failed("the separator is empty") }
    try meter.charge(bytes: text.utf8.count, times: separator.utf8.count / 16 + 1)
    let parts = PythonText.split(text, by: separator, limit: maximum)
    return try list(parts.map { .string($0) }, line: call.line)
  }

  /// `replace(old, new, count)`, of strings and as a filter.
  func replace(_ text: String, _ call: TemplateCall) throws(TokenizerError) -> RuntimeValue {
    let old = try call.string(0, "old")
    let new = try call.string(1, "new")
    let count = try call.integer(2, "count", default: -1)
    let limit = count < 0 ? Int.max : count
    try meter.charge(bytes: text.utf8.count, times: old.utf8.count / 16 + 1)
    var parts: [String]
    if old.isEmpty {
      parts = [""] + text.unicodeScalars.map { String($0) } + [""]
      if limit < parts.count - 1 {
        parts = Array(parts.prefix(limit)) + [parts.dropFirst(limit).joined()]
      }
    } else {
      parts = PythonText.split(text, by: old, limit: limit)
    }
    try meter.charge(bytes: new.utf8.count, times: parts.count)
    return .string(parts.joined(separator: new))
  }

  private func callMethod(of dictionary: RuntimeDictionary, _ call: TemplateCall)
    throws(TokenizerError) -> RuntimeValue?
  {
    switch call.name {
    case "items": return try pairs(dictionary, line: call.line)
    case "keys":
      return try list(dictionary.keys, line: call.line)
    case "copy": return .dictionary(dictionary)
    case "values": return try list(dictionary.members.values, line: call.line)
    case "get":
      guard let key = DictionaryKey.name(of: try call.required(0, "key")) else {
        return call.argument(1, "default") ?? RuntimeValue.none
      }
      return dictionary.members[key] ?? call.argument(1, "default") ?? RuntimeValue.none
    default: return nil
    }
  }

  // MARK: Functions

  func call(_ function: TemplateFunction, _ call: TemplateCall) throws(TokenizerError)
    -> RuntimeValue
  {
    switch function {
    case .raiseException:
      throw .templateRaised(
        message: try text(of: try call.required(0, "message"), line: call.line))
    case .strftimeNow:
      return .string(try TemplateClock.format(try call.string(0, "format"), now, call))
    case .namespace:
      let namespace = RuntimeNamespace()
      if case .dictionary(let dictionary) = call.positional.first {
        if dictionary.holdsNamespace { throw call.failed("cannot hold a namespace or a loop") }
        namespace.members = dictionary.members
      }
      for (name, value) in call.named {
        if value.holdsNamespace { throw call.failed("cannot hold a namespace or a loop") }
        namespace.members[name] = value
      }
      return .namespace(namespace)
    case .range: return try range(call)
    case .dict:
      var members = OrderedObject<RuntimeValue>()
      if case .dictionary(let dictionary) = call.positional.first { members = dictionary.members }
      for (name, value) in call.named { members[name] = value }
      return try dictionary(members, line: call.line)
    }
  }

  /// At most 100,000 numbers, as in Jinja's sandbox.
  private func range(_ call: TemplateCall) throws(TokenizerError) -> RuntimeValue {
    let hasStart = call.positional.count > 1
    let start = hasStart ? try call.integer(0, "start", default: 0) : 0
    let stop = try call.integer(hasStart ? 1 : 0, "stop", default: 0)
    let step = try call.integer(2, "step", default: 1)
    if step == 0 { throw call.failed("the step is zero") }
    var numbers: [RuntimeValue] = []
    var number = start
    while step > 0 ? number < stop : number > stop {
      if numbers.count == 100_000 { throw call.failed("more than 100000 numbers") }
      numbers.append(.integer(number))
      let (next, overflow) = number.addingReportingOverflow(step)
      if overflow { break }
      number = next
    }
    return try list(numbers, line: call.line)
  }
}
