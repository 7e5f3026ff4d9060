import Foundation
import Testing

/// Votes and thoughts of `generate` that end early, and what `evaluate rules` says of them.
@Suite struct EarlyEndTests {
  private static let problem =
    "Start with 51. Then (a) multiply by 5, (b) multiply by 3. What is the result?"

  private func record(_ more: [String]) throws -> [String: Any] {
    let arguments = ["--model", Nano.model, "--prompt", Self.problem, "--seed", "3", "--json"]
    let outcome = try TemporaryFolder().run(.generate, arguments + more)
    try #require(outcome.isSuccess, "\(outcome.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  /// The winner is that of all samples, and what is decided does not depend on who runs together.
  @Test func aDecidedVoteHasTheWinnerOfAllSamples() throws {
    let flags = ["--think-budget", "96", "--force", "--samples", "9", "--vote"]
    let full = try record(flags)
    let parts = try ["1", "4", "9"].map {
      try record(flags + ["--stop-when", "decided", "--batch", $0])
    }
    let votes = parts.compactMap { $0["votes"] as? [String: Int] }
    #expect(votes.count == 3 && Set(votes).count == 1)
    for part in parts { #expect(part["answer"] as? String == full["answer"] as? String) }
    let counted = votes.first?.values.reduce(0, +) ?? 0
    #expect((5...9).contains(counted))
    for part in [full] + parts { #expect(part["samples"] as? Int == 9) }
    let replies = parts.compactMap { $0["replies"] as? Int }
    #expect(full["replies"] as? Int == 9 && Set(replies).count == 1)
    #expect(replies.allSatisfy { (counted...9).contains($0) })
  }

  /// A thought ends at the first of two probes in a row that agree, with the reply that its budget
  /// gives.
  @Test func aStableThoughtEndsWithTheReplyOfItsBudget() throws {
    let early = try record([
      "--think-budget", "256", "--force", "--stop-thinking", "stable:2", "--probe-every", "32",
    ])
    let thought = try #require(early["thought_tokens"] as? Int)
    #expect(thought < 256 && thought % 32 == 0)
    let alone = try record(["--think-budget", "\(thought)", "--force"])
    #expect(early["text"] as? String == alone["text"] as? String)
    let before = try record(["--think-budget", "\(thought - 32)", "--force"])
    #expect(before["answer"] as? String == early["answer"] as? String)
  }

  /// Every text is the one that it is without, and weighs what it weighs in any batch.
  @Test func votesWeighHowSureTheModelWas() throws {
    let flags = ["--think-budget", "64", "--force", "--samples", "5", "--vote"]
    let plain = try record(flags)
    let weighted = try ["1", "5"].map {
      try record(flags + ["--vote-weights", "confidence:16", "--batch", $0])
    }
    #expect(plain["vote_weights"] == nil)
    let weights = weighted.compactMap { $0["vote_weights"] as? [String: Double] }
    #expect(weights.count == 2 && weights[0] == weights[1])
    let votes = try #require(plain["votes"] as? [String: Int])
    for record in weighted { #expect(record["votes"] as? [String: Int] == votes) }
    for (answer, weight) in weights[0] {
      #expect(weight > 0 && weight < Double(votes[answer] ?? 0))
    }
  }

  @Test func flagsThatMakeNoSenseAreRefused() throws {
    for (flags, word) in [
      (["--stop-when", "decided"], "--vote"), (["--stop-thinking", "stable:2"], "--think-budget"),
      (["--stop-thinking", "stable:1", "--think-budget", "64"], "from 2 on"),
      (["--stop-thinking", "stable:9", "--think-budget", "64"], "--probe-every"),
      (["--stop-when", "beta:2", "--samples", "4", "--vote"], "above 0.5"),
      (["--vote-weights", "confidence"], "--vote"),
      (["--vote-weights", "sure", "--samples", "4", "--vote"], "equal, or confidence"),
      (
        ["--vote-weights", "confidence", "--samples", "4", "--vote", "--stop-when", "beta:0.9"],
        "whole votes"
      ),
    ] {
      let outcome = try TemporaryFolder().run(
        .generate, ["--model", Nano.model, "--prompt", "x"] + flags)
      #expect(outcome.end == .exited(2) && outcome.errors.contains(word), "\(outcome.errors)")
    }
  }

  @Test func rulesAreWorkedOutFromJournals() throws {
    let folder = try TemporaryFolder()
    let run = try folder.run(
      .evaluate,
      [
        "--model", "nano-0.15m", "--bench", "nano-math", "--limit", "8", "--samples", "4",
        "--journal", folder.path("run.jsonl"), "--think-budgets", "32,48,64,96", "--force",
        "--confidence", "16",
      ])
    try #require(run.isSuccess, "\(run.errors)")
    let votes = try folder.run(.evaluate, ["rules", folder.path("run-96.jsonl")])
    #expect(
      votes.isSuccess && votes.output.contains("decided") && votes.output.contains("beta:0.95"))
    #expect(
      votes.output.contains("all, confidence:16")
        && votes.output.contains("decided, confidence:16"))
    #expect(!votes.output.contains("beta:0.95, confidence"))
    let journals = [96, 32, 64, 48].map { folder.path("run-\($0).jsonl") }
    let thoughts = try folder.run(.evaluate, ["rules"] + journals)
    #expect(thoughts.isSuccess && thoughts.output.contains("stable:3"), "\(thoughts.errors)")
    #expect(thoughts.output.contains("96 tokens"))
    let single = try folder.run(
      .evaluate, ["rules", folder.path("run-32.jsonl"), "--samples", "9"])
    #expect(single.end == .exited(2) && single.errors.contains("4 replies"))
  }
}
