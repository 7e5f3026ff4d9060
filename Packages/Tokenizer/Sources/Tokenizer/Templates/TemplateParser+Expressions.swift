/// Expressions, loosest binding first.
extension TemplateParser {
  /// One expression, or several separated by commas as a list.
  mutating func parseTuple() throws(TokenizerError) -> TemplateExpression {
    let line = line
    let first = try parseExpression()
    guard token.kind == .symbol(",") else { return first }
    var elements = [first]
    while consume(symbol: ",") {
      if isAtEndOfTuple { break }
      elements.append(try parseExpression())
    }
    return try TemplateExpression(.tuple(elements), line: line)
  }

  private var isAtEndOfTuple: Bool { token.kind == .end || token.kind == .symbol(")") }

  /// `a if condition else b`
  mutating func parseExpression() throws(TokenizerError) -> TemplateExpression {
    try nested { (parser) throws(TokenizerError) in
      let line = parser.line
      var value = try parser.parseOr()
      while parser.consume(name: "if") {
        let condition = try parser.parseOr()
        let otherwise = parser.consume(name: "else") ? try parser.parseExpression() : nil
        value = try TemplateExpression(
          .conditional(condition: condition, then: value, else: otherwise), line: line)
      }
      return value
    }
  }

  mutating func parseOr() throws(TokenizerError) -> TemplateExpression {
    var left = try parseAnd()
    while consume(name: "or") {
      left = try TemplateExpression(.or(left, try parseAnd()), line: line)
    }
    return left
  }

  private mutating func parseAnd() throws(TokenizerError) -> TemplateExpression {
    var left = try parseNot()
    while consume(name: "and") {
      left = try TemplateExpression(.and(left, try parseNot()), line: line)
    }
    return left
  }

  private mutating func parseNot() throws(TokenizerError) -> TemplateExpression {
    guard consume(name: "not") else { return try parseComparison() }
    return try nested { (parser) throws(TokenizerError) in
      try TemplateExpression(.not(try parser.parseNot()), line: parser.line)
    }
  }

  private mutating func parseComparison() throws(TokenizerError) -> TemplateExpression {
    let line = line
    let first = try parseSum()
    var rest: [(TemplateExpression.Comparison, TemplateExpression)] = []
    while let comparison = consumeComparison() { rest.append((comparison, try parseSum())) }
    return rest.isEmpty ? first : try TemplateExpression(.comparison(first, rest), line: line)
  }

  private mutating func consumeComparison() -> TemplateExpression.Comparison? {
    switch token.kind {
    case .symbol(let symbol):
      guard let comparison = TemplateExpression.Comparison(rawValue: symbol) else { return nil }
      advance()
      return comparison
    case .name("in"):
      advance()
      return .isIn
    case .name("not"):
      advance()
      if consume(name: "in") { return .isNotIn }
      stepBack()
      return nil
    default: return nil
    }
  }

  private mutating func parseSum() throws(TokenizerError) -> TemplateExpression {
    try parseBinary([.add, .subtract]) { (parser) throws(TokenizerError) in
      try parser.parseBinary([.concatenate]) { (parser) throws(TokenizerError) in
        try parser.parseBinary([.multiply, .divide, .floorDivide, .remainder]) {
          (parser) throws(TokenizerError) in
          try parser.parseBinary([.power]) { (parser) throws(TokenizerError) in
            try parser.parseUnary(withFilters: true)
          }
        }
      }
    }
  }

  /// A left-associative chain of `operators`.
  private mutating func parseBinary(
    _ operators: [TemplateExpression.BinaryOperator],
    _ parseOperand: (inout TemplateParser) throws(TokenizerError) -> TemplateExpression
  ) throws(TokenizerError) -> TemplateExpression {
    var left = try parseOperand(&self)
    while case .symbol(let symbol) = token.kind,
      let operation = TemplateExpression.BinaryOperator(rawValue: symbol),
      operators.contains(operation)
    {
      advance()
      left = try TemplateExpression(.binary(operation, left, try parseOperand(&self)), line: line)
    }
    return left
  }

  private mutating func parseUnary(withFilters: Bool) throws(TokenizerError) -> TemplateExpression {
    let line = line
    var operand: TemplateExpression
    if consume(symbol: "-") {
      operand = try TemplateExpression(.negative(try parseOperand()), line: line)
    } else if consume(symbol: "+") {
      operand = try TemplateExpression(.positive(try parseOperand()), line: line)
    } else {
      operand = try parsePrimary()
    }
    operand = try parsePostfix(operand)
    return withFilters ? try parseFilters(operand) : operand
  }

  private mutating func parseOperand() throws(TokenizerError) -> TemplateExpression {
    try nested { (parser) throws(TokenizerError) in try parser.parseUnary(withFilters: false) }
  }

  // MARK: Primaries

  private mutating func parsePrimary() throws(TokenizerError) -> TemplateExpression {
    let line = line
    let kind = token.kind
    advance()
    switch kind {
    case .name(let name):
      return try TemplateExpression(Self.constant(name) ?? .name(name), line: line)
    case .string(var string):
      while case .string(let more) = token.kind {
        string += more
        advance()
      }
      return try TemplateExpression(.literal(.string(string)), line: line)
    case .integer(let value): return try TemplateExpression(.literal(.integer(value)), line: line)
    case .number(let value): return try TemplateExpression(.literal(.number(value)), line: line)
    case .symbol("("):
      if consume(symbol: ")") { return try TemplateExpression(.tuple([]), line: line) }
      let value = try parseTuple()
      try expect(symbol: ")")
      return value
    case .symbol("["):
      return try TemplateExpression(.list(try parseElements(end: "]")), line: line)
    case .symbol("{"):
      return try TemplateExpression(.dictionary(try parseMembers()), line: line)
    default:
      stepBack()
      throw syntax("expected an expression")
    }
  }

