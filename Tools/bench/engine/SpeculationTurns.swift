import DecoderModels
import Foundation
import KVCaches
import TextGeneration

/// One text with proposals, of which a given share is right, and without, in turns; and what more
/// rows in one pass cost.
struct SpeculationTurns {
  let pass: ForwardPass
  /// A model whose drafting costs what it costs, while others say what is proposed; nil for
  /// proposals that cost nothing.
  let draft: ForwardPass?
  /// The share of proposals that is right where those before were.
  let rate: Double
  /// Tokens of the prompt.
  let prompt: Int
  /// Tokens of the text.
  let tokens: Int

  /// Proposes what the text will be, but errs by a rate.
  private struct GivenRate: Proposer {
    /// Prompt and text.
    let text: [Int32]
    let rate: Double
    var draft: DraftModel?
    private let random = RandomStream(seed: 5, sample: 0)

    init(text: [Int32], rate: Double, draft: DraftModel?) {
      self.text = text
      self.rate = rate
      self.draft = draft
    }

    var cacheForecast: KVForecast? { draft?.cacheForecast }

    mutating func propose(
      for texts: [ProposalRequest], meter: KVMeter
    ) throws(GenerationError) -> [[Int32]] {
      _ = try draft?.propose(for: texts, meter: meter)
      return texts.map { request in
        let start = request.tokens.count
        return text.dropFirst(start).prefix(request.most).enumerated().map { place, token in
          random.uniform(at: start + place) < rate ? token : token ^ 1
        }
      }
    }

    mutating func end(_ text: RequestID) { draft?.end(text) }
  }

  private struct Outcome {
    let text: [Int32]
    let timings: GenerationTimings
  }

  private func run(_ proposer: (any Proposer)?) throws -> Outcome {
    let ids = (0..<prompt).map { Int32($0 * 37 % 1000) }
    let request = GenerationRequest(
      prompt: ids, sampling: try SamplingOptions(temperature: 0.6, topK: 20, topP: 0.95),
      random: RandomStream(seed: 0, sample: 0), maxTokens: tokens, stopTokens: [])
    let generator = BatchGenerator(pass, proposer: proposer)
    var text: [Int32] = []
    try generator.run([request]) { event in
      if case .finished(_, let result) = event { text = result.tokens }
      return .goOn
    }
    return Outcome(text: ids + text, timings: generator.timings)
  }

  /// Tokens a second with and without, medians of some repetitions.
  func report(repetitions: Int) throws -> [String: Any] {
    let known = try run(nil).text
    let model = try draft.map { try DraftModel($0, for: pass.decoder) }
    var plain: [Double] = []
    var speculated: [Double] = []
    var last: GenerationTimings?
    var isEqual = true
    for _ in 0..<repetitions {
      plain.append(try run(nil).timings.generationRate)
      let outcome = try run(GivenRate(text: known, rate: rate, draft: model))
      last = outcome.timings
      speculated.append(outcome.timings.generationRate)
      isEqual = isEqual && outcome.text == known
    }
    return [
      "accept_rate": rate, "tokens": tokens, "prompt_tokens": prompt,
      "tokens_per_second": speculated.median, "tokens_per_second_without": plain.median,
      "ratio": zip(speculated, plain).map { $0 / $1 }.median,
      "proposed_tokens": last?.proposedTokens ?? 0, "accepted_tokens": last?.acceptedTokens ?? 0,
      "draft_seconds": last?.draftSeconds ?? 0, "texts_equal": isEqual,
      "seconds_by_rows": try rowSeconds(repetitions: repetitions),
    ]
  }

  /// Seconds of a pass over so many tokens of one text, each with logits, behind the prompt.
  private func rowSeconds(repetitions: Int) throws -> [String: Double] {
    let ids = (0..<prompt).map { Int32($0 * 37 % 1000) }
    var filled = [try pass.makeCache(meter: KVMeter())]
    try pass.run([TokenRun(cache: 0, tokens: ids)], caches: &filled, rows: .none) { _, _, _ in }
    let counts = [1, 2, 3, 4, 5, 6, 8, 9, 12, 16, 17]
    var seconds = [Int: [Double]]()
    for _ in 0..<max(5, repetitions) {
      for count in counts {
        var caches = filled
        let tokens = (0..<count).map { Int32(7 + $0 * 13) }
        let time = try ContinuousClock().measure {
          try pass.run([TokenRun(cache: 0, tokens: tokens)], caches: &caches, rows: .all) {
            _, _, _ in
          }
        }
        seconds[count, default: []].append(time / .seconds(1))
      }
    }
    return Dictionary(uniqueKeysWithValues: seconds.map { ("\($0)", $1.median) })
  }
}
