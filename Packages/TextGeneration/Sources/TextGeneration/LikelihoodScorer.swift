import DecoderModels
import Foundation
import KVCaches
import Tensors

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
  /// The texts of a batch come and go, and those of the next one take the memory they leave.
  let meter = KVMeter(keepsMemory: true)
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
    let caches = try beginnings(groups, &scores)
    try scoreEnds(groups, from: caches, &scores)
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
    try growTrunk(to: shared, &scores)
    var caches = groups.map { _ in trunk.cache }
    let start = trunk.tokens.count
    let runs = shared.indices.compactMap { index in
      shared[index].count > start
        ? TokenRun(cache: index, tokens: Array(shared[index].dropFirst(start)), endsPrompt: false)
        : nil
    }
    timings.tokens += runs.reduce(0) { $0 + $1.tokens.count }
    let places = runs.enumerated().map { number, run in
      let (texts, start) = (groups[run.cache], shared[run.cache].count)
      return Place(
        run: number, token: run.tokens.count - 1,
        scored: texts.indices.filter { texts[$0].start == start }.map {
          Scored(group: run.cache, text: $0, at: start, token: texts[$0].tokens[start])
        })
    }
    try self.run(runs, &caches, places, &scores)
    return caches
  }

  /// Runs the tokens that all groups begin with but for one of each, so that each has a row of its
  /// own.
  private mutating func growTrunk(
    to shared: [ArraySlice<Int32>], _ scores: inout [[TextLikelihood]]
  ) throws(GenerationError) {
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
    try run([rest], &caches, [], &scores)
    trunk.cache = caches[0]
  }

  /// A text behind what its group shares.
  private struct End {
    let group: Int
    let text: Int
    /// Tokens to run: the last one is scored by the row before it and never run.
    let tokens: ArraySlice<Int32>
  }

  /// Runs what follows the shared tokens, as many texts together as fill a chunk, and scores it. Each
  /// has a cache only while it is run.
  private mutating func scoreEnds(
    _ groups: [[ScoredText]], from shared: [KVCache], _ scores: inout [[TextLikelihood]]
  ) throws(GenerationError) {
    var ends: [End] = []
    for (group, texts) in groups.enumerated() {
      let next = shared[group].position
      for (index, text) in texts.enumerated() where next < text.tokens.count - 1 {
        ends.append(End(group: group, text: index, tokens: text.tokens[next...].dropLast()))
      }
    }
    var rest = ends[...]
    while !rest.isEmpty {
      var tokens = 0
      let fitting = rest.prefix { end in
        tokens += end.tokens.count
        return tokens <= ForwardPass.chunk
      }
      let part = rest.prefix(max(fitting.count, 1))
      try score(part, of: groups, from: shared, &scores)
      rest = rest.dropFirst(part.count)
    }
  }

  private mutating func score(
    _ ends: ArraySlice<End>, of groups: [[ScoredText]], from shared: [KVCache],
    _ scores: inout [[TextLikelihood]]
  ) throws(GenerationError) {
    var caches = ends.map { shared[$0.group] }
    var (runs, places) = ([TokenRun](), [Place]())
    for end in ends {
      let text = groups[end.group][end.text]
      // The row before the first scored token is the first that is looked at.
      let first = max(text.start - 1, end.tokens.startIndex)
      for index in first..<end.tokens.endIndex {
        let scored = Scored(
          group: end.group, text: end.text, at: index + 1, token: text.tokens[index + 1])
        places.append(
          Place(run: runs.count, token: index - end.tokens.startIndex, scored: [scored]))
      }
      runs.append(
        TokenRun(
          cache: runs.count, tokens: Array(end.tokens), endsPrompt: false,
          rowsFrom: first - end.tokens.startIndex))
      timings.tokens += end.tokens.count
    }
    try run(runs, &caches, places, &scores)
  }

  /// A token that is scored, and where in its text it stands.
  private struct Scored {
    let group: Int
    let text: Int
    let at: Int
    let token: Int32
  }

  /// What is scored by the logits behind a token of a run.
  private struct Place {
    let run: Int
    let token: Int
    let scored: [Scored]
  }

  /// Runs tokens and scores what is at `places`, which are in the order of runs and tokens and all of
  /// the rows that the runs ask for.
  private func run(
    _ runs: [TokenRun], _ caches: inout [KVCache], _ places: [Place],
    _ scores: inout [[TextLikelihood]]
  ) throws(GenerationError) {
    // Where the places of each run begin, less the token of the first.
    var starts = [Int](repeating: 0, count: runs.count)
    for (index, place) in places.enumerated().reversed() { starts[place.run] = index - place.token }
    var rows = [LogitRow](repeating: LogitRow(), count: places.count)
    do throws(ModelError) {
      try rows.withUnsafeMutableBufferPointer { (rows) throws(ModelError) -> Void in
        guard !places.isEmpty, let base = rows.baseAddress else {
          return try pass.run(runs, caches: &caches, rows: .none) { _, _, _ in }
        }
        let (rows, starts) = (DisjointMemory(base), starts)
        try pass.run(runs, caches: &caches, rows: .last, atOnce: Self.rows) { run, token, logits in
          let index = starts[run] + token
          rows[index] = LogitRow(logits, tokens: places[index].scored.map(\.token))
        }
      }
    } catch {
      throw .model(error)
    }
    for (place, row) in zip(places, rows) {
      for (scored, logit) in zip(place.scored, row.logits) {
        guard let logprob = row.logprob(of: logit) else {
          throw .nonFiniteLogits(step: scored.at)
        }
        scores[scored.group][scored.text].take(logprob, isGreedy: logit == row.largest)
      }
    }
  }
}

extension TextLikelihood {
  fileprivate mutating func take(_ logprob: Double, isGreedy: Bool) {
    self.logprob += logprob
    self.isGreedy = self.isGreedy && isGreedy
    tokens += 1
  }
}

/// What is kept of logits `[vocabulary]`: those of some tokens, and what every log-probability needs.
private struct LogitRow {
  /// The largest logit.
  private(set) var largest = Float.nan
  /// ln of the sum of exp(logit).
  private var logSum = Double.nan
  /// The logits of the tokens; not a number for one that has none.
  private(set) var logits: [Float] = []

  init() {}

  init(_ logits: UnsafeBufferPointer<Float>, tokens: [Int32]) {
    guard !tokens.isEmpty else { return }
    largest = LogSumExp.largest(of: logits)
    logSum = LogSumExp.of(logits, largest: largest)
    self.logits = tokens.map { logits.indices.contains(Int($0)) ? logits[Int($0)] : .nan }
  }

  /// The log-probability of a token by its logit; nil where logits are not finite.
  func logprob(of logit: Float) -> Double? {
    logSum.isFinite && !logit.isNaN ? Double(logit) - logSum : nil
  }
}
