import Foundation
import JSON

/// Filters that write numbers and lay out text.
extension TemplateRenderer {
  static let layoutFilters: [String: Filter] = [
    "attr": { (renderer, value, call) throws(TokenizerError) in
      // Attributes proper: the members of namespaces and loops, no items of dictionaries.
      let name = try call.string(0, "name")
      if case .dictionary = value { return .undefined(name) }
      return try renderer.member(name, of: value, line: call.line)
    },
    "center": { (renderer, value, call) throws(TokenizerError) in
      let text = try renderer.meteredText(value, call)
      let width = try call.integer(0, "width", default: 80)
      try renderer.meter.charge(bytes: max(width, 0))
      return .string(PythonText.centered(text, width: width))
    },
    "e": { (renderer, value, call) throws(TokenizerError) in
      .string(PythonText.escaped(try renderer.meteredText(value, call)))
    },
    "escape": { (renderer, value, call) throws(TokenizerError) in
      .string(PythonText.escaped(try renderer.meteredText(value, call)))
    },
    "forceescape": { (renderer, value, call) throws(TokenizerError) in
      .string(PythonText.escaped(try renderer.meteredText(value, call)))
    },
    "filesizeformat": { (renderer, value, call) throws(TokenizerError) in
      guard let bytes = value.asNumber else { throw call.failed("needs a number") }
      return .string(fileSize(bytes, binary: call.flag(0, "binary", default: false)))
    },
    "format": { (renderer, value, call) throws(TokenizerError) in
      if !call.named.isEmpty, !call.positional.isEmpty {
        throw call.failed("takes arguments by position or by name, not both")
      }
      let values: RuntimeValue =
        call.named.isEmpty
        ? .list(RuntimeList(unchecked: call.positional))
        : try renderer.dictionary(
          OrderedObject(call.named.map { ($0.name, $0.value) }), line: call.line)
      let format = try renderer.meteredText(value, call)
      return .string(try PythonFormat.format(format, values, renderer, line: call.line))
    },
    "pprint": { (renderer, value, call) throws(TokenizerError) in
      .string(try PythonText.representation(value, &renderer.meter))
    },
    "round": { (_, value, call) throws(TokenizerError) in try rounded(value, call) },
    "striptags": { (renderer, value, call) throws(TokenizerError) in
      .string(PythonText.withoutTags(try renderer.meteredText(value, call)))
    },
    "truncate": { (renderer, value, call) throws(TokenizerError) in
      let text = try renderer.meteredText(value, call)
      let length = try call.integer(0, "length", default: 255)
      let end = try call.optionalString(2, "end") ?? "..."
      let leeway = try call.integer(3, "leeway", default: 5)
      let scalars = Array(text.unicodeScalars)
      guard length >= end.unicodeScalars.count else {
        throw call.failed("needs a length of at least \(end.unicodeScalars.count)")
      }
      guard leeway >= 0 else { throw call.failed("needs a leeway of at least 0") }
      if scalars.count <= length + leeway { return .string(text) }
      let kept = String(
        String.UnicodeScalarView(scalars[..<(length - end.unicodeScalars.count)]))
      if call.flag(1, "killwords", default: false) { return .string(kept + end) }
      let words = kept.range(of: " ", options: .backwards).map { String(kept[..<$0.lowerBound]) }
      return .string((words ?? kept) + end)
    },
    "urlencode": { (renderer, value, call) throws(TokenizerError) in
      .string(try renderer.urlEncoded(value, call))
    },
    "wordwrap": { (renderer, value, call) throws(TokenizerError) in
      let text = try renderer.meteredText(value, call)
      let width = try call.integer(0, "width", default: 79)
      guard width > 0 else { throw call.failed("needs a width above 0") }
      let breaksWords = call.flag(1, "break_long_words", default: true)
      let mark = try call.optionalString(2, "wrapstring") ?? "\n"
      let hyphens = call.flag(3, "break_on_hyphens", default: true)
      let lines = PythonText.lines(text).map {
        PythonText.wrapped($0, width: width, breaksWords: breaksWords, breaksHyphens: hyphens)
          .joined(separator: mark)
      }
      return .string(lines.joined(separator: mark))
    },
    "xmlattr": { (renderer, value, call) throws(TokenizerError) in
      guard case .dictionary(let dictionary) = value else {
        throw call.failed("needs a dictionary, not \(value.typeName)")
      }
      var parts: [String] = []
      for (name, value) in dictionary.members.members where !value.isNone && !value.isUndefined {
        let text = PythonText.escaped(try renderer.meteredText(value, call))
        parts.append("\(PythonText.escaped(name))=\"\(text)\"")
      }
      let space = call.flag(0, "autospace", default: true) && !parts.isEmpty ? " " : ""
      return .string(space + parts.joined(separator: " "))
    },
    "random": { (_, _, call) throws(TokenizerError) in
      throw call.failed("is refused: the same conversation has to give the same prompt")
    },
  ]

