import Foundation
import JSON
import TextGeneration

/// What scoring candidates asks of an endpoint: the ids of texts, and the log-probabilities of
/// prompts that are sent as ids and echoed.
extension EndpointQuestion {
  /// The body that asks `/tokenize` for the ids of a text.
  func tokenizing(_ text: String) -> Data {
    body([
      "model": .string(model), "prompt": .string(text), "add_special_tokens": .bool(true),
      "parse_special": .bool(false),
    ])
  }

  /// The ids that an answer of `/tokenize` is, and the model's context where it tells that.
  func tokens(_ answer: Data) throws(Fault) -> (ids: [Int32], context: Int?) {
    let value = try value(answer, of: "tokenize")
    let ids = value["tokens"]?.array?.map { $0.integer.flatMap { Int32(exactly: $0) } }
    guard let ids, !ids.contains(nil) else {
      throw Fault(expected: "token ids", found: value["tokens"]?.summary ?? value.summary)
    }
    return (ids.compactMap(\.self), value["max_model_len"]?.integer)
  }

  /// The body that asks `/v1/completions` how likely texts are.
  func scoring(_ texts: some Sequence<ScoredText>) -> Data {
    var members: OrderedObject<JSONValue> = [
      "model": .string(model),
      "prompt": .array(texts.map { .array($0.tokens.map { .integer(Int($0)) }) }),
      "echo": .bool(true), "logprobs": .integer(1), "max_tokens": .integer(1),
      "temperature": .number(0),
    ]
    members["kv"] = kv.map { .string("\($0)") }
    return body(members)
  }

  /// How likely an answer says that the texts are.
  func scores(
    _ texts: some Collection<ScoredText>, _ answer: Data
  ) throws(Fault) -> [TextLikelihood] {
    let choices = try choices(value(answer, of: "completions"), count: texts.count)
    var scores: [TextLikelihood] = []
    for (place, text) in texts.enumerated() {
      guard let choice = choices.first(where: { $0["index"]?.integer == place }) else {
        throw Fault(expected: "a choice of index \(place)", found: "none")
      }
      scores.append(try score(text, choice))
    }
    return scores
  }

  private func score(
    _ text: ScoredText, _ choice: JSONValue
  ) throws(Fault) -> TextLikelihood {
    let lists = choice["logprobs"]
    let own = lists?["token_logprobs"]?.array ?? []
    let top = lists?["top_logprobs"]?.array ?? []
    guard own.count >= text.tokens.count, top.count >= text.tokens.count else {
      throw Fault(
        expected: "log-probabilities of the prompt's \(text.tokens.count) tokens",
        found: "those of \(min(own.count, top.count))")
    }
    var score = TextLikelihood()
    for place in text.start..<text.tokens.count {
      guard let logprob = own[place].double,
        let most = top[place].object?.members.compactMap(\.1.double).max()
      else {
        throw Fault(expected: "log-probabilities of token \(place)", found: own[place].summary)
      }
      score.logprob += logprob
      score.tokens += 1
      if logprob < most { score.isGreedy = false }
    }
    return score
  }

  private func body(_ members: OrderedObject<JSONValue>) -> Data {
    Data(JSONValue.object(members).line.utf8)
  }
}
