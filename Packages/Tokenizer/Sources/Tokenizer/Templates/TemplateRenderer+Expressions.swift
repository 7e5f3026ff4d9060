import JSON

/// Evaluates expressions.
extension TemplateRenderer {
  func evaluate(_ expression: TemplateExpression) throws(TokenizerError) -> RuntimeValue {
    try meter.charge()
    try meter.enter()
    defer { meter.leave() }
    let line = expression.line
    switch expression.kind {
    case .literal(let value): return RuntimeValue(value)
    case .name(let name): return lookUp(name)
    case .list(let elements): return try list(try evaluateAll(elements), line: line)
    case .tuple(let elements): return try tuple(try evaluateAll(elements), line: line)
    case .dictionary(let members): return try dictionary(members, line: line)
    case .attribute(let base, let name):
      return try member(name, of: try evaluate(base), line: line)
    case .item(let base, let index):
      return try item(try evaluate(index), of: try evaluate(base), line: line)
    case .slice(let base, let start, let stop, let step):
      let bounds = try [start, stop, step].map { (bound) throws(TokenizerError) in
        try bound.map { (bound) throws(TokenizerError) in try evaluate(bound) } ?? .none
      }
      return try slice(try evaluate(base), bounds, line: line)
    case .call(let callee, let arguments): return try call(callee, arguments)
    case .filter(let value, let name, let arguments):
      return try apply(filter: name, to: try evaluate(value), arguments, line: line)
    case .test(let value, let name, let arguments):
      let call = try evaluate(arguments, name: name, line: line)
      return .bool(try test(try evaluate(value), call))
    case .not(let operand): return .bool(!(try evaluate(operand).isTrue))
    case .negative(let operand):
      let value = try evaluate(operand)
      if case .number(let number) = value { return .number(-number) }
      return try arithmetic(.subtract, .integer(0), value, line: line)
    case .positive(let operand):
      return try arithmetic(.add, .integer(0), try evaluate(operand), line: line)
    case .binary(let operation, let left, let right):
      return try binary(operation, try evaluate(left), try evaluate(right), line: line)
    case .comparison(let first, let rest): return .bool(try compare(first, rest))
    case .and(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? try evaluate(right) : value
    case .or(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? value : try evaluate(right)
    case .conditional(let condition, let then, let otherwise):
      if try evaluate(condition).isTrue { return try evaluate(then) }
      return try otherwise.map { (value) throws(TokenizerError) in try evaluate(value) }
        ?? .undefined("the value of an if without else")
    }
  }

  private func evaluateAll(_ expressions: [TemplateExpression]) throws(TokenizerError)
    -> [RuntimeValue]
  {
    var values: [RuntimeValue] = []
    for expression in expressions { values.append(try evaluate(expression)) }
    return values
  }

  func evaluate(_ arguments: TemplateArguments, name: String, line: Int) throws(TokenizerError)
    -> TemplateCall
  {
    var named: [(name: String, value: RuntimeValue)] = []
    for argument in arguments.named {
      named.append((argument.name, try evaluate(argument.value)))
    }
    return TemplateCall(
      name: name, line: line, positional: try evaluateAll(arguments.positional), named: named)
  }

  // MARK: Making containers

  func list(_ elements: [RuntimeValue], line: Int) throws(TokenizerError) -> RuntimeValue {
    try meter.charge(1 + elements.count / 8)
    guard let list = RuntimeList(elements) else {
      throw .templateFailed(
        line: line,
        reason: "a list of something other than data, or nested deeper than "
          + "\(RuntimeList.maximumDepth)")
    }
    return .list(list)
  }

  func tuple(_ elements: [RuntimeValue], line: Int) throws(TokenizerError) -> RuntimeValue {
    guard case .list(var list) = try list(elements, line: line) else { return .none }
    list.isTuple = true
    return .list(list)
  }

  func dictionary(_ members: OrderedObject<RuntimeValue>, line: Int) throws(TokenizerError)
    -> RuntimeValue
  {
    try meter.charge(1 + members.count)
    guard let dictionary = RuntimeDictionary(members) else {
      throw .templateFailed(
        line: line,
        reason: "a dictionary of something other than data, or nested deeper than "
          + "\(RuntimeList.maximumDepth)")
    }
    return .dictionary(dictionary)
  }

  private func dictionary(
    _ members: [(key: TemplateExpression, value: TemplateExpression)], line: Int
  ) throws(TokenizerError) -> RuntimeValue {
    var result = OrderedObject<RuntimeValue>()
    for (key, value) in members {
      let key = try evaluate(key)
      guard let name = DictionaryKey.name(of: key) else {
        throw .templateFailed(line: line, reason: "\(key.typeName) cannot be a key of a dictionary")
      }
      result[name] = try evaluate(value)
    }
    return try dictionary(result, line: line)
  }

  // MARK: Members

  /// `value.name`
  func member(_ name: String, of value: RuntimeValue, line: Int) throws(TokenizerError)
    -> RuntimeValue
  {
    switch value {
    case .undefined(let what):
      throw .templateFailed(line: line, reason: "'\(what)' is undefined, so it has no '\(name)'")
    case .dictionary(let dictionary):
      return dictionary.members[name] ?? .undefined(name)
    case .namespace(let namespace): return namespace.members[name] ?? .undefined(name)
    case .list(let list): return list.names[name] ?? .undefined(name)
    case .loop(let loop): return loop.member(name) ?? .undefined("loop.\(name)")
    default: return .undefined(name)
    }
  }

  /// `value[index]`
  func item(_ index: RuntimeValue, of value: RuntimeValue, line: Int)
    throws(TokenizerError) -> RuntimeValue
  {
    switch (value, index) {
    case (_, .string(let name)):
      try meter.charge(bytes: name.utf8.count)
      return try member(name, of: value, line: line)
    case (.undefined(let what), _):
      throw .templateFailed(line: line, reason: "'\(what)' is undefined, so it has no items")
    case (.dictionary(let dictionary), _):
      guard let name = DictionaryKey.name(of: index) else {
        return .undefined("an item of a dictionary")
      }
      return dictionary.members[name] ?? .undefined("an item of a dictionary")
    case (.list(let list), _):
      guard let position = index.asInteger,
        let position = Self.position(position, count: list.elements.count)
      else { return .undefined("an item past the end of a list") }
      return list.elements[position]
    case (.string(let text), _):
      try meter.charge(bytes: text.utf8.count)
      let scalars = text.unicodeScalars
      guard let position = index.asInteger,
        let position = Self.position(position, count: scalars.count)
      else { return .undefined("a character past the end of a string") }
      return .string(String(scalars[scalars.index(scalars.startIndex, offsetBy: position)]))
    default: return .undefined("an item of \(value.typeName)")
    }
  }

  /// The position an index means, counted from the end when negative; nil outside.
  private static func position(_ index: Int, count: Int) -> Int? {
    let position = index < 0 ? index + count : index
    return 0..<count ~= position ? position : nil
  }

  private func slice(_ value: RuntimeValue, _ bounds: [RuntimeValue], line: Int)
    throws(TokenizerError) -> RuntimeValue
  {
    var integers: [Int?] = []
    for bound in bounds {
      if case .none = bound {
        integers.append(nil)
        continue
      }
      guard let integer = bound.asInteger else {
        throw .templateFailed(line: line, reason: "a slice needs integers")
      }
      integers.append(integer)
    }
    guard integers[2] != 0 else {
      throw .templateFailed(line: line, reason: "the step of a slice is zero")
    }
    switch value {
    case .list(let list):
      let positions = Self.positions(integers, count: list.elements.count)
      return try self.list(positions.map { list.elements[$0] }, line: line)
    case .string(let text):
      try meter.charge(bytes: text.utf8.count * 8)
      let scalars = Array(text.unicodeScalars)
      var result = String.UnicodeScalarView()
      result.append(
        contentsOf: Self.positions(integers, count: scalars.count).map { scalars[$0] })
      return .string(String(result))
    default:
      throw .templateFailed(line: line, reason: "\(value.typeName) cannot be sliced")
    }
  }

  /// The positions that `[start, stop, step]` selects of `count`, as in Python.
  private static func positions(_ bounds: [Int?], count: Int) -> StrideTo<Int> {
    let step = min(max(bounds[2] ?? 1, -count - 1), count + 1)
    func clamp(_ bound: Int, _ range: ClosedRange<Int>) -> Int {
      let fromEnd = bound < 0 ? bound.addingReportingOverflow(count).partialValue : bound
      return min(max(fromEnd, range.lowerBound), range.upperBound)
    }
    if step > 0 {
      let start = clamp(bounds[0] ?? 0, 0...count)
      return stride(from: start, to: clamp(bounds[1] ?? count, 0...count), by: step)
    }
    let limits = -1...max(count - 1, -1)
    let start = bounds[0].map { clamp($0, limits) } ?? count - 1
    return stride(from: start, to: bounds[1].map { clamp($0, limits) } ?? -1, by: step)
  }

  // MARK: Calls

  /// A call with the body of `{% call %}` as what its macro calls `caller`.
  func evaluate(_ expression: TemplateExpression, caller: Macro) throws(TokenizerError)
    -> RuntimeValue
  {
    guard case .call(let callee, let arguments) = expression.kind else {
      return try evaluate(expression)
    }
    return try call(callee, arguments, caller: .macro(caller))
  }

  private func call(
    _ callee: TemplateExpression, _ arguments: TemplateArguments, caller: RuntimeValue? = nil
  ) throws(TokenizerError) -> RuntimeValue {
    let line = callee.line
    if case .attribute(let base, let name) = callee.kind {
      let subject = try evaluate(base)
      let call = try evaluate(arguments, name: name, line: line)
      if let result = try callMethod(of: subject, call) { return result }
      let member = try member(name, of: subject, line: line)
      if case .undefined = member {
        throw .templateFailed(line: line, reason: "\(subject.typeName) has no method '\(name)'")
      }
      return try self.call(member, call, caller: caller)
    }
    let value = try evaluate(callee)
    let name =
      switch value {
      case .macro(let macro): macro.name
      case .function(let function): function.rawValue
      default: "the call"
      }
    return try call(
      value, try evaluate(arguments, name: name, line: line), caller: caller)
  }

  private func call(_ value: RuntimeValue, _ call: TemplateCall, caller: RuntimeValue?)
    throws(TokenizerError) -> RuntimeValue
  {
    switch value {
    case .macro(let macro): return try self.call(macro, call, caller: caller)
    case .function(let function): return try self.call(function, call)
    case .loop(let loop): return try recurse(loop, call)
    case .undefined(let what): throw call.failed("'\(what)' is undefined")
    default: throw call.failed("\(value.typeName) cannot be called")
    }
  }
}
