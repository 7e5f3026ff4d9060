import JSON
import Synchronization
import Tokenizer

/// The grammars that requests have asked for, each prepared once for the model's vocabulary.
final class GrammarStore: Sendable {
  private enum Key: Hashable {
    case schema(JSONValue)
    case calls([ToolDefinition], ToolCallForm, repeats: Bool)
  }

  private struct Kept {
    var tokens: TokenBytes?
    var grammars: [Key: TokenGrammar] = [:]
  }

  private let kept = Mutex(Kept())
  private let tokenizer: TextTokenizer
  private static let most = 32

  init(_ tokenizer: TextTokenizer) { self.tokenizer = tokenizer }

  /// The grammar of a `response_format`, as `/v1/chat/completions` has it; nil for text of any
  /// form.
  func grammar(_ format: JSONValue) throws(APIError) -> TokenGrammar? {
    var fields = try FieldReader(format, path: "response_format")
    let type = try Self.type(&fields)
    var schema: JSONValue = .null
    if type == "json_schema" {
      guard var named = try fields.reader("json_schema") else {
        throw .invalid("response_format.json_schema", "is missing")
      }
      schema = try Self.schema(&named)
      try named.finish()
    }
    try fields.finish()
    return type == "text" ? nil : try grammar(schema, "response_format.json_schema.schema")
  }

  /// The grammar of a `text.format`, as `/v1/responses` has it; nil for text of any form.
  func grammar(textFormat fields: inout FieldReader) throws(APIError) -> TokenGrammar? {
    let type = try Self.type(&fields)
    let schema = type == "json_schema" ? try Self.schema(&fields) : .null
    try fields.finish()
    return type == "text" ? nil : try grammar(schema, fields.name("schema"))
  }

  /// The grammar of calls of these tools: of one, or of one and more where calls repeat.
  func grammar(
    calling tools: [ToolDefinition], form: ToolCallForm, repeats: Bool
  ) throws(APIError) -> TokenGrammar {
    try grammar(.calls(tools, form, repeats: repeats), field: "tools") {
      () throws(JSONSchema.Problem) in
      try JSONSchema.grammar(calling: tools, form: form, repeats: repeats)
    }
  }

  private static func type(_ fields: inout FieldReader) throws(APIError) -> String {
    let type = try fields.word("type", among: ["text", "json_object", "json_schema"])
    guard let type else { throw .invalid(fields.name("type"), "is missing") }
    return type
  }

  private static func schema(_ fields: inout FieldReader) throws(APIError) -> JSONValue {
    fields.pass("name", "description", "strict")
    guard let schema = fields.value("schema") else {
      throw .invalid(fields.name("schema"), "is missing")
    }
    return schema
  }

  /// The grammar of a schema; of null any object.
  private func grammar(_ schema: JSONValue, _ field: String) throws(APIError) -> TokenGrammar {
    try grammar(.schema(schema), field: field) { () throws(JSONSchema.Problem) in
      schema.isNull ? JSONGrammar.anyObject : try JSONSchema.grammar(schema)
    }
  }

  private func grammar(
    _ key: Key, field: String, make: () throws(JSONSchema.Problem) -> JSONGrammar
  ) throws(APIError) -> TokenGrammar {
    if let grammar = kept.withLock({ $0.grammars[key] }) { return grammar }
    let grammar: JSONGrammar
    do { grammar = try make() } catch {
      throw .invalid(field, "\(error.path): \(error.reason)")
    }
    return kept.withLock { kept in
      let tokens = kept.tokens ?? TokenBytes(tokenizer)
      kept.tokens = tokens
      if kept.grammars.count >= Self.most { kept.grammars = [:] }
      let made = TokenGrammar(grammar, tokens)
      kept.grammars[key] = made
      return made
    }
  }
}
