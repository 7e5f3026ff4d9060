import Foundation
import Testing

/// Thinking budgets, samples and votes of `generate`.
@Suite struct ThinkingTests {
  private static let problem =
    "Start with 51. Then (a) multiply by 5, (b) multiply by 3. What is the result?"

  private static func arguments(_ more: [String]) -> [String] {
    ["--model", Nano.model, "--prompt", problem, "--seed", "3"] + more
  }

  private func record(_ more: [String]) throws -> [String: Any] {
    let outcome = try TemporaryFolder().run(.generate, Self.arguments(more + ["--json"]))
    #expect(outcome.isSuccess, "\(outcome.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  @Test func aForcedBudgetIsExactAndEndsInAnAnswer() throws {
    for budget in [1, 20, 77, 200] {
      let found = try record(["--think-budget", "\(budget)", "--force"])
      #expect(found["thought_tokens"] as? Int == budget)
      #expect(found["finish_reason"] as? String == "budget")
      let text = try #require(found["text"] as? String)
      let box = try #require(text.range(of: "**Final Answer**\n\\boxed{", options: .backwards))
      let answer = try #require(found["answer"] as? String)
      #expect(text[box.upperBound...] == "\(answer)}")
      #expect(found["votes"] as? [String: Int] == [answer: 1])
    }
  }

  /// A thousand replies to fifty prompts, at ten budgets, from two seeds each.
  @Test(arguments: [true, false])
  func aThousandBudgetsHoldAndEveryReplyAnswersOrSaysNone(isForced: Bool) throws {
    let folder = try TemporaryFolder()
    let budgets = [1, 2, 9, 17, 30, 41, 64, 77, 101, 128]
    let run = try folder.run(
      .evaluate,
      [
        "--model", "nano-0.15m", "--bench", "nano-math", "--limit", "50", "--samples", "2",
        "--seed", "11", "--journal", folder.path("run.jsonl"), "--format", "json",
        "--think-budgets", budgets.map(String.init).joined(separator: ","),
      ] + (isForced ? ["--force"] : []))
    try #require(run.isSuccess, "\(run.errors)")
    let tables = try #require(
      try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
    var (replies, answers) = (0, 0)
    for (budget, table) in zip(budgets, tables) {
      var withoutAnswer = 0
      for line in folder.text("run-\(budget).jsonl").split(separator: "\n").dropFirst() {
        let record = try #require(
          try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        let reply = try #require(record["response"] as? [String: Any])
        let drawn = try #require(reply["thoughtTokens"] as? Int)
        let putIn = try #require(reply["injectedTokens"] as? Int)
        let text = try #require(reply["answer"] as? String)
        // A journal counts words that were put into the thought apart from it; the cue has 6
        // tokens.
        let isCued = text.hasPrefix("**Final Answer**\n\\boxed{")
        let thought = drawn + putIn - (isCued ? 6 : 0)
        #expect(isForced ? thought == budget && isCued : thought <= budget)
        let answer = record["extracted"] as? String
        #expect(answer != "")
        if answer == nil { withoutAnswer += 1 } else { answers += 1 }
        replies += 1
      }
      let counted = ["unparsed", "unanswered"].compactMap { table[$0] as? Int }
      #expect(counted.count == 2 && counted.reduce(0, +) == withoutAnswer)
    }
    #expect(replies == 1000 && answers > 500)
  }

