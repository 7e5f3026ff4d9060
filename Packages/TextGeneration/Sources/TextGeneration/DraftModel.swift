import DecoderModels
import KVCaches

/// Proposes what a smaller model of the same tokens draws (speculative decoding, Leviathan et al.,
/// arXiv:2211.17192).
///
/// The draft draws with the text's own sampling and the random numbers of its positions, which the
/// large model uses too: two models that give a token much the same probability then mostly agree
/// on it, also at high temperatures. Of a text's cache it keeps what the text turned out to be.
public struct DraftModel: Proposer {
  private let pass: ForwardPass
  private let sampler: Sampler
  private var held: [Held] = []
  /// Those of `held`, in their order.
  private var caches: [KVCache] = []

  /// What is known of a text whose cache is held.
  private struct Held {
    let id: RequestID
    let prompt: [Int32]
    /// Proposals that were run; the next request says which of them the text took.
    var proposals: [Int32] = []
    /// Whether all of its text was read once.
    var isFollowing = false
    /// Whether the text has run away from it: reading so much again costs more than it brings.
    var isLeftBehind = false
  }

  /// Texts that are further ahead than this are left behind.
  private static let longestLag = ForwardPass.chunk

  /// A draft for `target`, of whose ids those from `tokenLimit` on are never drawn.
  ///
  /// - Throws: `GenerationError.invalidOption` for a model that lacks some of these ids, and for one
  ///   whose states cannot be cut back to earlier tokens.
  public init(
    _ pass: ForwardPass, for target: Decoder, tokenLimit: Int = .max
  ) throws(GenerationError) {
    let shape = pass.decoder.shape
    let ids = min(tokenLimit, target.shape.vocabularySize)
    guard shape.vocabularySize >= ids else {
      throw .invalidOption(
        name: "the draft's vocabulary", value: "\(shape.vocabularySize) tokens",
        expected: "the model's \(ids)")
    }
    guard !shape.cacheShape.hasFixedStates else {
      throw .invalidOption(
        name: "the draft", value: "a model with linear attention",
        expected: "one whose cache can be cut back to earlier tokens")
    }
    self.pass = pass
    sampler = Sampler(tokenLimit: ids)
  }

  /// See `Proposer.cacheForecast`: everything is kept, in BF16.
  public var cacheForecast: KVForecast? {
    let shape = pass.decoder.shape
    return KVForecast(shape: shape.cacheShape, policy: .full, heads: shape.heads.queries)
  }

  /// See `Proposer.end`.
  public mutating func end(_ text: RequestID) {
    guard let index = held.firstIndex(where: { $0.id == text }) else { return }
    held.remove(at: index)
    caches.remove(at: index)
  }

  /// See `Proposer.propose`: all texts are drafted together, a token of each in a pass.
  public mutating func propose(
    for texts: [ProposalRequest], meter: KVMeter
  ) throws(GenerationError) -> [[Int32]] {
    var proposals = [[Int32]](repeating: [], count: texts.count)
    var room = ForwardPass.chunk
    var runs: [(text: Int, run: TokenRun)] = []
    var read: [TokenRun] = []
    for (text, request) in texts.enumerated() where request.tokens.count < context {
      let index = try index(of: request, meter)
      guard !held[index].isLeftBehind else { continue }
      try takeBack(index, request, meter)
      let missing = request.tokens[caches[index].position...]
      guard missing.allSatisfy({ $0 < pass.decoder.shape.vocabularySize }) else { continue }
      if held[index].isFollowing, missing.count > Self.longestLag {
        held[index].isLeftBehind = true
        caches[index] = try makeCache(meter)
      } else if request.most > 0, missing.count <= room {
        held[index].isFollowing = true
        runs.append((text, drafting(request, Array(missing), in: index)))
        room -= missing.count
      } else if room > 0, !missing.isEmpty {
        read.append(TokenRun(cache: index, tokens: Array(missing.prefix(room)), endsPrompt: false))
        room -= min(room, missing.count)
      }
    }
    if !read.isEmpty { try run(read, rows: .none) { _, _ throws(GenerationError) in } }
    let sampler = sampler
    while !runs.isEmpty {
      try run(runs.map(\.run), rows: .last) { (run, logits) throws(GenerationError) in
        let text = runs[run].text
        let token = try texts[text].draw(logits, behind: proposals[text], sampler)
        proposals[text].append(token)
      }
      runs = runs.compactMap { text, run in
        let most = min(texts[text].most, context - texts[text].tokens.count)
        guard let last = proposals[text].last, proposals[text].count < most else { return nil }
        held[run.cache].proposals.append(last)
        return (text, drafting(texts[text], [last], in: run.cache))
      }
    }
    return proposals
  }

  /// Tokens behind which one is drafted.
  private func drafting(_ request: ProposalRequest, _ tokens: [Int32], in cache: Int) -> TokenRun {
    TokenRun(
      cache: cache, tokens: tokens, likeliest: request.sequence.likeliest(below: sampler.tokenLimit)
    )
  }

  private var context: Int { pass.decoder.shape.contextLength }

  /// The place of a text's cache. A new one starts with what another text has read of its prompt.
  private mutating func index(
    of request: ProposalRequest, _ meter: KVMeter
  ) throws(GenerationError) -> Int {
    if let index = held.firstIndex(where: { $0.id == request.id }) { return index }
    let prompt = request.sequence.source.prompt
    var begun = try makeCache(meter)
    for (other, cache) in zip(held, caches) {
      let common = min(
        zip(prompt, other.prompt).prefix { $0 == $1 }.count, cache.position, request.tokens.count)
      var cache = cache
      if common > begun.position, cache.truncate(to: common) { begun = cache }
    }
    held.append(Held(id: request.id, prompt: prompt))
    caches.append(begun)
    return held.count - 1
  }

  /// Cuts a text's cache back to what the text has become; its last token is always to be run.
  private mutating func takeBack(
    _ index: Int, _ request: ProposalRequest, _ meter: KVMeter
  ) throws(GenerationError) {
    let start = caches[index].position - held[index].proposals.count
    let known = request.most > 0 ? request.tokens.dropLast() : request.tokens[...]
    let agreed = zip(held[index].proposals, known.dropFirst(start)).prefix { $0 == $1 }.count
    held[index].proposals = []
    if caches[index].truncate(to: min(start + agreed, known.count)) { return }
    caches[index] = try makeCache(meter)
  }

  private func makeCache(_ meter: KVMeter) throws(GenerationError) -> KVCache {
    do { return try pass.makeCache(.full, meter: meter) } catch { throw .cache(error) }
  }

  /// Runs tokens and hands out the logits of the last of each run.
  private mutating func run(
    _ runs: [TokenRun], rows: LogitRows,
    receive: (_ run: Int, _ logits: UnsafeBufferPointer<Float>) throws(GenerationError) -> Void
  ) throws(GenerationError) {
    var failure: GenerationError?
    do {
      try pass.run(runs, caches: &caches, rows: rows) { run, _, logits in
        if failure != nil { return }
        do throws(GenerationError) { try receive(run, logits) } catch { failure = error }
      }
    } catch {
      throw .model(error)
    }
    if let failure { throw failure }
  }
}
