import JSON
import Testing

@testable import Serving

/// Which texts a schema's grammar allows.
@Suite struct JSONGrammarTests {
  static func allows(_ schema: String, _ text: String) throws -> Bool {
    let grammar = try JSONSchema.grammar(JSONValue(parsing: schema.utf8))
    var state = grammar.start
    for byte in text.utf8 { state = grammar.step(state, byte) }
    return JSONGrammar.isComplete(state)
  }

  static let person = """
    {"type": "object", "required": ["name", "age"], "additionalProperties": false, "properties":
    {"name": {"type": "string"}, "nick": {"type": ["string", "null"]}, "age": {"type": "integer"}}}
    """

  @Test(arguments: [
    (person, #"{"name": "Ada", "age": 36}"#, true),
    (person, #"{"name":"Ada","nick":null,"age":-3}"#, true),
    (person, "{\n  \"name\": \"\u{e9}\\u00e9\\n\",\n  \"age\": 0\n}", true),
    (person, #"{"name": "Ada"}"#, false), (person, #"{"age": 36, "name": "Ada"}"#, false),
    (person, #"{"name": "Ada", "age": 3.5}"#, false),
    (person, #"{"name": "Ada", "age": 03}"#, false),
    (person, #"{"name": "Ada", "age": 3, "more": 1}"#, false),
    (person, #"{"name": "Ada", "age": 3,}"#, false),
    (person, "{\"name\": \"A\nB\", \"age\": 3}", false),
    (
      #"{"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 2}"#, "[1e5]",
      true
    ),
    (
      #"{"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 2}"#, "[1, -2.5]",
      true
    ),
    (#"{"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 2}"#, "[]", false),
    (
      #"{"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 2}"#, "[1,2,3]",
      false
    ),
    (
      #"{"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 2}"#, "[1.]",
      false
    ),
    (#"{"enum": ["red", 5, null]}"#, "\"red\"", true), (#"{"enum": ["red", 5, null]}"#, "5", true),
    (#"{"enum": ["red", 5, null]}"#, "\"re\"", false),
    (#"{"const": {"a": [1]}}"#, #"{"a":[1]}"#, true),
    (#"{"anyOf": [{"type": "integer"}, {"type": "boolean"}]}"#, "true", true),
    (#"{"anyOf": [{"type": "integer"}, {"type": "boolean"}]}"#, "null", false),
    ("{}", #"{"a": [true, {"b": null}], "c": 1.5}"#, true), ("{}", #"{"a": [true}"#, false),
    (
      #"{"type": "object", "additionalProperties": {"type": "integer"}}"#, #"{"a": 1, "b": 2}"#,
      true
    ),
    (#"{"type": "object", "additionalProperties": {"type": "integer"}}"#, #"{"a": "x"}"#, false),
    (
      ##"{"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}, "required": ["next"]}}}"##,
      #"{"next": {"next": null}}"#, true
    ),
    (
      ##"{"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}, "required": ["next"]}}}"##,
      #"{"next": {}}"#, false
    ),
  ])
  func textsOfASchema(schema: String, text: String, isAllowed: Bool) throws {
    #expect(try Self.allows(schema, text) == isAllowed)
  }

  @Test(arguments: [
    #"{"type": "string", "pattern": "a+"}"#, #"{"type": "integer", "minimum": 3}"#,
    #"{"type": "date"}"#,
    ##"{"$ref": "#/$defs/nowhere"}"##, ##"{"$ref": "#"}"##, #"{"enum": []}"#,
    #"{"type": "object", "required": ["a"]}"#,
    #"{"type": "array", "minItems": 3, "maxItems": 2}"#, "5",
  ])
  func whatIsNotSupportedIsObjectedTo(schema: String) throws {
    let value = try JSONValue(parsing: schema.utf8)
    #expect(throws: JSONSchema.Problem.self) { try JSONSchema.grammar(value) }
  }

  /// Whatever is drawn leads to the end of a text: no digit, blank or bracket can be one too many.
  @Test(arguments: [
    person, "{}", #"{"type": "array", "items": {"type": "number"}, "minItems": 2}"#,
    ##"{"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}, "required": ["next"]}}}"##,
  ])
  func noStateIsADeadEnd(schema: String) throws {
    let grammar = try JSONSchema.grammar(JSONValue(parsing: schema.utf8))
    // Bytes that hurt most come first: those that open, repeat and fill.
    for hurtful in ["[{\" \n", " \n1[", "1.e9", "[", "{\"n"] {
      var (state, length) = (grammar.start, 0)
      while length < 600 {
        let turn = length % hurtful.utf8.count
        let bytes =
          hurtful.utf8.dropFirst(turn) + Array(hurtful.utf8.prefix(turn)) + Array(0x09...0x7E)
        let next = bytes.lazy.map { grammar.step(state, $0) }.first { !$0.isEmpty }
        guard let next else { break }
        state = next
        length += 1
      }
      #expect(length == 600 || JSONGrammar.isComplete(state), "\(hurtful) \(length)")
    }
  }

  /// Choices of choices, thirty deep, and arrays of arrays of which none can be told from the others: without bounds each
  /// step would take twice, or ten times, as long as the one before.
  @Test(.timeLimit(.minutes(1))) func ambiguousSchemasStayCheap() throws {
    let names = (0..<30).map { n in
      ##""d\##(n + 1)": {"anyOf": [{"$ref": "#/$defs/d\##(n)"}, {"$ref": "#/$defs/d\##(n)"}]}"##
    }
    let doubled =
      ##"{"$ref": "#/$defs/d30", "$defs": {"d0": {"type": "integer"}, "##
      + names.joined(separator: ", ") + "}}"
    #expect(try Self.allows(doubled, "17"))
    #expect(try !Self.allows(doubled, "true"))
    let arrays = (1...10).map {
      ##"{"type": "array", "items": {"$ref": "#/$defs/v"}, "maxItems": \##($0)}"##
    }
    let nested =
      ##"{"$ref": "#/$defs/v", "$defs": {"v": {"anyOf": [\##(arrays.joined(separator: ","))]}}}"##
    #expect(
      try Self.allows(nested, String(repeating: "[", count: 12) + String(repeating: "]", count: 12))
    )
    #expect(try !Self.allows(nested, "[[1]]"))
  }

  /// Texts that begin alike are one way to read what has come.
  @Test func manyValuesOfAnEnumeration() throws {
    let values = (0..<3000).map { "\"a value \($0)\"" } + ["5", "57", "\"a value\"", "5"]
    let schema = #"{"enum": [\#(values.joined(separator: ","))]}"#
    for text in ["\"a value 0\"", "\"a value 2999\"", "\"a value 57\"", "5", "57", "\"a value\""] {
      #expect(try Self.allows(schema, text), "\(text)")
    }
    for text in ["\"a value 3000\"", "\"a value ", "7", "577", "\"a value\"\""] {
      #expect(try !Self.allows(schema, text), "\(text)")
    }
    let grammar = try JSONSchema.grammar(JSONValue(parsing: schema.utf8))
    #expect("\"a val".utf8.reduce(grammar.start) { grammar.step($0, $1) }.count == 1)
  }

  /// What a schema makes a server do has bounds.
  @Test(arguments: [
    #"{"enum": ["\#(String(repeating: "x", count: 200_000))"]}"#,
    #"{"properties": {"\#(String(repeating: "x", count: 200_000))": {}}}"#,
    ##"{"anyOf": [\##(Array(repeating: ##"{"$ref": "#/$defs/n"}"##, count: 9000).joined(separator: ","))], "$defs": {"n": {"type": "null"}}}"##,
    #"{"anyOf": [\#(Array(repeating: #"{"type": "null"}"#, count: 2000).joined(separator: ","))]}"#,
  ])
  func schemasHaveBounds(schema: String) throws {
    let value = try JSONValue(parsing: schema.utf8)
    let problem = #expect(throws: JSONSchema.Problem.self) { try JSONSchema.grammar(value) }
    #expect(problem?.reason.contains("more than") == true)
  }

  /// References that lead on and on are followed by a function that calls itself.
  @Test func aLongChainOfReferences() throws {
    let links = (1..<500).map { ##""r\##($0)": {"$ref": "#/$defs/r\##($0 - 1)"}"## }
    let schema =
      ##"{"$ref": "#/$defs/r499", "$defs": {"r0": {"type": "null"}, "##
      + links.joined(separator: ", ") + "}}"
    #expect(try Self.allows(schema, "null"))
  }

  static let call = "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call>"

  @Test(arguments: [
    (call, true), (call + "\n" + call, true), (call + call, false), (" " + call, false),
    (#"{"name": "add", "arguments": {"a": 1}}"#, false),
    ("<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>", true),
    ("<tool_call>\n{\"name\": \"gone\", \"arguments\": {}}\n</tool_call>", false),
    ("<tool_call>\n{\"name\": \"add\", \"arguments\": {}}\n</tool_call>", false),
  ])
  func callsOfTools(text: String, isAllowed: Bool) throws {
    let schema =
      ##"{"type": "object", "properties": {"a": {"$ref": "#/$defs/n"}}, "required": ["a"]}"##
    let parameters = try JSONValue(parsing: schema.utf8)
    guard var object = parameters.object else { return }
    object["$defs"] = .object(["n": .object(["type": .string("integer")])])
    let grammar = try JSONSchema.grammar(
      calling: [
        ToolDefinition(name: "add", parameters: .object(object)),
        ToolDefinition(name: "now", parameters: .null),
      ], form: .tagged, repeats: true)
    var state = grammar.start
    for byte in text.utf8 { state = grammar.step(state, byte) }
    #expect(JSONGrammar.isComplete(state) == isAllowed)
  }
}
