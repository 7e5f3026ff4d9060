/// Parses the statements of a template (a recursive-descent parser over its segments).
struct TemplateParser {
  private let segments: [TemplateSegment]
  private var index = 0
  /// The tokens of the tag being parsed.
  private var tokens: [TemplateToken] = []
  private var next = 0
  /// How deep expressions or blocks are nested at this point.
  private var nesting = 0

  private static let maximumNesting = 60

  static func parse(_ source: String) throws(TokenizerError) -> [TemplateStatement] {
    var parser = TemplateParser(segments: try TemplateLexer.segments(of: source))
    return try parser.parseBlock(until: []).body
  }

  private init(segments: [TemplateSegment]) { self.segments = segments }

  // MARK: Tokens

  /// The token to be read; past the last one, the end of the tag.
  var token: TemplateToken {
    next < tokens.count ? tokens[next] : TemplateToken(kind: .end, line: tokens.last?.line ?? 1)
  }

  var line: Int { token.line }

  mutating func advance() { next += 1 }

  mutating func stepBack() { next -= 1 }

  /// Whether the token after the next one is this symbol.
  func isFollowed(by symbol: String) -> Bool {
    next + 1 < tokens.count && tokens[next + 1].kind == .symbol(symbol)
  }

  mutating func consume(symbol: String) -> Bool { consume(.symbol(symbol)) }

  mutating func consume(name: String) -> Bool { consume(.name(name)) }

  private mutating func consume(_ kind: TemplateToken.Kind) -> Bool {
    guard token.kind == kind else { return false }
    advance()
    return true
  }

  mutating func expect(symbol: String) throws(TokenizerError) {
    if !consume(symbol: symbol) { throw syntax("expected '\(symbol)'") }
  }

  mutating func expectName() throws(TokenizerError) -> String {
    guard case .name(let name) = token.kind else { throw syntax("expected a name") }
    advance()
    return name
  }

  func syntax(_ reason: String) -> TokenizerError { .templateSyntax(line: line, reason: reason) }

  /// Runs `body` one level deeper.
  mutating func nested<Result>(
    _ body: (inout TemplateParser) throws(TokenizerError) -> Result
  ) throws(TokenizerError) -> Result {
    nesting += 1
    defer { nesting -= 1 }
    if nesting > Self.maximumNesting {
      throw syntax("nested deeper than \(Self.maximumNesting)")
    }
    return try body(&self)
  }

  // MARK: Blocks

  /// Parses up to a statement whose first word is in `ends`, which is consumed.
  private mutating func parseBlock(until ends: Set<String>) throws(TokenizerError)
    -> (body: [TemplateStatement], end: String)
  {
    var body: [TemplateStatement] = []
    while index < segments.count {
      let segment = segments[index]
      index += 1
      switch segment {
      case .text(let text): body.append(.text(text))
      case .output(let tokens):
        begin(tokens)
        body.append(.output(try parseTuple()))
        try endTag()
      case .statement(let tokens):
        begin(tokens)
        let word = try expectName()
        if ends.contains(word) { return (body, word) }
        body += try nested { (parser) throws(TokenizerError) in
          try parser.parseStatement(word)
        }
      }
    }
    guard ends.isEmpty else {
      throw syntax("missing \(ends.sorted().joined(separator: " or "))")
    }
    return (body, "")
  }

  private mutating func begin(_ tokens: [TemplateToken]) {
    self.tokens = tokens
    next = 0
  }

  private mutating func endTag() throws(TokenizerError) {
    guard token.kind == .end else { throw syntax("unexpected text in the tag") }
  }

  private mutating func parseStatement(_ word: String) throws(TokenizerError)
    -> [TemplateStatement]
  {
    switch word {
    case "if": return [try parseIf()]
    case "for": return [try parseFor()]
    case "set": return [try parseSet()]
    case "macro": return [try parseMacro()]
    case "filter":
      let line = line
      let filters = try parseFilterChain()
      return [.filtered(filters, body: try parseBody("endfilter"), line: line)]
    case "call": return [try parseCall()]
    case "with": return [try parseWith()]
    case "block":
      _ = try expectName()
      return try parseBody("endblock", named: true)
    case "autoescape":
      guard try parseExpression().isFalse else {
        throw syntax("autoescape is not supported")
      }
      return try parseBody("endautoescape")
    case "generation": return try parseBody("endgeneration")
    case "break": return [.breakLoop]
    case "continue": return [.continueLoop]
    default: throw syntax("unknown statement '\(word)'")
    }
  }

  /// Ends the tag and parses up to the end word.
  private mutating func parseBody(_ end: String, named: Bool = false) throws(TokenizerError)
    -> [TemplateStatement]
  {
    try endTag()
    let body = try parseBlock(until: [end]).body
    if named, token.kind != .end { _ = try expectName() }
    try endTag()
    return body
  }

