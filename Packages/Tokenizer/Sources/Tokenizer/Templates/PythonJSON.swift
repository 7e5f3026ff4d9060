/// `json.dumps` as chat templates' `tojson` calls it.
struct PythonJSON {
  /// Spaces per level; nil writes everything on one line.
  var indentation: Int?
  var itemSeparator: String
  var keySeparator = ": "
  var sortsKeys = false
  var escapesNonASCII = false
  private var result = ""

  init(indentation: Int?) {
    self.indentation = indentation
    itemSeparator = indentation == nil ? ", " : ","
  }

  /// - Throws: for values JSON has no form for, naming `call`.
  static func dump(
    _ value: RuntimeValue, _ style: PythonJSON, _ call: TemplateCall, _ meter: inout TemplateMeter
  ) throws(TokenizerError) -> String {
    var writer = style
    try writer.write(value, level: 0, call, &meter)
    return writer.result
  }

  private mutating func write(
    _ value: RuntimeValue, level: Int, _ call: TemplateCall, _ meter: inout TemplateMeter
  ) throws(TokenizerError) {
    try meter.charge()
    switch value {
    case .none: result += "null"
    case .bool(let bool): result += bool ? "true" : "false"
    case .integer(let integer): result += String(integer)
    case .number(let number): result += number.isFinite ? PythonText.number(number) : name(number)
    case .string(let text):
      try meter.charge(bytes: text.utf8.count)
      quote(text)
    case .list(let list):
      result += "["
      for (index, element) in list.elements.enumerated() {
        try startItem(index, level: level + 1, &meter)
        try write(element, level: level + 1, call, &meter)
      }
      try end("]", isEmpty: list.elements.isEmpty, level: level, &meter)
    case .dictionary(let dictionary):
      var members = Array(dictionary.members.members)
      if sortsKeys { members.sort { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) } }
      result += "{"
      for (index, member) in members.enumerated() {
        try startItem(index, level: level + 1, &meter)
        try meter.charge(bytes: member.0.utf8.count)
        quote(try Self.name(member.0, call))
        result += keySeparator
        try write(member.1, level: level + 1, call, &meter)
      }
      try end("}", isEmpty: members.isEmpty, level: level, &meter)
    case .undefined(let what): throw call.failed("'\(what)' is undefined")
    default: throw call.failed("\(value.typeName) has no JSON form")
    }
  }

  /// A key as JSON has it: Python writes numbers, `none` and booleans as strings.
  private static func name(_ key: String, _ call: TemplateCall) throws(TokenizerError) -> String {
    switch DictionaryKey.value(of: key) {
    case .string(let text): return text
    case .integer(let integer): return String(integer)
    case .number(let number): return PythonText.number(number)
    default: return "null"
    }
  }

  private func name(_ number: Double) -> String {
    number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
  }

  private mutating func startItem(_ index: Int, level: Int, _ meter: inout TemplateMeter)
    throws(TokenizerError)
  {
    if index > 0 { result += itemSeparator }
    try breakLine(level: level, &meter)
  }

  private mutating func end(
    _ bracket: String, isEmpty: Bool, level: Int, _ meter: inout TemplateMeter
  ) throws(TokenizerError) {
    if !isEmpty { try breakLine(level: level, &meter) }
    result += bracket
  }

  private mutating func breakLine(level: Int, _ meter: inout TemplateMeter) throws(TokenizerError) {
    guard let indentation else { return }
    try meter.charge(bytes: max(indentation, 0), times: level)
    result += "\n" + String(repeating: " ", count: max(indentation, 0) * level)
  }

  private mutating func quote(_ text: String) {
    result += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{08}": result += "\\b"
      case "\u{0C}": result += "\\f"
      case "\u{00}"..<" ": escape(UInt16(truncatingIfNeeded: scalar.value))
      case "\u{7F}"...:
        if escapesNonASCII, scalar.value > 0x7F {
          for unit in String(scalar).utf16 { escape(unit) }
        } else {
          result.unicodeScalars.append(scalar)
        }
      default: result.unicodeScalars.append(scalar)
      }
    }
    result += "\""
  }

  private mutating func escape(_ unit: UInt16) {
    result += "\\u" + PythonText.hexadecimal(UInt32(unit), digits: 4)
  }
}
