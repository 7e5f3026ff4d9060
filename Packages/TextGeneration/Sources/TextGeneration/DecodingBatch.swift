import DecoderModels
import KVCaches

/// Names a request of a `DecodingBatch`.
public struct RequestID: Sendable, Hashable {
  let number: Int
}

/// Decodes many texts together, step by step; requests come and go between steps.
///
/// A text depends only on its request, never on its neighbours, nor on when it was submitted.
/// Prompts that begin like others start with their pages, which are stored once. The cache of each is
/// kept as its request says; all share the bytes there are. Long prompts are cut over steps while
/// other texts are generated. A request starts only when it and everything
/// that runs can finish within the bytes there are, and waits otherwise. One thread drives a batch.
///
/// ```swift
/// var batch = DecodingBatch(pass)
/// let id = try batch.submit(request)
/// while !batch.isIdle {
///   for event in try batch.step() { print(event) }
/// }
/// ```
public struct DecodingBatch {
  /// Something that happened to a request.
  public enum Event: Sendable {
    /// A token was appended to its text.
    case token(RequestID, GeneratedToken)
    /// The answer to a smaller budget is complete, before or after the text; see
    /// `GenerationRequest.branches`.
    case branched(RequestID, budget: Int, result: GenerationResult)
    /// The text is complete.
    case finished(RequestID, result: GenerationResult)
  }

  /// What a batch has to do.
  public struct Load: Sendable, Hashable {
    /// Requests that are decoded.
    public let running: Int
    /// Requests that wait for a place or for memory.
    public let waiting: Int
    /// Bytes of KV cache that what runs may come to hold, and that are kept for prompts like it.
    public let reservedBytes: Int
    /// Bytes of KV cache held now.
    public let heldBytes: Int
  }

  /// How a batch shares the machine.
  public struct Limits: Sendable, Hashable {
    /// Most texts decoded together; branches, which are short, come on top.
    public var concurrency: Int
    /// Most bytes of KV cache at any time.
    public var kvByteBudget: Int
    /// Most prompt tokens of a step in which other texts are generated; changes no text.
    public var promptTokens: Int
    /// Bytes of prompts that are kept though nobody uses them, for requests to come that begin
    /// alike.
    public var keptPromptBytes: Int

    /// Most texts running together for which tokens are proposed: where many run, each row counts.
    public var speculatingTexts = 4

    /// The most tokens that are proposed for a text at once.
    public static let longestProposal = AcceptRate.longest

    /// Limits; where nothing is said one text at a time, any bytes, and nothing kept for later.
    public init(
      concurrency: Int = 1, kvByteBudget: Int = .max, promptTokens: Int = 64,
      keptPromptBytes: Int = 0
    ) {
      self.concurrency = max(concurrency, 1)
      self.kvByteBudget = kvByteBudget
      self.promptTokens = max(promptTokens, 1)
      self.keptPromptBytes = keptPromptBytes
    }
  }

  /// What all steps so far took.
  public internal(set) var timings = GenerationTimings()
  /// Counts the bytes of all KV pages.
  public let meter: KVMeter

  let pass: ForwardPass
  let limits: Limits
  let sampler: Sampler
  var proposer: (any Proposer)?
  /// What proposals cost and bring.
  var ledger = SpeculationLedger()
  /// How often they were accepted last, which texts begin with.
  var acceptRate = AcceptRate()
  let text: (Int32) -> String
  let now: () -> Duration
  var admission: Admission
  var queue: [WaitingRequest] = []
  var sequences: [BatchSequence] = []
  /// Those of `sequences`, in their order.
  var caches: [KVCache] = []
  var prefixes = PrefixIndex()
  /// The prompt that each text runs, and the one that it started with.
  var owned: [RequestID: PrefixID] = [:]
  var shared: [RequestID: PrefixID] = [:]
  private var nextNumber = 0

