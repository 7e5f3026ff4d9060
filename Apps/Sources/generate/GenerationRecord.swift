import AppSupport
import Foundation
import Generation

/// What `--json` prints.
struct GenerationRecord: Encodable {
  /// Tokens of the prompt, which all samples share.
  let promptTokens: Int
  /// Tokens of all samples' thoughts, "Wait" put in included: the budget times the samples when forced.
  let thoughtTokens: Int
  /// Tokens put in by force, "Wait" and cues, in all samples.
  let injectedTokens: Int
  /// Tokens of all samples' answers after thought and cue.
  let answerTokens: Int
  /// Why the text ended.
  let finishReason: FinishReason
  /// The text; of several the first whose answer won the vote, or simply the first.
  let text: String
  /// The answer, or of several the vote's; nil in a tie and without answers.
  let answer: String?
  /// How many samples gave each answer.
  let votes: [String: Int]
  /// Bytes of the weights in memory.
  let weightsBytes: Int
  /// The most bytes of KV pages held at any time.
  let kvBytes: Int
  /// The most memory the process held, in bytes.
  let peakBytes: Int
  let promptTokensPerSecond: Double
  let tokensPerSecond: Double
  let seed: UInt64

  init?(
    _ replies: [Reply], loaded: LoadedModel, generator: BatchGenerator, seed: UInt64
  ) {
    let tally = Tally(replies.map(\.answer))
    answer = tally.winner
    votes = tally.votes
    guard let first = replies.first else { return nil }
    let shown = replies.first { $0.answer != nil && $0.answer == tally.winner } ?? first
    let counts = replies.map(\.result.counts)
    promptTokens = first.result.counts.prompt
    thoughtTokens = counts.reduce(0) { $0 + $1.thought }
    injectedTokens = counts.reduce(0) { $0 + $1.injected }
    answerTokens = counts.reduce(0) { $0 + $1.answer }
    finishReason = shown.result.finishReason
    text = shown.text
    weightsBytes = loaded.decoder.weightBytes
    kvBytes = generator.meter.peakBytes
    peakBytes = ProcessMemory.peakBytes
    promptTokensPerSecond = generator.timings.promptRate
    tokensPerSecond = generator.timings.generationRate
    self.seed = seed
  }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case promptTokens = "prompt_tokens"
    case thoughtTokens = "thought_tokens"
    case injectedTokens = "injected_tokens"
    case answerTokens = "answer_tokens"
    case finishReason = "finish_reason"
    case text, answer, votes
    case weightsBytes = "weights_bytes"
    case kvBytes = "kv_bytes"
    case peakBytes = "peak_bytes"
    case promptTokensPerSecond = "prompt_tokens_per_second"
    case tokensPerSecond = "tokens_per_second"
    case seed
  }

  /// Writes every key, a missing answer as null.
  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(promptTokens, forKey: .promptTokens)
    try values.encode(thoughtTokens, forKey: .thoughtTokens)
    try values.encode(injectedTokens, forKey: .injectedTokens)
    try values.encode(answerTokens, forKey: .answerTokens)
    try values.encode(finishReason, forKey: .finishReason)
    try values.encode(text, forKey: .text)
    try values.encode(answer, forKey: .answer)
    try values.encode(votes, forKey: .votes)
    try values.encode(weightsBytes, forKey: .weightsBytes)
    try values.encode(kvBytes, forKey: .kvBytes)
    try values.encode(peakBytes, forKey: .peakBytes)
    try values.encode(promptTokensPerSecond, forKey: .promptTokensPerSecond)
    try values.encode(tokensPerSecond, forKey: .tokensPerSecond)
    try values.encode(seed, forKey: .seed)
  }

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
