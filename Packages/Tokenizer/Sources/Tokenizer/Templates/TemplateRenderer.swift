import Foundation
import JSON

/// Runs the statements of a template.
final class TemplateRenderer {
  /// Variables, innermost scope last. The first holds the context, the second what the template
  /// sets at its top.
  private var scopes: [[String: RuntimeValue]]
  private var output = ""
  var meter: TemplateMeter
  let now: Date

  /// How a list of statements ended.
  private enum Flow { case normal, breaks, continues }

  init(context: [String: RuntimeValue], limits: ChatTemplate.Limits, now: Date) {
    var globals: [String: RuntimeValue] = [:]
    for function in TemplateFunction.allCases { globals[function.rawValue] = .function(function) }
    scopes = [globals.merging(context) { $1 }, [:]]
    meter = TemplateMeter(limits)
    self.now = now
  }

  func render(_ statements: [TemplateStatement]) throws(TokenizerError) -> String {
    _ = try run(statements)
    return output
  }

  // MARK: Variables

  func lookUp(_ name: String) -> RuntimeValue {
    for scope in scopes.reversed() {
      if let value = scope[name] { return value }
    }
    return .undefined(name)
  }

  private func set(_ name: String, _ value: RuntimeValue) { scopes[scopes.count - 1][name] = value }

  private func assign(_ target: TemplateStatement.Target, _ value: RuntimeValue, line: Int)
    throws(TokenizerError)
  {
    try meter.charge()
    switch target {
    case .name(let name): set(name, value)
    case .attribute(let name, let attribute):
      guard case .namespace(let namespace) = lookUp(name) else {
        throw .templateFailed(line: line, reason: "'\(name)' is not a namespace")
      }
      if value.holdsNamespace {
        throw .templateFailed(line: line, reason: "a namespace cannot hold a namespace or a loop")
      }
      namespace.members[attribute] = value
    case .tuple(let targets):
      let values = try elements(of: value, line: line)
      guard values.count == targets.count else {
        throw .templateFailed(
          line: line, reason: "\(values.count) values for \(targets.count) names")
      }
      for (target, value) in zip(targets, values) { try assign(target, value, line: line) }
    }
  }

  // MARK: Statements

  private func run(_ statements: [TemplateStatement]) throws(TokenizerError) -> Flow {
    try meter.enter()
    defer { meter.leave() }
    for statement in statements {
      try meter.charge()
      let flow = try run(statement)
      if flow != .normal { return flow }
    }
    return .normal
  }

  private func run(_ statement: TemplateStatement) throws(TokenizerError) -> Flow {
    switch statement {
    case .text(let text): try write(text)
    case .output(let expression):
      try write(try text(of: try evaluate(expression), line: expression.line))
    case .conditional(let branches, let otherwise):
      for branch in branches where try evaluate(branch.condition).isTrue {
        return try run(branch.body)
      }
      return try run(otherwise)
    case .loop(let loop): try run(loop)
    case .assignment(let target, let expression):
      try assign(target, try evaluate(expression), line: expression.line)
    case .capture(let target, let filters, let body, let line):
      let text = try captured(body, in: [:])
      try assign(target, try apply(filters, to: text, line: line), line: line)
    case .filtered(let filters, let body, let line):
      let value = try apply(filters, to: try captured(body, in: [:]), line: line)
      try write(try text(of: value, line: line))
    case .macro(let macro): set(macro.name, .macro(macro))
    case .callBlock(let call, let caller):
      try write(try text(of: try evaluate(call, caller: caller), line: call.line))
    case .scope(let values, let body):
      var scope: [String: RuntimeValue] = [:]
      for (target, expression) in values {
        if case .name(let name) = target { scope[name] = try evaluate(expression) }
      }
      scopes.append(scope)
      defer { scopes.removeLast() }
      return try run(body)
    case .breakLoop: return .breaks
    case .continueLoop: return .continues
    }
    return .normal
  }

  private func write(_ text: String) throws(TokenizerError) {
    try meter.charge(bytes: text.utf8.count)
    try meter.checkOutput(bytes: output.utf8.count + text.utf8.count)
    output += text
  }

  private func run(
    _ loop: TemplateStatement.Loop, over given: RuntimeValue? = nil, depth: Int = 0
  ) throws(TokenizerError) {
    let sequence: RuntimeValue
    if let given { sequence = given } else { sequence = try evaluate(loop.sequence) }
    let all = try elements(of: sequence, line: loop.line)
    scopes.append([:])
    defer { scopes.removeLast() }
    let selected = try select(all, loop)
    let state = RuntimeLoop(selected, depth: depth, statement: loop.isRecursive ? loop : nil)
    for (index, element) in selected.enumerated() {
      state.index = index
      scopes[scopes.count - 1] = ["loop": .loop(state)]
      try assign(loop.targets, element, line: loop.line)
      if try run(loop.body) == .breaks { break }
    }
    if selected.isEmpty {
      scopes[scopes.count - 1] = [:]
      _ = try run(loop.otherwise)
    }
  }

