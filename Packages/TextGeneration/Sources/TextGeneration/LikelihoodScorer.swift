import DecoderModels
import Foundation
import KVCaches

/// A text whose end is scored: how likely a model finds it after what comes before.
public struct ScoredText: Sendable, Hashable {
  /// All tokens, those that come before included.
  public var tokens: [Int32]
  /// Where the scored end begins, 1 or more: a first token has nothing before it.
  public var start: Int

  /// A text of which the tokens from `start` on are scored.
  public init(tokens: [Int32], start: Int) {
    self.tokens = tokens
    self.start = start
  }
}

/// How likely the scored end of a text is.
public struct TextLikelihood: Sendable, Hashable {
  /// The sum of the tokens' log-probabilities, in nats.
  public var logprob = 0.0
  /// Tokens that were scored.
  public var tokens = 0
  /// Whether each of them was the likeliest in its place, so that greedy decoding would write them.
  public var isGreedy = true

  /// Of no tokens yet.
  public init() {}
}

/// What scoring took.
public struct LikelihoodTimings: Sendable, Hashable {
  /// Tokens that were run, those that texts share counted once.
  public internal(set) var tokens = 0
  /// Seconds in the model and in scoring.
  public internal(set) var seconds = 0.0

  /// Nothing yet.
  public init() {}

  /// Tokens a second.
  public var rate: Double? { seconds > 0 && tokens > 0 ? Double(tokens) / seconds : nil }
}

/// Scores ends of texts, such as the options of a question, in one pass over what they share.
///
/// The tokens with which all texts of a batch begin are run once and kept for the next batch; what
/// the texts of one group share is run once for the group; all groups of a batch go through the
/// model together. A text's likelihood is the same bits for any batch, since a decoder's logits
/// depend neither on how tokens are cut into runs nor on what else is run.
public struct LikelihoodScorer {
  /// What all calls so far took.
  public private(set) var timings = LikelihoodTimings()

  private let pass: ForwardPass
  private let policy: KVPolicy
  private let kvByteBudget: Int
  private let forecast: KVForecast
  private let meter = KVMeter()
  /// The tokens that the last batch began with, and their cache.
  private var trunk: (tokens: [Int32], cache: KVCache)

  /// Rows whose logits are held at once, which bounds their memory.
  public static let rows = 64

  /// A scorer on `pass`.
  ///
  /// - Throws: `GenerationError.invalidOption` for a policy that evicts or tells thoughts apart: an
  ///   end is scored right behind its prompt, before either is at work; `GenerationError.cache` where the model's
  ///   heads cannot be kept as `kv` says.
  public init(
    _ pass: ForwardPass, kv: KVPolicy = .full, kvByteBudget: Int = .max
  ) throws(GenerationError) {
    guard !kv.watchesAttention else {
      throw .invalidOption(
        name: kv.eviction == nil ? "kv" : "kv-evict", value: "\(kv)",
        expected: "no eviction and no kinds of thought: likelihoods are of whole texts")
    }
    self.pass = pass
    policy = kv
    self.kvByteBudget = kvByteBudget
    let shape = pass.decoder.shape
    forecast = KVForecast(shape: shape.cacheShape, policy: kv, heads: shape.heads.queries)
    do throws(KVPolicyError) {
      trunk = ([], try pass.makeCache(kv, meter: meter))
    } catch {
      throw .cache(error)
    }
  }

  /// How many of the groups, from the first on and at most `wanted`, fit into the bytes together.
  ///
  /// - Throws: `GenerationError` for a text without tokens before its scored end, or without such
  ///   an end, one that is longer than the context, and a group that does not fit alone.
  public func fitting(_ groups: [[ScoredText]], wanted: Int) throws(GenerationError) -> Int {
    var (bytes, count) = (0, 0)
    for group in groups.prefix(wanted) {
      for text in group { try check(text) }
      let lengths = group.map(\.tokens.count)
      let shared = forecast.peakBytes(tokens: lengths.max() ?? 0, prompt: 0)
      let tails = lengths.map { $0 - Self.sharedCount(group) }.reduce(0) {
        // The page in which a text leaves the others is its own.
        $0 + forecast.pageBytes(entries: $1 + PageLayout.tokens)
      }
      bytes = Saturating.sum(bytes, shared, tails)
      guard bytes <= kvByteBudget else {
        if count > 0 { return count }
        throw .memoryExceeded(
          bytes: bytes, kvByteBudget: kvByteBudget, prompt: lengths.max() ?? 0, reply: 0, fits: 0)
      }
      count += 1
    }
    return count
  }

