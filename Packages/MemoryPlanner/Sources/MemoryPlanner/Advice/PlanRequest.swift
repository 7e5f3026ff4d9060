import KVLayout

/// What the planner may choose from, and for what.
public struct PlanRequest: Sendable, Hashable {
  /// Bytes there are.
  public var memory: Int
  /// What is asked.
  public var task: TaskKind
  /// The models on offer.
  public var models: [ModelShape]
  /// The weights on offer.
  public var precisions: [WeightPrecision]
  /// The KV policies on offer.
  public var policies: [KVPolicy]
  /// The thinking budgets on offer, in tokens.
  public var thinkBudgets: [Int]
  /// The group sizes on offer.
  public var samples: [Int]
  /// The rules on offer that end votes of three and more, as `--stop-when` has them; `all` for none.
  public var voteRules = [TokenSaving.exact]
  /// The rules on offer that end thoughts, as `--stop-thinking` has them; none where it is empty.
  public var thoughtRules: [String] = []
  /// Questions at a time.
  public var batch: Int
  /// Whether short answers matter more than memory.
  public var prefersLatency: Bool
  /// Most seconds from a question to its answer; nil for any.
  public var seconds: Double?
  /// Tokens of a prompt.
  public var prompt: Int
  /// Tokens after the thought.
  public var answer: Int
  /// Which bytes are counted.
  public var accounting: Accounting

  /// The paper's thinking budgets: 2k to 30k in steps of 4k (section 3).
  public static let paperBudgets = Array(stride(from: 2000, through: 30_000, by: 4000))
  /// The paper's group sizes (Figure 10).
  public static let paperSamples = [1, 3, 4, 6, 8, 12, 16]
  /// The paper's eviction budgets (section 5).
  public static let paperRetained = [8192, 4096, 2048]

  /// A request; what is on offer by default is what the paper measured, as far as the models'
  /// contexts allow it. Where waiting counts, W8A8 in integers is too: it answers no better than 8
  /// bits of the weights alone, but reads prompts the fastest.
  public init(
    memory: Int, task: TaskKind, models: [ModelShape], precisions: [WeightPrecision]? = nil,
    policies: [KVPolicy]? = nil, thinkBudgets: [Int]? = nil, samples: [Int] = paperSamples,
    batch: Int = 1, prefersLatency: Bool = false, seconds: Double? = nil, prompt: Int = 256,
    answer: Int = 128, accounting: Accounting = .actual
  ) throws(PlannerError) {
    self.memory = memory
    self.task = task
    self.models = models
    self.samples = samples
    self.batch = batch
    self.prefersLatency = prefersLatency
    self.seconds = seconds
    self.prompt = prompt
    self.answer = answer
    self.accounting = accounting
    let context = models.map(\.contextLength).min() ?? 0
    let isLong = context >= 32_768
    var offered = precisions ?? [.bf16]
    if precisions == nil {
      for bits in [8, 4] { offered.append(try WeightPrecision(bits: bits)) }
      if prefersLatency || seconds != nil { offered.append(WeightPrecision(.w8a8Integer)) }
    }
    self.precisions = offered
    self.thinkBudgets =
      thinkBudgets
      ?? (isLong
        ? Self.paperBudgets
        : (1...20).map { 16 << $0 }.filter { $0 + prompt + answer <= context })
    if let policies {
      self.policies = policies
    } else {
      let retained = isLong ? Self.paperRetained : [context / 4, context / 8].filter { $0 >= 32 }
      self.policies = try Self.policies(retained: retained)
    }
  }

  /// What is on offer where nobody says: everything kept in 16, 8 or 4 bits, or so many tokens of
  /// it.
  private static func policies(retained: [Int]) throws(PlannerError) -> [KVPolicy] {
    do throws(KVPolicyError) {
      var evictions: [Eviction] = []
      for budget in retained { evictions.append(try Eviction(RKV(), budget: budget)) }
      return [KVFormat.bf16, .int8, .int4].map { KVPolicy(format: $0) }
        + evictions.map { KVPolicy(eviction: $0) }
    } catch {
      throw .invalid(name: "eviction", value: "\(retained)", expected: "\(error)")
    }
  }

  /// Every configuration on offer.
  ///
  /// An eviction budget that a sequence never reaches is left out: it is the same as keeping
  /// everything.
  ///
  /// - Throws: `PlannerError.invalid` for an empty or impossible list.
  public func configurations() throws(PlannerError) -> [Configuration] {
    for (name, count) in [
      ("models", models.count), ("bits", precisions.count), ("KV policies", policies.count),
      ("thinking budgets", thinkBudgets.count), ("samples", samples.count),
    ] where count == 0 {
      throw .invalid(name: name, value: "an empty list", expected: "at least one")
    }
    var found: [Configuration] = []
    for tokens in thinkBudgets {
      for (group, votes, thought) in groups {
        let load = try Load(
          thinkBudget: tokens, prompt: prompt, answer: answer, samples: group, batch: batch,
          probeEvery: thought.map { _ in Load.usualProbeStep(thinkBudget: tokens) })
        for model in models where load.sequenceTokens <= model.contextLength {
          for precision in precisions where precision.isPossible(for: model) {
            for kv in policies
            where kv.eviction.map({ $0.budget < load.sequenceTokens }) ?? true {
              found.append(
                Configuration(
                  model: model, precision: precision, kv: kv, load: load, voteRule: votes,
                  thoughtRule: thought))
            }
          }
        }
      }
    }
    guard !found.isEmpty else {
      if let precision = precisions.first, !models.contains(where: precision.isPossible) {
        throw .invalid(
          name: "scheme", value: "\(precision)",
          expected: "another: no model on offer can be rotated (experts, linear attention, "
            + "or a width without a known Hadamard matrix)")
      }
      throw .invalid(
        name: "thinking budget", value: "\(thinkBudgets.min() ?? 0) and more",
        expected: "prompt, thought and answer within the models' contexts")
    }
    return found
  }

  /// Group sizes with the rules that end them; a thought that stops early excludes votes that do, as
  /// the commands have it.
  private var groups: [(samples: Int, votes: String?, thought: String?)] {
    samples.flatMap { group -> [(samples: Int, votes: String?, thought: String?)] in
      if !thoughtRules.isEmpty { return thoughtRules.map { (group, nil, $0) } }
      guard group > 2, !voteRules.isEmpty else { return [(group, nil, nil)] }
      return voteRules.map { (group, $0 == "all" ? nil : $0, nil) }
    }
  }
}
