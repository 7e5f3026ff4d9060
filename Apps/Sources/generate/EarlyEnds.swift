import AppSupport
import Evaluation
import Serving

/// Which texts of a group are enough, while they are generated: a vote that is over, thoughts whose
/// answer no longer changes. What it decides depends on the texts alone, not on what is finished
/// first.
struct EarlyEnds {
  /// When the vote is over.
  let rule: VoteRule
  /// What votes weigh.
  let weights: VoteWeights
  /// When a thought is long enough; nil for its budget alone.
  let stable: StableAnswer?
  /// The lengths at which answers are probed, ascending.
  let probes: [Int]
  /// Texts asked for.
  let samples: Int
  /// Finished texts, by sample.
  private var texts: [Int: Reply] = [:]
  /// Probes, by sample and length.
  private var probed: [Int: [Int: Reply]] = [:]

  init(_ flags: SampleFlags, _ thinking: ThinkingFlags) {
    rule = flags.stopWhen ?? .all
    weights = flags.voteWeights
    stable = thinking.stopThinking
    probes = thinking.probes
    samples = flags.samples
  }

  /// Takes a finished text.
  mutating func take(_ reply: Reply, sample: Int) { texts[sample] = reply }

  /// Takes the answer at a length of the thought.
  mutating func take(_ reply: Reply, sample: Int, probe: Int) {
    probed[sample, default: [:]][probe] = reply
  }

  /// Whether the thought of a sample need not go on.
  func hasEnough(_ sample: Int) -> Bool { stableReply(sample) != nil }

  /// The texts that a vote takes which may end early; nil while it is not over.
  var vote: [Reply]? {
    if rule == .all { return nil }
    var replies: [Reply] = []
    while let reply = texts[replies.count] { replies.append(reply) }
    guard
      let count = rule.stop(
        replies.map(\.answer), weights: replies.map { weights.weight($0.result.lowestLogprob) },
        of: samples, areEqual: VoteTally.areBoxedEqual)
    else { return nil }
    return Array(replies.prefix(count))
  }

  /// What every sample gave: the answer of the probe that ended it, or the text.
  var replies: [Reply] {
    (0..<samples).compactMap { stableReply($0) ?? texts[$0] }
  }

  /// The reply of the probe that ends a thought; nil while none does. Probes are looked at by
  /// length, up to the first that is missing.
  private func stableReply(_ sample: Int) -> Reply? {
    guard let stable, let probed = probed[sample] else { return nil }
    var replies: [Reply] = []
    for probe in probes {
      guard let reply = probed[probe] else { break }
      replies.append(reply)
    }
    return stable.stop(replies.map(\.answer), areEqual: VoteTally.areBoxedEqual).map { replies[$0] }
  }
}
