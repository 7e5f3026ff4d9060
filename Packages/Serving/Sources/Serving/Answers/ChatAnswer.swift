import struct Evaluation.VoteTally
import Foundation
import JSON
import KVLayout
import TextGeneration

/// Writes the answers of `/v1/chat/completions`.
struct ChatAnswer {
  /// What all parts of an answer say of it.
  let head: AnswerHead

  /// A whole answer.
  func whole(_ choices: [ChatChoice], _ usage: Usage, vote: AnswerVote?) -> JSONValue {
    let shown = vote.map { [choices[$0.shown]] } ?? choices
    let values = shown.enumerated().map { index, text in
      choice(
        index, key: "message", text.message, logprobs: text.logprobs, ending: text.endingWord,
        usage: shown.count > 1 ? Usage([text]) : nil)
    }
    var members: OrderedObject<JSONValue> = [
      "choices": .array(values), "usage": usage.value,
    ]
    if let vote { members["votes"] = vote.tally.value }
    return head.object("chat.completion", members)
  }

  /// A part of an answer that is streamed, with the tokens that it counts.
  func chunk(
    _ index: Int, _ update: ChatChoice.Update, _ counts: PartCounts = PartCounts()
  ) -> JSONValue {
    var members: OrderedObject<JSONValue> = [
      "choices": .array([
        choice(
          index, key: "delta", update.delta, logprobs: update.logprobs,
          ending: update.endingWord, usage: counts.own)
      ])
    ]
    members["usage"] = counts.all?.value
    return head.object("chat.completion.chunk", members)
  }

  /// The first part: who speaks.
  func opening(_ index: Int) -> JSONValue {
    head.object(
      "chat.completion.chunk",
      [
        "choices": .array([
          choice(
            index, key: "delta",
            .object(["role": .string("assistant"), "content": .string("")]), logprobs: [],
            ending: nil)
        ])
      ])
  }

  /// A part without text: the tokens that it took, or the votes so far.
  func note(usage: Usage? = nil, votes: VoteTally? = nil) -> JSONValue {
    var members: OrderedObject<JSONValue> = ["choices": .array([])]
    if let usage { members["usage"] = usage.value }
    if let votes { members["votes"] = votes.value }
    return head.object("chat.completion.chunk", members)
  }

  /// One of the texts; `usage` are its own tokens, where others share the answer's count.
  private func choice(
    _ index: Int, key: String, _ value: JSONValue, logprobs: [JSONValue], ending: String?,
    usage: Usage? = nil
  ) -> JSONValue {
    var members: OrderedObject<JSONValue> = [
      "index": .integer(index), key: value,
      "logprobs": logprobs.isEmpty ? .null : .object(["content": .array(logprobs)]),
      "finish_reason": ending.map { .string($0) } ?? .null,
    ]
    members["usage"] = usage?.ofChoice
    return .object(members)
  }
}

/// What names an answer.
struct AnswerHead: Sendable {
  let id: String
  let created: Int
  let model: ServedModel
  let seed: UInt64
  let kv: KVPolicy
  let version: String

  init(prefix: String, _ model: ServedModel, seed: UInt64, kv: KVPolicy, version: String) {
    id = prefix + Self.randomID()
    created = Int(Date().timeIntervalSince1970)
    self.model = model
    self.seed = seed
    self.kv = kv
    self.version = version
  }

  /// Sixteen digits that no other answer has.
  static func randomID() -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// An object of a kind with these members.
  func object(_ kind: String, _ members: OrderedObject<JSONValue>) -> JSONValue {
    var object: OrderedObject<JSONValue> = [
      "id": .string(id), "object": .string(kind), "created": .integer(created),
      "model": .string(model.name), "system_fingerprint": .string(version),
      "seed": .integer(Int(clamping: seed)), "kv_cache": .string("\(kv)"),
    ]
    for (key, value) in members.members { object[key] = value }
    return .object(object)
  }
}

extension VoteTally {
  /// The votes as a client gets them.
  var value: JSONValue {
    .object([
      "winner": winner.map { .string($0) } ?? .null,
      "count": .integer(winner == nil ? 0 : ranking.first?.votes ?? 0),
      "of": .integer(ranking.reduce(none) { $0 + $1.votes }),
      "ranking": .array(
        ranking.map { .object(["answer": .string($0.answer), "votes": .integer($0.votes)]) }),
      "without_answer": .integer(none),
    ])
  }
}
