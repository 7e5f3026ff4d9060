import Foundation

/// Arithmetic and comparison, as Python does them.
extension TemplateRenderer {
  func binary(
    _ operation: TemplateExpression.BinaryOperator, _ left: RuntimeValue, _ right: RuntimeValue,
    line: Int
  ) throws(TokenizerError) -> RuntimeValue {
    switch (operation, left, right) {
    case (.concatenate, _, _):
      return try concatenate(try text(of: left, line: line), try text(of: right, line: line))
    case (.add, .string(let first), .string(let second)): return try concatenate(first, second)
    case (.add, .list(let first), .list(let second)) where first.isTuple == second.isTuple:
      let elements = first.elements + second.elements
      return first.isTuple
        ? try tuple(elements, line: line) : try list(elements, line: line)
    case (.remainder, .string(let format), _):
      return .string(try PythonFormat.format(format, right, self, line: line))
    case (.multiply, .list(let list), _) where right.asInteger != nil:
      return try repeated(list, right.asInteger ?? 0, line: line)
    case (.multiply, .string(let text), _) where right.asInteger != nil:
      return try repeated(text, right.asInteger ?? 0)
    case (.multiply, _, .string(let text)) where left.asInteger != nil:
      return try repeated(text, left.asInteger ?? 0)
    default: return try arithmetic(operation, left, right, line: line)
    }
  }

  private func concatenate(_ first: String, _ second: String) throws(TokenizerError)
    -> RuntimeValue
  {
    try meter.charge(bytes: first.utf8.count + second.utf8.count)
    return .string(first + second)
  }

  private func repeated(_ text: String, _ count: Int) throws(TokenizerError) -> RuntimeValue {
    try meter.charge(bytes: text.utf8.count, times: max(count, 0))
    guard count > 0 else { return .string("") }
    var result = text
    var copies = 1
    while copies * 2 <= count {
      result += result
      copies *= 2
    }
    if copies < count {
      result += String(
        decoding: result.utf8.prefix((count - copies) * text.utf8.count), as: UTF8.self)
    }
    return .string(result)
  }

  private func repeated(_ list: RuntimeList, _ count: Int, line: Int) throws(TokenizerError)
    -> RuntimeValue
  {
    try meter.charge(bytes: list.elements.count * 16, times: max(count, 0))
    return try self.list(
      Array(repeatElement(list.elements, count: max(count, 0)).joined()), line: line)
  }

  func arithmetic(
    _ operation: TemplateExpression.BinaryOperator, _ left: RuntimeValue, _ right: RuntimeValue,
    line: Int
  ) throws(TokenizerError) -> RuntimeValue {
    func failed(_ reason: String) -> TokenizerError { .templateFailed(line: line, reason: reason) }
    if let first = left.asInteger, let second = right.asInteger, operation != .divide {
      if second == 0, operation == .floorDivide || operation == .remainder {
        throw failed("division by zero")
      }
      guard let result = Self.integer(operation, first, second) else {
        throw failed("integer overflow")
      }
      return result
    }
    guard let first = left.asNumber, let second = right.asNumber else {
      if case .undefined(let what) = left { throw failed("'\(what)' is undefined") }
      if case .undefined(let what) = right { throw failed("'\(what)' is undefined") }
      throw failed("\(operation.rawValue) of \(left.typeName) and \(right.typeName)")
    }
    let divides = operation == .divide || operation == .floorDivide || operation == .remainder
    if divides, second == 0 { throw failed("division by zero") }
    switch operation {
    case .add: return .number(first + second)
    case .subtract: return .number(first - second)
    case .multiply: return .number(first * second)
    case .divide: return .number(first / second)
    case .floorDivide: return .number((first / second).rounded(.down))
    case .remainder: return .number(first - (first / second).rounded(.down) * second)
    case .power: return .number(pow(first, second))
    case .concatenate: throw failed("~ of numbers")
    }
  }

  /// Nil on overflow. Division rounds down.
  private static func integer(
    _ operation: TemplateExpression.BinaryOperator, _ first: Int, _ second: Int
  ) -> RuntimeValue? {
    func checked(_ result: (partialValue: Int, overflow: Bool)) -> RuntimeValue? {
      result.overflow ? nil : .integer(result.partialValue)
    }
    switch operation {
    case .add: return checked(first.addingReportingOverflow(second))
    case .subtract: return checked(first.subtractingReportingOverflow(second))
    case .multiply: return checked(first.multipliedReportingOverflow(by: second))
    case .floorDivide:
      let quotient = first.dividedReportingOverflow(by: second)
      if quotient.overflow { return nil }
      let isRoundedUp = first % second != 0 && (first < 0) != (second < 0)
      return .integer(quotient.partialValue - (isRoundedUp ? 1 : 0))
    case .remainder:
      let remainder = first.remainderReportingOverflow(dividingBy: second).partialValue
      return .integer(
        remainder != 0 && (remainder < 0) != (second < 0) ? remainder + second : remainder)
    case .power:
      guard second >= 0 else { return .number(pow(Double(first), Double(second))) }
      if first == 0 || first == 1 { return .integer(second == 0 ? 1 : first) }
      if first == -1 { return .integer(second % 2 == 0 ? 1 : -1) }
      var power = 1
      for _ in 0..<min(second, 64) {
        let (product, overflow) = power.multipliedReportingOverflow(by: first)
        if overflow { return nil }
        power = product
      }
      return second > 64 ? nil : .integer(power)
    case .divide, .concatenate: return nil
    }
  }