  /// What caches keep: everything, 4 bits without a residual, and 48 tokens by R-KV.
  @Test(arguments: [
    [], ["--kv", "int4", "--kv-residual", "0"], ["--kv-evict", "rkv:48,buffer=16"],
  ])
  func branchesAnswerAsSeparateRunsDo(cache: [String]) throws {
    let flags = ["--force", "--samples", "6", "--vote"] + cache
    let together = try record(["--think-budgets", "24,96,32"] + flags)
    let budgets = try #require(together["budgets"] as? [[String: Any]])
    #expect(budgets.map { $0["budget"] as? Int } == [24, 32, 96])
    for branch in budgets {
      let budget = try #require(branch["budget"] as? Int)
      let alone = try record(["--think-budget", "\(budget)"] + flags)
      let fields = Set(branch.keys).subtracting(["budget"])
      #expect(fields.count == 8)
      #expect(
        NSDictionary(dictionary: branch.filter { fields.contains($0.key) })
          == NSDictionary(dictionary: alone.filter { fields.contains($0.key) }))
    }
    #expect(together["thought_tokens"] as? Int == 6 * 96)
    let shown = try TemporaryFolder().run(
      .generate, Self.arguments(["--think-budgets", "24,96", "--force", "--hide-thinking"]))
    #expect(shown.output.contains("budget  thought  answer"))
    #expect(
      shown.output.split(separator: "\n").suffix(2).map { $0.prefix(6) } == ["    24", "    96"])
  }

  @Test func theRecordHasTheseKeys() throws {
    let keys = [
      "prompt_tokens", "thought_tokens", "injected_tokens", "answer_tokens", "finish_reason",
      "text", "answer", "votes", "weights_bytes", "kv_bytes", "peak_bytes",
      "prompt_tokens_per_second", "tokens_per_second", "seed", "kv", "model", "sampler", "seconds",
      "version", "kv_bytes_at_end", "numerics", "head_bits", "samples", "replies",
    ]
    let cut = try record(["--max-tokens", "3"])
    #expect(Set(cut.keys) == Set(keys))
    #expect(cut["answer"] is NSNull)
    #expect(cut["finish_reason"] as? String == "length")
    #expect(cut["thought_tokens"] as? Int == 3 && cut["answer_tokens"] as? Int == 0)
    #expect((cut["votes"] as? [String: Int])?.isEmpty == true)
  }

  @Test func samplesVoteWhateverTheBatchAndThreads() throws {
    let vote = ["--think-budget", "32", "--force", "--samples", "12", "--vote"]
    let found = try record(vote)
    let votes = try #require(found["votes"] as? [String: Int])
    #expect(votes.count > 1 && votes.values.reduce(0, +) <= 12)
    #expect(votes[found["answer"] as? String ?? ""] == votes.values.max())
    #expect(found["thought_tokens"] as? Int == 12 * 32)
    let folder = try TemporaryFolder()
    let texts = try [("1", "1"), ("5", "2")].map { batch, threads in
      try folder.run(
        .generate, Self.arguments(vote + ["--batch", batch, "--threads", threads])
      ).output
    }
    #expect(texts[0].contains("the vote: "))
    #expect(texts[0] == texts[1])
  }

  @Test(arguments: [
    ["--think-budget", "0"], ["--think-budgets", "8,0"], ["--think-budgets", "8,8"],
    ["--think-budgets", "8,x"], ["--think-budgets", "8,9", "--think-budget", "7"], ["--force"],
    ["--waits", "2"], ["--vote"], ["--samples", "0"],
    ["--force", "--think-budget", "9", "--waits", "1"], ["--samples", "2", "--json"],
    ["--samples", "2", "--greedy"], ["--think-budget", "9", "--ignore-eos"],
    ["--think-budget", "9", "--no-thinking"], ["--samples", "2", "--print-ids"],
  ])
  func flagsThatMakeNoSenseAreRefused(flags: [String]) throws {
    let outcome = try TemporaryFolder().run(.generate, Self.arguments(flags))
    expectRefusal(outcome, code: 2, naming: [flags[0]])
  }

  @Test func aBudgetBeyondTheContextIsRefusedWithTheSum() throws {
    let outcome = try TemporaryFolder().run(
      .generate, Self.arguments(["--think-budget", "950"]))
    expectRefusal(
      outcome, code: 2,
      naming: ["prompt 36 + thought 950 + cue 6 + answer 64 = 1056 tokens", "context holds 1024"])
  }

  @Test func aModelWithoutTagsThinksUntilItStops() throws {
    let folder = try TemporaryFolder()
    let copy = try ModelCopy(in: folder)
    for file in ["tokenizer.json", "tokenizer_config.json"] {
      try copy.edit(file) { data in
        let text = String(decoding: data, as: UTF8.self)
        data = Data(text.replacingOccurrences(of: "think>", with: "other>").utf8)
      }
    }
    let outcome = try folder.run(
      .generate,
      [
        "--model", copy.path, "--prompt", Self.problem, "--think-budget", "150", "--force",
        "--json",
      ])
    #expect(outcome.isSuccess, "\(outcome.errors)")
    #expect(outcome.output.contains("\"thought_tokens\" : 150"))
    #expect(outcome.output.contains("\"finish_reason\" : \"budget\""))
  }
}
