import AppSupport
import DecoderModels
import Foundation
import Serving
import TextGeneration

/// What `--json` prints: one flat object with the answer and what it took.
struct GenerationRecord: Encodable {
  /// What the samples gave; of several budgets at the longest.
  let group: ReplyGroup
  /// How many samples were asked for: more than the group has replies where a vote ended early.
  let samples: Int
  /// Every budget, ascending, with what the samples gave; empty unless several were asked for.
  let budgets: [BudgetAnswers]
  /// Bytes of the weights in memory.
  let weightsBytes: Int
  /// The most bytes of KV pages held at any time.
  let kvBytes: Int
  /// The most bytes of KV pages that a text held at its end.
  let kvBytesAtEnd: Int
  /// What generating took.
  let timings: GenerationTimings
  /// Whether tokens were to be proposed.
  let speculates: Bool
  let seed: UInt64
  /// The model's name.
  let model: String
  /// How it was computed.
  let precision: ComputePrecision
  /// How tokens were drawn.
  let sampling: SamplingOptions
  /// What the KV cache kept.
  let kv: String
  /// Seconds of this run, from the first token of the prompt to the last of the texts.
  let seconds: Double
  /// Log-probabilities of the shown text's tokens, where they were asked for.
  let logprobs: [LogprobRecord]?

  private enum Key: String, CodingKey {
    case promptTokens = "prompt_tokens"
    case weightsBytes = "weights_bytes"
    case kvBytes = "kv_bytes"
    case kvBytesAtEnd = "kv_bytes_at_end"
    case headBits = "head_bits"
    case peakBytes = "peak_bytes"
    case promptTokensPerSecond = "prompt_tokens_per_second"
    case tokensPerSecond = "tokens_per_second"
    case proposedTokens = "proposed_tokens"
    case acceptedTokens = "accepted_tokens"
    case draftSeconds = "draft_seconds"
    case samples, seed, budgets, model, version, numerics, sampler, kv, seconds, logprobs
  }

  private enum SamplerKey: String, CodingKey {
    case temperature
    case topK = "top_k"
    case topP = "top_p"
    case minP = "min_p"
    case seed
  }

  func encode(to encoder: any Encoder) throws {
    try group.encode(to: encoder)
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(group.shown.result.counts.prompt, forKey: .promptTokens)
    try values.encode(weightsBytes, forKey: .weightsBytes)
    try values.encode(kvBytes, forKey: .kvBytes)
    try values.encode(kvBytesAtEnd, forKey: .kvBytesAtEnd)
    try values.encode(ProcessMemory.peakBytes, forKey: .peakBytes)
    try values.encode(timings.promptRate, forKey: .promptTokensPerSecond)
    try values.encode(timings.generationRate, forKey: .tokensPerSecond)
    try values.encode(samples, forKey: .samples)
    if speculates {
      try values.encode(timings.proposedTokens, forKey: .proposedTokens)
      try values.encode(timings.acceptedTokens, forKey: .acceptedTokens)
      try values.encode(timings.draftSeconds, forKey: .draftSeconds)
    }
    try values.encode(seed, forKey: .seed)
    try values.encode(model, forKey: .model)
    try values.encode(Program.version, forKey: .version)
    try values.encode(precision.numerics, forKey: .numerics)
    try values.encode(precision.headBits, forKey: .headBits)
    try values.encode(kv, forKey: .kv)
    try values.encode(seconds, forKey: .seconds)
    try values.encodeIfPresent(logprobs, forKey: .logprobs)
    var sampler = values.nestedContainer(keyedBy: SamplerKey.self, forKey: .sampler)
    try sampler.encode(sampling.temperature, forKey: .temperature)
    try sampler.encode(sampling.topK, forKey: .topK)
    try sampler.encode(sampling.topP, forKey: .topP)
    try sampler.encode(sampling.minP, forKey: .minP)
    try sampler.encode(seed, forKey: .seed)
    if !budgets.isEmpty { try values.encode(budgets, forKey: .budgets) }
  }

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}

extension ReplyGroup: Encodable {
  private enum Key: String, CodingKey {
    /// Tokens of all samples' thoughts, injected "Wait" included: the budget times the samples when
    /// forced.
    case thoughtTokens = "thought_tokens"
    /// Tokens injected by force, "Wait" and cues, in all samples.
    case injectedTokens = "injected_tokens"
    /// Tokens of all samples' answers after thought and cue.
    case answerTokens = "answer_tokens"
    /// Why the shown text ended.
    case finishReason = "finish_reason"
    /// What the votes for each answer weigh, where they do not weigh the same.
    case voteWeights = "vote_weights"
    case replies, text, answer, votes
  }

  /// Writes every key, a missing answer as null.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(replies.count, forKey: .replies)
    try values.encode(sum(\.thought), forKey: .thoughtTokens)
    try values.encode(sum(\.injected), forKey: .injectedTokens)
    try values.encode(sum(\.answer), forKey: .answerTokens)
    try values.encode(shown.finishReason, forKey: .finishReason)
    try values.encode(shown.text, forKey: .text)
    try values.encode(answer, forKey: .answer)
    let counts = votes.ranking.map { ($0.answer, $0.votes) }
    try values.encode(Dictionary(counts, uniquingKeysWith: +), forKey: .votes)
    if votes.isWeighted {
      let weights = votes.ranking.map { ($0.answer, $0.weight) }
      try values.encode(Dictionary(weights, uniquingKeysWith: +), forKey: .voteWeights)
    }
  }
}

/// What the samples gave at one of several thinking budgets.
struct BudgetAnswers: Encodable {
  /// The budget in tokens.
  let budget: Int
  let group: ReplyGroup

  private enum Key: String, CodingKey { case budget }

  func encode(to encoder: any Encoder) throws {
    try group.encode(to: encoder)
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(budget, forKey: .budget)
  }

  /// Several budgets as a table.
  static func table(_ budgets: [BudgetAnswers]) -> String {
    let rows = budgets.map { budget in
      let group = budget.group
      let votes = group.votes.ranking.map { "\($0.answer) (\($0.votes))" }
      return [
        "\(budget.budget)", "\(group.sum(\.thought) / group.replies.count)",
        group.answer ?? "none",
        group.replies.count > 1 ? votes.joined(separator: ", ") : "",
      ]
    }
    return Text.table([["budget", "thought", "answer", "votes"]] + rows)
  }
}