  private static func constant(_ name: String) -> TemplateExpression.Kind? {
    switch name {
    case "true", "True": .literal(.bool(true))
    case "false", "False": .literal(.bool(false))
    case "none", "None": .literal(.null)
    default: nil
    }
  }

  private mutating func parseElements(end: String) throws(TokenizerError) -> [TemplateExpression] {
    var elements: [TemplateExpression] = []
    while !consume(symbol: end) {
      if !elements.isEmpty {
        try expect(symbol: ",")
        if consume(symbol: end) { break }
      }
      elements.append(try parseExpression())
    }
    return elements
  }

  private mutating func parseMembers() throws(TokenizerError)
    -> [(key: TemplateExpression, value: TemplateExpression)]
  {
    var members: [(key: TemplateExpression, value: TemplateExpression)] = []
    while !consume(symbol: "}") {
      if !members.isEmpty {
        try expect(symbol: ",")
        if consume(symbol: "}") { break }
      }
      let key = try parseExpression()
      try expect(symbol: ":")
      members.append((key, try parseExpression()))
    }
    return members
  }

  // MARK: Postfix

  private mutating func parsePostfix(_ base: TemplateExpression) throws(TokenizerError)
    -> TemplateExpression
  {
    var value = base
    while true {
      let line = line
      if consume(symbol: ".") {
        if case .integer(let index) = token.kind {
          advance()
          let index = try TemplateExpression(.literal(.integer(index)), line: line)
          value = try TemplateExpression(.item(value, index), line: line)
        } else {
          value = try TemplateExpression(.attribute(value, try expectName()), line: line)
        }
      } else if consume(symbol: "[") {
        value = try parseSubscript(value, line: line)
      } else if consume(symbol: "(") {
        value = try TemplateExpression(.call(value, try parseArguments()), line: line)
      } else {
        return value
      }
    }
  }

  private mutating func parseSubscript(_ base: TemplateExpression, line: Int)
    throws(TokenizerError) -> TemplateExpression
  {
    var parts: [TemplateExpression?] = [nil]
    while !consume(symbol: "]") {
      if consume(symbol: ":") {
        parts.append(nil)
      } else if parts[parts.count - 1] == nil {
        parts[parts.count - 1] = try parseExpression()
      } else {
        throw syntax("expected ']'")
      }
    }
    if parts.count == 1, let index = parts[0] {
      return try TemplateExpression(.item(base, index), line: line)
    }
    guard 2...3 ~= parts.count else { throw syntax("expected an index or a slice") }
    return try TemplateExpression(
      .slice(base, start: parts[0], stop: parts[1], step: parts.count == 3 ? parts[2] : nil),
      line: line)
  }

  /// The arguments of a call, after its opening parenthesis.
  mutating func parseArguments() throws(TokenizerError) -> TemplateArguments {
    var arguments = TemplateArguments()
    var isFirst = true
    while !consume(symbol: ")") {
      if !isFirst {
        try expect(symbol: ",")
        if consume(symbol: ")") { break }
      }
      isFirst = false
      if case .name(let name) = token.kind, isFollowed(by: "=") {
        advance()
        advance()
        arguments.named.append((name, try parseExpression()))
      } else if arguments.named.isEmpty {
        arguments.positional.append(try parseExpression())
      } else {
        throw syntax("a positional argument after a named one")
      }
    }
    return arguments
  }

  // MARK: Filters and tests

  private mutating func parseFilters(_ base: TemplateExpression) throws(TokenizerError)
    -> TemplateExpression
  {
    var value = base
    while true {
      let line = line
      if consume(symbol: "|") {
        let name = try expectName()
        let arguments = consume(symbol: "(") ? try parseArguments() : TemplateArguments()
        value = try TemplateExpression(.filter(value, name, arguments), line: line)
      } else if consume(name: "is") {
        value = try parseTest(value, line: line)
      } else if consume(symbol: "(") {
        value = try TemplateExpression(.call(value, try parseArguments()), line: line)
      } else {
        return value
      }
    }
  }

  private mutating func parseTest(_ base: TemplateExpression, line: Int) throws(TokenizerError)
    -> TemplateExpression
  {
    let isNegated = consume(name: "not")
    let name = try expectName()
    var arguments = TemplateArguments()
    if consume(symbol: "(") {
      arguments = try parseArguments()
    } else if startsTestArgument {
      arguments.positional = [try parsePostfix(try parsePrimary())]
    }
    let test = try TemplateExpression(.test(base, name, arguments), line: line)
    return isNegated ? try TemplateExpression(.not(test), line: line) : test
  }

  /// Whether what follows a test's name is its argument (`x is divisibleby 3`).
  private var startsTestArgument: Bool {
    switch token.kind {
    case .name(let name): !["else", "or", "and", "is", "if", "in", "not"].contains(name)
    case .string, .integer, .number, .symbol("["), .symbol("{"): true
    default: false
    }
  }
}
