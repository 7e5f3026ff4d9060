/// The tests (`value is name(arguments)`).
extension TemplateRenderer {
  func test(_ value: RuntimeValue, _ call: TemplateCall) throws(TokenizerError) -> Bool {
    if let comparison = Self.comparisons[call.name] {
      return try compare(comparison, value, try call.required(0, "other"), line: call.line)
    }
    switch (call.name, value) {
    case ("defined", .undefined),
      ("undefined", _) where !value.isUndefined:
      return false
    case ("defined", _), ("undefined", _): return true
    case ("none", .none): return true
    case ("none", _): return false
    case ("true", .bool(let bool)): return bool
    case ("false", .bool(let bool)): return !bool
    case ("boolean", .bool): return true
    case ("true", _), ("false", _), ("boolean", _): return false
    case ("string", .string): return true
    case ("string", _): return false
    case ("integer", .integer): return true
    case ("integer", _): return false
    case ("float", .number): return true
    case ("float", _): return false
    case ("number", _): return value.asNumber != nil
    case ("mapping", .dictionary): return true
    case ("mapping", _): return false
    case ("iterable", .string), ("iterable", .list), ("iterable", .dictionary),
      ("iterable", .undefined), ("sequence", .string), ("sequence", .list),
      ("sequence", .dictionary), ("sequence", .undefined):
      return true
    case ("iterable", _), ("sequence", _): return false
    case ("callable", .macro), ("callable", .function): return true
    case ("callable", _): return false
    case ("odd", _): return try remainder(value, 2, call) != 0
    case ("even", _): return try remainder(value, 2, call) == 0
    case ("divisibleby", _):
      return try remainder(value, try call.integer(0, "num", default: 0), call) == 0
    case ("upper", .string(let text)): return isCased(text) && text == text.uppercased()
    case ("lower", .string(let text)): return isCased(text) && text == text.lowercased()
    case ("upper", _), ("lower", _):
      throw call.failed("needs a string, not \(value.typeName)")
    case ("escaped", _): return false
    case ("filter", .string(let name)): return Self.isFilter(name)
    case ("test", .string(let name)): return Self.isTest(name)
    case ("filter", _), ("test", _): return false
    case ("sameas", _): return try isSame(value, try call.required(0, "other"))
    default:
      throw .templateFailed(line: call.line, reason: "no test is named '\(call.name)'")
    }
  }

  private static func isTest(_ name: String) -> Bool {
    comparisons[name] != nil
      || [
        "boolean", "callable", "defined", "divisibleby", "escaped", "even", "false", "filter",
        "float", "integer", "iterable", "lower", "mapping", "none", "number", "odd", "sameas",
        "sequence", "string", "test", "true", "undefined", "upper",
      ].contains(name)
  }

  private static let comparisons: [String: TemplateExpression.Comparison] = [
    "equalto": .equal, "eq": .equal, "==": .equal, "ne": .notEqual, "!=": .notEqual,
    "lt": .less, "lessthan": .less, "<": .less, "le": .lessOrEqual, "<=": .lessOrEqual,
    "gt": .greater, "greaterthan": .greater, ">": .greater, "ge": .greaterOrEqual,
    ">=": .greaterOrEqual, "in": .isIn,
  ]

  private func remainder(_ value: RuntimeValue, _ divisor: Int, _ call: TemplateCall)
    throws(TokenizerError) -> Int
  {
    let remainder = try arithmetic(.remainder, value, .integer(divisor), line: call.line)
    guard let integer = remainder.asInteger else { throw call.failed("needs an integer") }
    return integer
  }

  private func isCased(_ text: String) -> Bool {
    text.unicodeScalars.contains(where: \.properties.isCased)
  }

  /// Identity: the same namespace, or equal constants of one type.
  private func isSame(_ left: RuntimeValue, _ right: RuntimeValue) throws(TokenizerError) -> Bool {
    left.typeName == right.typeName ? try areEqual(left, right) : false
  }
}

extension RuntimeValue {
  /// Whether the value does not exist.
  var isUndefined: Bool { if case .undefined = self { true } else { false } }
}