  /// Scores groups of texts; what the texts of one group begin with is run once.
  ///
  /// - Returns: for each group the likelihoods of its texts.
  /// - Throws: `GenerationError` as `fitting`, and for logits that are not finite.
  public mutating func score(
    _ groups: [[ScoredText]]
  ) throws(GenerationError) -> [[TextLikelihood]] {
    let began = ContinuousClock.now
    var scores = groups.map { $0.map { _ in TextLikelihood() } }
    var caches = try beginnings(groups, &scores)
    try scoreEnds(groups, from: &caches, &scores)
    timings.seconds += (ContinuousClock.now - began) / .seconds(1)
    return scores
  }

  private func check(_ text: ScoredText) throws(GenerationError) {
    guard text.start > 0 else { throw .emptyPrompt }
    guard text.start < text.tokens.count else {
      throw .invalidOption(
        name: "text", value: "\(text.tokens.count) tokens, scored from \(text.start)",
        expected: "a token to score")
    }
    let context = pass.decoder.shape.contextLength
    // The last token is scored and never run.
    guard text.tokens.count <= context + 1 else {
      throw .promptTooLong(tokens: text.tokens.count, context: context)
    }
  }

  /// Tokens that all texts of a group begin with and that are not scored.
  private static func sharedCount(_ group: [ScoredText]) -> Int {
    guard let first = group.first else { return 0 }
    let least = group.map(\.start).min() ?? 0
    return group.dropFirst().reduce(least) { count, text in
      zip(first.tokens.prefix(count), text.tokens).prefix { $0 == $1 }.count
    }
  }

  /// Runs what the texts of each group share, and scores the first tokens behind it.
  ///
  /// - Returns: the cache of each group, behind its shared tokens.
  private mutating func beginnings(
    _ groups: [[ScoredText]], _ scores: inout [[TextLikelihood]]
  ) throws(GenerationError) -> [KVCache] {
    let shared = groups.map { group in group.first?.tokens.prefix(Self.sharedCount(group)) ?? [] }
    try growTrunk(to: shared)
    var caches = groups.map { _ in trunk.cache }
    let start = trunk.tokens.count
    let runs = shared.indices.compactMap { index in
      shared[index].count > start
        ? TokenRun(cache: index, tokens: Array(shared[index].dropFirst(start)), endsPrompt: false)
        : nil
    }
    for run in runs { timings.tokens += run.tokens.count }
    // Runs go together up to the rows that logits may take.
    for part in stride(from: 0, to: runs.count, by: Self.rows) {
      let part = Array(runs[part..<min(part + Self.rows, runs.count)])
      try self.run(part, &caches, .last) { run, _, logits throws(GenerationError) in
        let group = part[run].cache
        let row = LogitRow(logits)
        for (index, text) in groups[group].enumerated()
        where text.start == shared[group].count {
          try row.score(text.tokens[text.start], into: &scores[group][index], at: text.start)
        }
      }
    }
    return caches
  }

  /// Runs the tokens that all groups begin with but for one of each, so that each has a row of its
  /// own.
  private mutating func growTrunk(to shared: [ArraySlice<Int32>]) throws(GenerationError) {
    guard let first = shared.first else { return }
    let least = max(0, (shared.map(\.count).min() ?? 0) - 1)
    let common = shared.dropFirst().reduce(least) { count, other in
      zip(first.prefix(count), other).prefix { $0 == $1 }.count
    }
    let wanted = Array(first.prefix(common))
    let kept = zip(trunk.tokens, wanted).prefix { $0 == $1 }.count
    if !trunk.cache.truncate(to: kept) {
      do { trunk = ([], try pass.makeCache(policy, meter: meter)) } catch {
        throw .invalidOption(name: "kv", value: "\(policy)", expected: "\(error)")
      }
    }
    let start = trunk.cache.position
    trunk.tokens = wanted
    guard common > start else { return }
    var caches = [trunk.cache]
    let rest = TokenRun(cache: 0, tokens: Array(wanted[start...]), endsPrompt: false)
    timings.tokens += rest.tokens.count
    try run([rest], &caches, .none) { _, _, _ in }
    trunk.cache = caches[0]
  }

