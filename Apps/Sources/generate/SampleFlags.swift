import AppSupport
import ArgumentParser
import Evaluation

/// The flags that ask for several texts.
struct SampleFlags: ParsableArguments {
  @Option(help: "Texts to generate from the prompt, which is computed and stored once.")
  var samples = 1
  @Flag(help: "Let the samples vote: print how often each boxed answer was given.")
  var vote = false
  @Option(
    help: ArgumentHelp(
      """
      End the vote early: decided, when the samples that are missing cannot change the winner, or beta:0.95, when \
      the leader is so likely the commoner answer.
      """, valueName: "rule"), transform: { try VoteRule(flag: $0) })
  var stopWhen: VoteRule?
  @Option(
    help: ArgumentHelp(
      "What a vote weighs: equal, or confidence:32, how sure the model was of its text where it was least sure, by the mean over so many tokens in a row.",
      valueName: "weights"), transform: { try VoteWeights(flag: $0) })
  var voteWeights = VoteWeights.equal
  @Option(help: "Samples decoded together; changes the speed and the memory, never a text.")
  var batch = 16
  @Flag(help: "Print one JSON record instead of text; with several samples it needs --vote.")
  var json = false

  func validate() throws {
    for (name, value) in [("samples", samples), ("batch", batch)] {
      guard (1...4096).contains(value) else {
        throw ValidationError("--\(name) \(value): expected 1 to 4096")
      }
    }
    if vote && samples == 1 { throw ValidationError("--vote needs --samples of at least 2") }
    if stopWhen != nil && !vote { throw ValidationError("--stop-when is about --vote") }
    if voteWeights != .equal {
      if !vote { throw ValidationError("--vote-weights is about --vote") }
      if let rule = stopWhen, !rule.takesWeights {
        throw ValidationError("--stop-when \(rule) counts whole votes; it excludes --vote-weights")
      }
    }
    if json && samples > 1 && !vote {
      throw ValidationError("--json prints one text; with --samples it needs --vote")
    }
  }
}
