import JSON
import Synchronization
import Tokenizer

/// The grammars that requests have asked for, each prepared once for the model's vocabulary.
final class GrammarStore: Sendable {
  private struct Kept {
    var tokens: TokenBytes?
    var grammars: [String: TokenGrammar] = [:]
  }

  private let kept = Mutex(Kept())
  private let tokenizer: TextTokenizer
  private static let most = 32

  init(_ tokenizer: TextTokenizer) { self.tokenizer = tokenizer }

  /// The grammar of a `response_format`; nil for text of any form.
  func grammar(_ format: JSONValue) throws(APIError) -> TokenGrammar? {
    var fields = try FieldReader(format, path: "response_format")
    let type = try fields.word("type", among: ["text", "json_object", "json_schema"])
    guard let type else { throw .invalid("response_format.type", "is missing") }
    var schema: JSONValue = .null
    if type == "json_schema" {
      guard var named = try fields.reader("json_schema") else {
        throw .invalid("response_format.json_schema", "is missing")
      }
      named.pass("name", "description", "strict")
      guard let given = named.value("schema") else {
        throw .invalid("response_format.json_schema.schema", "is missing")
      }
      try named.finish()
      schema = given
    }
    try fields.finish()
    if type == "text" { return nil }
    if let grammar = kept.withLock({ $0.grammars[schema.line] }) { return grammar }
    let grammar = try schema.isNull ? JSONGrammar.anyObject : Self.read(schema)
    return kept.withLock { kept in
      let tokens = kept.tokens ?? TokenBytes(tokenizer)
      kept.tokens = tokens
      if kept.grammars.count >= Self.most { kept.grammars = [:] }
      let made = TokenGrammar(grammar, tokens)
      kept.grammars[schema.line] = made
      return made
    }
  }

  private static func read(_ schema: JSONValue) throws(APIError) -> JSONGrammar {
    do { return try JSONSchema.grammar(schema) } catch {
      throw .invalid("response_format.json_schema.schema", "\(error.path): \(error.reason)")
    }
  }
}