  /// What a recursive loop writes for other elements: `loop(children)`.
  func recurse(_ state: RuntimeLoop, _ call: TemplateCall) throws(TokenizerError) -> RuntimeValue {
    guard let loop = state.statement else {
      throw call.failed("the loop is not marked 'recursive'")
    }
    try meter.enter()
    defer { meter.leave() }
    let before = output
    output = ""
    defer { output = before }
    try run(loop, over: try call.required(0, "iterable"), depth: state.depth + 1)
    return .string(output)
  }

  /// The elements for which the loop's condition holds.
  private func select(_ elements: [RuntimeValue], _ loop: TemplateStatement.Loop)
    throws(TokenizerError) -> [RuntimeValue]
  {
    guard let condition = loop.condition else { return elements }
    var selected: [RuntimeValue] = []
    for element in elements {
      try assign(loop.targets, element, line: loop.line)
      if try evaluate(condition).isTrue { selected.append(element) }
    }
    return selected
  }

  // MARK: Captures

  /// What `body` writes, as a string.
  private func captured(_ body: [TemplateStatement], in scope: [String: RuntimeValue])
    throws(TokenizerError) -> String
  {
    let before = output
    output = ""
    scopes.append(scope)
    defer {
      output = before
      scopes.removeLast()
    }
    _ = try run(body)
    return output
  }

  private func apply(_ filters: [TemplateStatement.Filter], to text: String, line: Int)
    throws(TokenizerError) -> RuntimeValue
  {
    var value = RuntimeValue.string(text)
    for filter in filters {
      value = try apply(filter: filter.name, to: value, filter.arguments, line: line)
    }
    return value
  }

  /// Calls a macro: its body sees the template's top-level variables and its parameters.
  func call(
    _ macro: Macro, _ arguments: TemplateCall, caller: RuntimeValue? = nil
  ) throws(TokenizerError) -> RuntimeValue {
    let names = macro.parameters.map(\.name)
    let more = arguments.named.filter { !names.contains($0.name) && $0.name != "caller" }
    if !macro.takesMore {
      guard arguments.positional.count <= macro.parameters.count else {
        throw arguments.failed("too many arguments for macro '\(macro.name)'")
      }
      if let other = more.first {
        throw arguments.failed("macro '\(macro.name)' has no parameter '\(other.name)'")
      }
    }
    // What is called by a macro sees where it was written.
    let outer = scopes
    if macro.name != "caller" { scopes = Array(scopes.prefix(2)) }
    defer { scopes = outer }
    var scope: [String: RuntimeValue] = [:]
    scope["caller"] = caller ?? arguments.argument(.max, "caller")
    if macro.takesMore {
      scope["varargs"] = try tuple(
        Array(arguments.positional.dropFirst(names.count)), line: arguments.line)
      scope["kwargs"] = try dictionary(
        OrderedObject(more.map { ($0.name, $0.value) }), line: arguments.line)
    }
    for (index, parameter) in macro.parameters.enumerated() {
      if let value = arguments.argument(index, parameter.name) {
        scope[parameter.name] = value
      } else if let fallback = parameter.fallback {
        // Defaults see the parameters before them.
        scopes.append(scope)
        defer { scopes.removeLast() }
        scope[parameter.name] = try evaluate(fallback)
      } else {
        scope[parameter.name] = .undefined(parameter.name)
      }
    }
    return .string(try captured(macro.body, in: scope))
  }

  // MARK: Conversions

  /// What a value looks like in the output.
  func text(of value: RuntimeValue, line: Int) throws(TokenizerError) -> String {
    if case .string(let text) = value { return text }
    return try PythonText.string(value, &meter)
  }

  /// The elements of something that can be looped over.
  func elements(of value: RuntimeValue, line: Int) throws(TokenizerError) -> [RuntimeValue] {
    switch value {
    case .undefined: return []
    case .list(let list):
      try meter.charge(1 + list.elements.count / 8)
      return list.elements
    case .dictionary(let dictionary):
      try meter.charge(dictionary.members.count)
      return dictionary.keys
    case .string(let text):
      try meter.charge(text.utf8.count)
      return text.unicodeScalars.map { .string(String(Character($0))) }
    default:
      throw .templateFailed(line: line, reason: "\(value.typeName) cannot be looped over")
    }
  }
}
