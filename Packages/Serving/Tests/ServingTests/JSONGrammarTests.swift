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
}
