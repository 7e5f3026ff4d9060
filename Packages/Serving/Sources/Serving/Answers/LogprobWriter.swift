import JSON
import TextGeneration
import Tokenizer

/// Writes how likely tokens were, in the two ways of the dialect.
struct LogprobWriter {
  let tokenizer: TextTokenizer

  /// A token's text; one that is not UTF-8 by itself is named by its id, so that no two are named
  /// alike.
  func name(_ id: Int32) -> String {
    let text = tokenizer.decode([id])
    return text.unicodeScalars.contains("\u{FFFD}") || text.isEmpty ? "token_id:\(id)" : text
  }

  /// A token of a chat's answer.
  func entry(_ token: TokenLogprob) -> JSONValue {
    var entry = member(token.chosen)
    entry["top_logprobs"] = .array(token.top.map { .object(member($0)) })
    return .object(entry)
  }

  private func member(_ choice: TokenLogprob.Choice) -> OrderedObject<JSONValue> {
    let text = tokenizer.decode([choice.id])
    return [
      "token": .string(name(choice.id)), "logprob": .number(choice.logprob),
      "bytes": .array(text.utf8.map { .integer(Int($0)) }),
    ]
  }

  /// The tokens of a completion: `nil` for those of which nothing is known, such as the first of a
  /// prompt.
  func lists(_ tokens: [(id: Int32, logprob: TokenLogprob?)]) -> JSONValue {
    var offsets: [JSONValue] = []
    var offset = 0
    for (id, _) in tokens {
      offsets.append(.integer(offset))
      offset += tokenizer.decode([id]).unicodeScalars.count
    }
    return .object([
      "tokens": .array(tokens.map { .string(name($0.id)) }),
      "token_logprobs": .array(
        tokens.map { $0.logprob.map { .number($0.chosen.logprob) } ?? .null }),
      "top_logprobs": .array(tokens.map { $0.logprob.map(likeliest) ?? .null }),
      "text_offset": .array(offsets),
    ])
  }

  /// The likeliest tokens and the one that stands there.
  private func likeliest(_ token: TokenLogprob) -> JSONValue {
    var members: OrderedObject<JSONValue> = [:]
    for choice in token.top { members[name(choice.id)] = .number(choice.logprob) }
    let own = name(token.chosen.id)
    if members[own] == nil { members[own] = .number(token.chosen.logprob) }
    return .object(members)
  }
}
