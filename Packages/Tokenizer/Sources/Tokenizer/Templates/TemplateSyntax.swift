import JSON

/// The syntax tree of a chat template.
///
/// Expressions know their depth, so that a tree too deep for the recursive interpreter is refused
/// while parsing.
final class TemplateExpression: Sendable {
  typealias Expression = TemplateExpression

  indirect enum Kind: Sendable {
    case literal(JSONValue)
    case name(String)
    case list([Expression])
    case tuple([Expression])
    case dictionary([(key: Expression, value: Expression)])
    case attribute(Expression, String)
    case item(Expression, Expression)
    case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
    case call(Expression, TemplateArguments)
    case filter(Expression, String, TemplateArguments)
    case test(Expression, String, TemplateArguments)
    case not(Expression)
    case negative(Expression)
    case positive(Expression)
    case binary(BinaryOperator, Expression, Expression)
    case comparison(Expression, [(Comparison, Expression)])
    case and(Expression, Expression)
    case or(Expression, Expression)
    case conditional(condition: Expression, then: Expression, else: Expression?)
  }

  enum BinaryOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case remainder = "%"
    case power = "**"
    case concatenate = "~"
  }

  enum Comparison: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case isNotIn = "not in"
  }

  /// The deepest tree that is accepted.
  static let maximumDepth = 150

  let kind: Kind
  let line: Int
  private let depth: Int

  init(_ kind: Kind, line: Int) throws(TokenizerError) {
    self.kind = kind
    self.line = line
    depth = 1 + (kind.children.map(\.depth).max() ?? 0)
    if depth > Self.maximumDepth {
      throw .templateSyntax(
        line: line, reason: "expression nested deeper than \(Self.maximumDepth)")
    }
  }
}

extension TemplateExpression {
  /// Whether this is the constant `false`.
  var isFalse: Bool { if case .literal(.bool(false)) = kind { true } else { false } }
}

extension TemplateExpression.Kind {
  fileprivate var children: [TemplateExpression] {
    switch self {
    case .literal, .name: []
    case .list(let elements), .tuple(let elements): elements
    case .dictionary(let members): members.flatMap { [$0.key, $0.value] }
    case .attribute(let base, _): [base]
    case .item(let base, let index): [base, index]
    case .slice(let base, let start, let stop, let step):
      [base] + [start, stop, step].compactMap(\.self)
    case .call(let base, let arguments), .filter(let base, _, let arguments),
      .test(let base, _, let arguments):
      [base] + arguments.all
    case .not(let operand), .negative(let operand), .positive(let operand): [operand]
    case .binary(_, let left, let right), .and(let left, let right), .or(let left, let right):
      [left, right]
    case .comparison(let first, let rest): [first] + rest.map(\.1)
    case .conditional(let condition, let then, let otherwise):
      [condition, then] + [otherwise].compactMap(\.self)
    }
  }
}

/// The arguments of a call, filter or test.
struct TemplateArguments: Sendable {
  var positional: [TemplateExpression] = []
  var named: [(name: String, value: TemplateExpression)] = []

  var all: [TemplateExpression] { positional + named.map(\.value) }
}

/// A statement of a chat template.
indirect enum TemplateStatement: Sendable {
  /// Text copied to the output.
  case text(String)
  /// `{{ expression }}`
  case output(TemplateExpression)
  case conditional(branches: [Branch], otherwise: [TemplateStatement])
  case loop(Loop)
  case assignment(Target, TemplateExpression)
  /// `{% set name %}...{% endset %}`, with filters.
  case capture(Target, filters: [Filter], body: [TemplateStatement], line: Int)
  /// `{% filter name %}...{% endfilter %}`
  case filtered([Filter], body: [TemplateStatement], line: Int)
  case macro(Macro)
  /// `{% call(parameters) macro(...) %}...{% endcall %}`
  case callBlock(TemplateExpression, caller: Macro)
  /// `{% with name = value %}...{% endwith %}`
  case scope([(name: Target, value: TemplateExpression)], body: [TemplateStatement])
  case breakLoop
  case continueLoop

  struct Branch: Sendable {
    let condition: TemplateExpression
    let body: [TemplateStatement]
  }

  struct Loop: Sendable {
    let targets: Target
    let sequence: TemplateExpression
    let condition: TemplateExpression?
    let body: [TemplateStatement]
    let otherwise: [TemplateStatement]
    let isRecursive: Bool
    let line: Int
  }

  struct Filter: Sendable {
    let name: String
    let arguments: TemplateArguments
  }

  /// What an assignment or a loop writes to.
  indirect enum Target: Sendable {
    case name(String)
    /// `namespace.attribute`
    case attribute(String, String)
    case tuple([Target])
  }
}

/// A macro: parameters, their defaults, and a body.
final class Macro: Sendable {
  let name: String
  /// Whether arguments without a parameter are taken: the body names `varargs` or `kwargs`.
  let takesMore: Bool
  let parameters: [(name: String, fallback: TemplateExpression?)]
  let body: [TemplateStatement]
  let line: Int

  init(
    name: String, parameters: [(name: String, fallback: TemplateExpression?)],
    body: [TemplateStatement], line: Int, takesMore: Bool = false
  ) {
    self.takesMore = takesMore
    self.name = name
    self.parameters = parameters
    self.body = body
    self.line = line
  }
}