  // MARK: Comparison

  func compare(
    _ first: TemplateExpression, _ rest: [(TemplateExpression.Comparison, TemplateExpression)]
  ) throws(TokenizerError) -> Bool {
    var left = try evaluate(first)
    for (comparison, expression) in rest {
      let right = try evaluate(expression)
      if try !compare(comparison, left, right, line: expression.line) { return false }
      left = right
    }
    return true
  }

  func compare(
    _ comparison: TemplateExpression.Comparison, _ left: RuntimeValue, _ right: RuntimeValue,
    line: Int
  ) throws(TokenizerError) -> Bool {
    switch comparison {
    case .equal: return try areEqual(left, right)
    case .notEqual: return try !areEqual(left, right)
    case .less: return try isLess(left, right, line: line)
    case .greater: return try isLess(right, left, line: line)
    case .lessOrEqual: return try !isLess(right, left, line: line)
    case .greaterOrEqual: return try !isLess(left, right, line: line)
    case .isIn: return try contains(right, left, line: line)
    case .isNotIn: return try !contains(right, left, line: line)
    }
  }

  func areEqual(_ left: RuntimeValue, _ right: RuntimeValue) throws(TokenizerError) -> Bool {
    try meter.charge()
    switch (left, right) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.string(let first), .string(let second)):
      guard first.utf8.count == second.utf8.count else { return false }
      try meter.charge(bytes: first.utf8.count)
      return first.utf8.elementsEqual(second.utf8)
    case (.list(let first), .list(let second)):
      guard first.elements.count == second.elements.count, first.isTuple == second.isTuple else {
        return false
      }
      for (first, second) in zip(first.elements, second.elements)
      where try !areEqual(first, second) {
        return false
      }
      return true
    case (.dictionary(let first), .dictionary(let second)):
      guard first.members.count == second.members.count else { return false }
      for (key, value) in first.members.members {
        guard let other = second.members[key], try areEqual(value, other) else { return false }
      }
      return true
    case (.namespace(let first), .namespace(let second)): return first === second
    default:
      if let first = left.asInteger, let second = right.asInteger { return first == second }
      guard let first = left.asNumber, let second = right.asNumber else { return false }
      return first == second
    }
  }

  func isLess(_ left: RuntimeValue, _ right: RuntimeValue, line: Int) throws(TokenizerError)
    -> Bool
  {
    if case .string(let first) = left, case .string(let second) = right {
      try meter.charge(bytes: min(first.utf8.count, second.utf8.count))
      // The order of UTF-8 bytes is the order of code points.
      return first.utf8.lexicographicallyPrecedes(second.utf8)
    }
    if case .list(let first) = left, case .list(let second) = right {
      for (a, b) in zip(first.elements, second.elements) where try !areEqual(a, b) {
        return try isLess(a, b, line: line)
      }
      return first.elements.count < second.elements.count
    }
    if let first = left.asInteger, let second = right.asInteger { return first < second }
    guard let first = left.asNumber, let second = right.asNumber else {
      throw .templateFailed(
        line: line, reason: "\(left.typeName) and \(right.typeName) have no order")
    }
    return first < second
  }

  /// `value in container`
  func contains(_ container: RuntimeValue, _ value: RuntimeValue, line: Int)
    throws(TokenizerError) -> Bool
  {
    switch (container, value) {
    case (.string(let text), .string(let part)):
      try meter.charge(bytes: text.utf8.count, times: part.utf8.count / 16 + 1)
      return PythonText.firstOffset(of: part, in: text) != nil
    case (.dictionary(let dictionary), _):
      guard let key = DictionaryKey.name(of: value) else { return false }
      try meter.charge(bytes: key.utf8.count)
      return dictionary.members[key] != nil
    case (.undefined, _): return false
    case (.list(let list), _):
      for element in list.elements where try areEqual(element, value) { return true }
      return false
    default:
      throw .templateFailed(
        line: line, reason: "'in' of \(value.typeName) and \(container.typeName)")
    }
  }
}
