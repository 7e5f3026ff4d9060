import KVLayout

/// How much text one configuration has to hold at once.
public struct Load: Sendable, Hashable, Codable {
  /// T: tokens of thought.
  public let thinkBudget: Int
  /// Tokens of the prompt.
  public let prompt: Int
  /// Tokens after the thought: cue and answer.
  public let answer: Int
  /// G: samples of one question that vote.
  public let samples: Int
  /// Questions at a time, which share the weights.
  public let batch: Int
  /// Tokens of thought between two probes of the answer beside it; nil for none.
  public let probeEvery: Int?

  /// A load.
  ///
  /// - Throws: `PlannerError.invalid` naming the number that is out of range.
  public init(
    thinkBudget: Int, prompt: Int = 256, answer: Int = 128, samples: Int = 1, batch: Int = 1,
    probeEvery: Int? = nil
  ) throws(PlannerError) {
    let numbers = [
      ("thinking budget", thinkBudget, 0), ("prompt", prompt, 0), ("answer", answer, 0),
      ("samples", samples, 1), ("batch", batch, 1), ("tokens between probes", probeEvery ?? 1, 1),
    ]
    for (name, value, least) in numbers where !(least...1 << 30).contains(value) {
      throw .invalid(name: name, value: "\(value)", expected: "\(least) to \(1 << 30)")
    }
    self.thinkBudget = thinkBudget
    self.prompt = prompt
    self.answer = answer
    self.samples = samples
    self.batch = batch
    self.probeEvery = probeEvery
  }

  /// Tokens between probes where nobody says: a 16th of the thought, at least 16.
  public static func usualProbeStep(thinkBudget: Int) -> Int { max(16, thinkBudget / 16) }

  /// The lengths of a thought at which its answer is probed.
  var probes: [Int] {
    probeEvery.map { Array(stride(from: $0, to: thinkBudget, by: $0)) } ?? []
  }

  /// Tokens that follow the prompt.
  public var reply: Int { thinkBudget + answer }
  /// Tokens of one sequence at its end.
  public var sequenceTokens: Int { prompt + thinkBudget + answer }
  /// Sequences that are in memory at once.
  public var sequences: Int { Saturating.product(samples, batch) }
}