  private mutating func parseIf() throws(TokenizerError) -> TemplateStatement {
    var branches: [TemplateStatement.Branch] = []
    var otherwise: [TemplateStatement] = []
    var condition = try parseTuple()
    while true {
      try endTag()
      let (body, end) = try parseBlock(until: ["elif", "else", "endif"])
      branches.append(TemplateStatement.Branch(condition: condition, body: body))
      if end == "elif" {
        condition = try parseTuple()
        continue
      }
      if end == "else" { otherwise = try parseBody("endif") }
      try endTag()
      return .conditional(branches: branches, otherwise: otherwise)
    }
  }

  private mutating func parseFor() throws(TokenizerError) -> TemplateStatement {
    let line = line
    let targets = try parseTargets(end: "in")
    guard consume(name: "in") else { throw syntax("expected 'in'") }
    let sequence = try parseOr()
    let condition = consume(name: "if") ? try parseExpression() : nil
    let isRecursive = consume(name: "recursive")
    try endTag()
    let (body, end) = try parseBlock(until: ["else", "endfor"])
    let otherwise = end == "else" ? try parseBody("endfor") : []
    try endTag()
    return .loop(
      TemplateStatement.Loop(
        targets: targets, sequence: sequence, condition: condition, body: body,
        otherwise: otherwise, isRecursive: isRecursive, line: line))
  }

  private mutating func parseSet() throws(TokenizerError) -> TemplateStatement {
    let line = line
    let target = try parseTargets(end: nil)
    if consume(symbol: "=") {
      let value = try parseTuple()
      try endTag()
      return .assignment(target, value)
    }
    let filters = consume(symbol: "|") ? try parseFilterChain() : []
    return .capture(target, filters: filters, body: try parseBody("endset"), line: line)
  }

  private mutating func parseTargets(end: String?) throws(TokenizerError)
    -> TemplateStatement.Target
  {
    var targets: [TemplateStatement.Target] = []
    repeat {
      if targets.count > 0,
        token.kind == .symbol("=") || end.map({ token.kind == .name($0) }) == true
      {
        break
      }
      if consume(symbol: "(") {
        targets.append(
          try nested { (parser) throws(TokenizerError) in try parser.parseTargets(end: nil) })
        try expect(symbol: ")")
        continue
      }
      let name = try expectName()
      let attribute = consume(symbol: ".") ? try expectName() : nil
      targets.append(attribute.map { .attribute(name, $0) } ?? .name(name))
    } while consume(symbol: ",")
    return targets.count == 1 ? targets[0] : .tuple(targets)
  }

  private mutating func parseMacro() throws(TokenizerError) -> TemplateStatement {
    let line = line
    let name = try expectName()
    try expect(symbol: "(")
    let parameters = try parseParameters()
    let first = index
    let body = try parseBody("endmacro")
    return .macro(
      Macro(
        name: name, parameters: parameters, body: body, line: line,
        takesMore: mentionsMore(from: first)))
  }

  /// Whether the segments read since `first` name `varargs` or `kwargs`.
  private func mentionsMore(from first: Int) -> Bool {
    segments[first..<index].contains { segment in
      switch segment {
      case .text: false
      case .output(let tokens), .statement(let tokens):
        tokens.contains { $0.kind == .name("varargs") || $0.kind == .name("kwargs") }
      }
    }
  }

  private mutating func parseCall() throws(TokenizerError) -> TemplateStatement {
    let line = line
    let parameters = consume(symbol: "(") ? try parseParameters() : []
    let call = try parseExpression()
    guard case .call = call.kind else { throw syntax("expected a call") }
    let body = try parseBody("endcall")
    return .callBlock(
      call, caller: Macro(name: "caller", parameters: parameters, body: body, line: line))
  }

  private mutating func parseWith() throws(TokenizerError) -> TemplateStatement {
    var values: [(name: TemplateStatement.Target, value: TemplateExpression)] = []
    while token.kind != .end {
      if !values.isEmpty { try expect(symbol: ",") }
      let target: TemplateStatement.Target = .name(try expectName())
      try expect(symbol: "=")
      values.append((target, try parseExpression()))
    }
    return .scope(values, body: try parseBody("endwith"))
  }

  /// Parameters and their defaults, after the opening parenthesis.
  private mutating func parseParameters() throws(TokenizerError)
    -> [(name: String, fallback: TemplateExpression?)]
  {
    var parameters: [(name: String, fallback: TemplateExpression?)] = []
    while !consume(symbol: ")") {
      if !parameters.isEmpty { try expect(symbol: ",") }
      let parameter = try expectName()
      let fallback = consume(symbol: "=") ? try parseExpression() : nil
      parameters.append((parameter, fallback))
    }
    return parameters
  }

  /// `name(arguments) | name ...`, after the first bar.
  private mutating func parseFilterChain() throws(TokenizerError) -> [TemplateStatement.Filter] {
    var filters: [TemplateStatement.Filter] = []
    repeat {
      let name = try expectName()
      let arguments = consume(symbol: "(") ? try parseArguments() : TemplateArguments()
      filters.append(TemplateStatement.Filter(name: name, arguments: arguments))
    } while consume(symbol: "|")
    return filters
  }
}