  /// `round(value, precision)` of Python, to even, and its floor and ceiling.
  private static func rounded(_ value: RuntimeValue, _ call: TemplateCall) throws(TokenizerError)
    -> RuntimeValue
  {
    let precision = try call.integer(0, "precision", default: 0)
    let method = try call.optionalString(1, "method") ?? "common"
    guard let number = value.asNumber else { throw call.failed("needs a number") }
    let scale = pow(10, Double(precision))
    switch method {
    case "common":
      if case .integer(let integer) = value, precision >= 0 { return .integer(integer) }
      guard abs(precision) <= 300 else { return .number(number) }
      if precision < 0 {
        let rounded = (number * scale).rounded(.toNearestOrEven) / scale
        guard case .integer = value, let integer = Int(exactly: rounded) else {
          return .number(rounded)
        }
        return .integer(integer)
      }
      // The decimal that printf makes of the exact binary value, as Python does.
      return .number(Double(String(format: "%.\(precision)f", number)) ?? number)
    case "floor": return .number((number * scale).rounded(.down) / scale)
    case "ceil": return .number((number * scale).rounded(.up) / scale)
    default: throw call.failed("rounds by 'common', 'floor' or 'ceil', not by '\(method)'")
    }
  }

  private static func fileSize(_ bytes: Double, binary: Bool) -> String {
    let base = binary ? 1024.0 : 1000
    let prefixes =
      binary
      ? ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
      : ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    if bytes == 1 { return "1 Byte" }
    if bytes < base { return "\(Int(exactly: bytes.rounded(.towardZero)) ?? 0) Bytes" }
    for (index, prefix) in prefixes.enumerated() {
      let unit = pow(base, Double(index + 2))
      if bytes < unit || index == prefixes.count - 1 {
        return String(format: "%.1f ", base * bytes / unit) + prefix
      }
    }
    return ""
  }

  private func urlEncoded(_ value: RuntimeValue, _ call: TemplateCall) throws(TokenizerError)
    -> String
  {
    var pairs: [(RuntimeValue, RuntimeValue)] = []
    switch value {
    case .dictionary(let dictionary): pairs = Array(zip(dictionary.keys, dictionary.members.values))
    case .list(let list):
      for element in list.elements {
        guard case .list(let pair) = element, pair.elements.count == 2 else {
          throw call.failed("needs pairs")
        }
        pairs.append((pair.elements[0], pair.elements[1]))
      }
    default: return PythonText.percentEncoded(try meteredText(value, call), keeping: "/")
    }
    var parts: [String] = []
    for (name, value) in pairs {
      let name = PythonText.percentEncoded(try meteredText(name, call), spaceIsPlus: true)
      let text = PythonText.percentEncoded(try meteredText(value, call), spaceIsPlus: true)
      parts.append("\(name)=\(text)")
    }
    return parts.joined(separator: "&")
  }
}

extension RuntimeValue {
  /// Whether the value is `none`.
  var isNone: Bool { if case .none = self { true } else { false } }
}