  /// An empty batch.
  ///
  /// - Parameters:
  ///   - pass: the model at work.
  ///   - kv: what its caches keep, and how, where a request does not say.
  ///   - limits: how it shares the machine.
  ///   - proposer: offers tokens to verify, which changes no text; nil for none. What it holds
  ///     counts as the caches' own bytes do.
  ///   - tokenLimit: ids from here on are never drawn.
  ///   - meter: counts the bytes of its caches.
  ///   - clock: tells the time that texts and steps take.
  ///   - text: the text of one token, in which the end of a budget's answer is looked for; without
  ///     it such an answer ends at a stop token or its limit.
  public init(
    _ pass: ForwardPass, kv: KVPolicy = .full, limits: Limits = Limits(),
    proposer: (any Proposer)? = nil, tokenLimit: Int = .max, meter: KVMeter = KVMeter(),
    clock: some Clock<Duration> = ContinuousClock(),
    text: @escaping (Int32) -> String = { _ in "" }
  ) {
    self.pass = pass
    self.limits = limits
    self.meter = meter
    self.text = text
    self.proposer = proposer
    sampler = Sampler(tokenLimit: tokenLimit)
    let start = clock.now
    now = { start.duration(to: clock.now) }
    admission = Admission(
      kv, pass.decoder.shape, proposer: proposer, kvByteBudget: limits.kvByteBudget)
  }

  /// Checks that a request could be submitted.
  ///
  /// - Throws: `GenerationError`; `cache` where the model has no caches as the request wants its own,
  ///   `memoryExceeded` for one that may outgrow the bytes there are.
  public func check(_ request: GenerationRequest) throws(GenerationError) {
    try check(request, admission.terms(of: request))
  }

  private func check(
    _ request: GenerationRequest, _ terms: CacheTerms
  ) throws(GenerationError) {
    _ = try makeCache(terms)
    try admission.check(request, terms)
  }

  /// An empty cache.
  func makeCache(_ terms: CacheTerms) throws(GenerationError) -> KVCache {
    do { return try pass.makeCache(terms.policy, meter: meter) } catch { throw .cache(error) }
  }

  /// Takes a request, which starts in a step to come.
  ///
  /// - Throws: as `check` does.
  public mutating func submit(_ request: GenerationRequest) throws(GenerationError) -> RequestID {
    let terms = admission.terms(of: request)
    try check(request, terms)
    nextNumber += 1
    let id = RequestID(number: nextNumber)
    queue.append(WaitingRequest(id: id, request: request, terms: terms))
    return id
  }

  /// Ends a text and its branches.
  ///
  /// - Returns: what its text was; nil for one that has ended, or that never started.
  @discardableResult
  public mutating func cancel(_ id: RequestID) -> GenerationResult? {
    let isWaiting = queue.contains { $0.id == id }
    queue.removeAll { $0.id == id }
    if isWaiting { dropUnusedPrefixes() }
    guard sequences.contains(where: { $0.id == id }) else { return nil }
    let text = sequences.indices.first { sequences[$0].id == id && sequences[$0].branch == nil }
    let result = text.map {
      sequences[$0].result(.cancelled, kvBytes: caches[$0].byteCount, now: now())
    }
    handOverPrompt(of: id)
    remove(Set(sequences.indices.filter { sequences[$0].id == id }))
    return result
  }

  /// What the batch has to do now.
  public var load: Load {
    let running = Set(sequences.map(\.id)).count
    return Load(
      running: running, waiting: queue.count, reservedBytes: admission.reserved,
      heldBytes: meter.bytes)
  }

  /// Whether there is nothing left to do.
  public var isIdle: Bool { queue.isEmpty && sequences.isEmpty }

  /// How many of the requests, from the first on, an empty batch would start at once.
  ///
  /// - Throws: `GenerationError` for a request that cannot be run, as `submit` does.
  public func fitting(_ requests: [GenerationRequest]) throws(GenerationError) -> Int {
    var limits = limits
    limits.concurrency = max(requests.count, 1)
    var empty = DecodingBatch(pass, kv: admission.usual.policy, limits: limits, proposer: proposer)
    for request in requests { _ = try empty.submit(request) }
    try empty.admit()
    // Once the prompts are through, what they took beyond what is kept of them is there for others.
    for index in empty.sequences.indices { empty.keepWhole(index, logits: []) }
    try empty.admit()
    return empty.sequences.count
  }

  /// Removes sequences, and lets go of what their requests held when they were the last of these.
  mutating func remove(_ indices: Set<Int>) {
    let ids = Set(indices.map { sequences[$0].id })
    let kept = holdPrompts(of: ids)
    for index in indices.sorted(by: >) {
      sequences.remove(at: index)
      caches.remove(at: index)
    }
    for id in ids where !sequences.contains(where: { $0.id == id }) {
      end(id, keeping: kept[id])
    }
  }
}