  /// A text behind what its group shares.
  private struct End {
    let group: Int
    let text: Int
    /// The next token to run.
    var next: Int
  }

  /// Runs what follows the shared tokens, many texts together, and scores it.
  private mutating func scoreEnds(
    _ groups: [[ScoredText]], from shared: inout [KVCache], _ scores: inout [[TextLikelihood]]
  ) throws(GenerationError) {
    var ends: [End] = []
    for (group, texts) in groups.enumerated() {
      for (text, scored) in texts.enumerated() {
        let next = shared[group].position
        if next < scored.tokens.count - 1 { ends.append(End(group: group, text: text, next: next)) }
      }
    }
    var caches = ends.map { shared[$0.group] }
    shared = []
    var first = 0
    while first < ends.count {
      var (runs, index) = ([TokenRun](), first)
      var (tokens, rows) = (ForwardPass.chunk, Self.rows)
      while index < ends.count, tokens > 0, rows > 0 {
        let text = groups[ends[index].group][ends[index].text]
        let next = ends[index].next
        // The row before the first scored token is the first that is looked at; the last token is
        // scored by the row before it and never run.
        let unscored = max(0, text.start - 1 - next)
        let count = min(tokens, unscored + rows, text.tokens.count - 1 - next)
        runs.append(
          TokenRun(
            cache: index, tokens: Array(text.tokens[next..<next + count]), endsPrompt: false,
            rowsFrom: unscored))
        tokens -= count
        rows -= max(1, count - unscored)
        index += 1
      }
      timings.tokens += ForwardPass.chunk - tokens
      let starts = ends
      try run(runs, &caches, .last) { run, token, logits throws(GenerationError) in
        let end = starts[runs[run].cache]
        let text = groups[end.group][end.text]
        let place = end.next + token + 1
        guard place >= text.start else { return }
        try LogitRow(logits).score(
          text.tokens[place], into: &scores[end.group][end.text], at: place)
      }
      for run in runs { ends[run.cache].next += run.tokens.count }
      while first < ends.count,
        ends[first].next >= groups[ends[first].group][ends[first].text].tokens.count - 1
      {
        first += 1
      }
    }
  }

  private func run(
    _ runs: [TokenRun], _ caches: inout [KVCache], _ rows: LogitRows,
    receive: (Int, Int, UnsafeBufferPointer<Float>) throws(GenerationError) -> Void
  ) throws(GenerationError) {
    var failure: GenerationError?
    do {
      try pass.run(runs, caches: &caches, rows: rows) { run, token, logits in
        if failure != nil { return }
        do throws(GenerationError) { try receive(run, token, logits) } catch { failure = error }
      }
    } catch {
      throw .model(error)
    }
    if let failure { throw failure }
  }
}

/// Logits `[vocabulary]` of one place with what every log-probability there needs.
private struct LogitRow {
  private let logits: UnsafeBufferPointer<Float>
  /// The largest logit.
  private let most: Float
  /// ln of the sum of exp(logit).
  private let logSum: Double

  init(_ logits: UnsafeBufferPointer<Float>) {
    self.logits = logits
    most = LogSumExp.largest(of: logits)
    logSum = LogSumExp.of(logits, largest: most)
  }

  func score(
    _ token: Int32, into score: inout TextLikelihood, at place: Int
  ) throws(GenerationError) {
    guard logSum.isFinite, logits.indices.contains(Int(token)) else {
      throw .nonFiniteLogits(step: place)
    }
    let logit = logits[Int(token)]
    score.logprob += Double(logit) - logSum
    score.tokens += 1
    if logit < most { score.isGreedy = false }
  }
}
