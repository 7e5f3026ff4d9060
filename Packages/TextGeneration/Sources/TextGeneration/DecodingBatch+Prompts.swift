import KVCaches

extension DecodingBatch {
  /// Starts requests, in order, as long as there are places and bytes for them.
  mutating func admit() throws(GenerationError) {
    var startsAny = false
    while let waiting = queue.first,
      sequences.count(where: { $0.branch == nil }) < limits.concurrency
    {
      var hasStarted = try start(waiting)
      while !hasStarted, dropOldestPrefix() { hasStarted = try start(waiting) }
      if !hasStarted { break }
      startsAny = true
    }
    if startsAny { dropUnusedPrefixes() }
  }

  /// Starts the first request of the queue if that can be.
  private mutating func start(_ waiting: WaitingRequest) throws(GenerationError) -> Bool {
    let (id, request, terms) = (waiting.id, waiting.request, waiting.terms)
    var sequence = BatchSequence(waiting, context: admission.context, started: now())
    sequence.acceptRate = acceptRate
    reserveSlabs(with: terms)
    if let source = source(for: waiting) {
      let bytes =
        source.isWhole
        ? admission.charge(request, terms, isShared: true).own
        : admission.bytes(of: request, terms, sharing: source.tokens)
      if admission.start(waiting, bytes: bytes, prefix: source.bytes) {
        prefixes[source.prefix]?.bytes += source.bytes
        prefixes.use(source.prefix, by: id)
        shared[id] = source.prefix
        sequence.awaited = (source.prefix, source.tokens)
        if terms.sharesExactly, !source.isWhole,
          let leader = prefixes[source.prefix].flatMap(leaderIndex),
          caches[leader].position < source.tokens
        {
          sequences[leader].stop = source.tokens
        }
        try take(sequence)
        if !source.isWhole { own(waiting) }
        return true
      }
    }
    // The next request with the same prompt shares it, if both can run.
    let others = queue.dropFirst().first?.prompt(like: terms)
    if others == request.prompt {
      let charge = admission.charge(request, terms, isShared: true)
      if admission.start(waiting, bytes: charge.own, prefix: charge.prompt) {
        let prefix = own(waiting)
        prefixes[prefix]?.bytes = charge.prompt
        prefixes.use(prefix, by: id)
        shared[id] = prefix
        try take(sequence)
        return true
      }
    }
    let bytes = admission.bytes(of: request, terms, sharing: 0)
    guard admission.start(waiting, bytes: bytes, prefix: 0) else { return false }
    own(waiting)
    if terms.sharesExactly {
      // What cannot be cut back is held at the very place where the next request goes another way.
      var tokens = others.map { terms.held(request.prompt.beginning(with: $0)) } ?? 0
      if tokens == 0, limits.keptPromptBytes > 0 { tokens = terms.held(request.prompt.count) }
      if tokens > 0, tokens < request.prompt.count { sequence.stop = tokens }
    }
    try take(sequence)
    return true
  }

  private mutating func take(_ sequence: BatchSequence) throws(GenerationError) {
    caches.append(try makeCache(sequence.terms))
    sequences.append(sequence)
    queue.removeFirst()
  }

  @discardableResult
  private mutating func own(_ waiting: WaitingRequest) -> PrefixID {
    let prefix = prefixes.add(waiting.request.prompt, waiting.terms, leader: waiting.id)
    owned[waiting.id] = prefix
    return prefix
  }

  /// Holds what others wait for as soon as it is there, and lets them begin. Those that start with
  /// a whole prompt are returned with its logits.
  mutating func serveWaiting() -> [(sequence: Int, logits: [Float])] {
    var whole: [(sequence: Int, logits: [Float])] = []
    for index in sequences.indices {
      guard let (id, tokens) = sequences[index].awaited, let prefix = prefixes[id] else { continue }
      let isWhole = tokens == sequences[index].source.prompt.count
      if !isWhole, (prefix.cache?.position ?? 0) < tokens { hold(id, tokens) }
      let logits = isWhole ? prefixes[id]?.logits : []
      if var cache = prefixes[id]?.cache, let logits, cache.position >= tokens,
        cache.truncate(to: tokens)
      {
        if isWhole { whole.append((index, logits)) }
        caches[index] = cache
        sequences[index].begin(after: tokens)
      } else if leaderIndex(prefix).map({ !sequences[$0].isInPrompt }) ?? true {
        // Nobody will bring what it waits for.
        sequences[index].begin(after: 0)
      }
    }
    return whole
  }

  /// Holds the first `tokens` tokens of a prompt, once its leader has run them.
  private mutating func hold(_ id: PrefixID, _ tokens: Int) {
    guard let prefix = prefixes[id], let leader = leaderIndex(prefix) else { return }
    guard caches[leader].position >= tokens else { return }
    var cache = caches[leader]
    if cache.truncate(to: tokens) { prefixes[id]?.cache = cache }
  }

  /// Whether somebody waits for the whole prompt that a sequence has just run, or will.
  func isAwaitedWhole(_ sequence: BatchSequence) -> Bool {
    guard let id = owned[sequence.id] else { return false }
    let prompt = sequence.source.prompt
    if sequences.contains(where: { $0.awaited?.prefix == id && $0.source.prompt == prompt }) {
      return true
    }
    return shared[sequence.id] == id && queue.first?.prompt(like: sequence.terms) == prompt
  }

  /// Keeps what running a whole prompt gave.
  mutating func keepWhole(_ sequence: Int, logits: [Float]) {
    guard let id = owned[sequences[sequence].id] else { return }
    prefixes[id]?.cache = caches[sequence]
    prefixes[id]?.logits = logits
    releasePromptBytes(of: id)
  }

  /// Gives back what was reserved for a prompt while it was run and is more than is kept of it.
  private mutating func releasePromptBytes(of id: PrefixID) {
    guard let prefix = prefixes[id] else { return }
    let charge = prefix.terms.forecast.charge(
      prompt: prefix.tokens.count, reply: 1, isShared: true)
    let bytes = min(charge.prompt, prefix.bytes) - charge.shared
    guard bytes > 0 else { return }
    prefixes[id]?.bytes -= bytes
    admission.release(bytes)
  }

  /// Lets go of the ends of prompts with which nobody else starts; their beginnings may serve others.
  mutating func releaseWholePrompts() {
    for (id, prefix) in prefixes.prefixes where prefix.logits != nil {
      if queue.first?.prompt(like: prefix.terms) == prefix.tokens
        || sequences.contains(where: { $0.awaited?.prefix == id })
      {
        continue
      }
      prefixes[id]?.logits = nil
      var cache = prefix.cache
      // The page that the prompt begins is copied by all who write to it; it is worth its bytes where
      // requests to come are reckoned with.
      let tokens = prefix.tokens.count
      let held =
        limits.keptPromptBytes > 0
        ? prefix.terms.held(tokens) : tokens / PageLayout.tokens * PageLayout.tokens
      let isCut =
        prefix.terms.forecast.sharesPrompts && held > 0 && cache?.truncate(to: held) == true
      prefixes[id]?.cache = isCut ? cache : nil
    }
  }

  /// Holds the part of a prompt at which its leader stopped for the next request.
  mutating func holdStops() {
    for index in sequences.indices {
      guard let stop = sequences[index].stop, sequences[index].promptTokensRun == stop else {
        continue
      }
      sequences[index].stop = nextStop(of: index)
      guard let id = owned[sequences[index].id], let prefix = prefixes[id] else { continue }
      let bytes = max(0, prefix.terms.forecast.pageBytes(entries: stop) - prefix.bytes)
      if prefix.cache == nil, admission.reserve(bytes) {
        prefixes[id]?.bytes += bytes
        prefixes[id]?.cache = caches[index]
      }
    }
  }

  /// The beginning of a text that is gone, which others can start with.
  struct KeptText {
    let tokens: [Int32]
    let cache: KVCache
    let terms: CacheTerms
  }

  /// Before texts are gone: holds what others wait for, and returns what requests to come can start
  /// with.
  mutating func holdPrompts(of ids: Set<RequestID>) -> [RequestID: KeptText] {
    for sequence in sequences {
      guard let (id, tokens) = sequence.awaited, let leader = prefixes[id]?.leader,
        ids.contains(leader), (prefixes[id]?.cache?.position ?? 0) < tokens
      else { continue }
      hold(id, tokens)
    }
    var kept: [RequestID: KeptText] = [:]
    for index in sequences.indices where sequences[index].branch == nil {
      let (id, terms) = (sequences[index].id, sequences[index].terms)
      guard ids.contains(id), terms.forecast.sharesPrompts else { continue }
      let text = sequences[index].source.prompt + sequences[index].tokens
      var cache = caches[index]
      var tokens = 0
      if limits.keptPromptBytes > 0 {
        tokens = terms.held(min(text.count, cache.position))
      } else if owned[id] != nil {
        let next = queue.first?.prompt(like: terms) ?? []
        tokens = terms.held(sequences[index].source.prompt.beginning(with: next))
      }
      let held = owned[id].flatMap { prefixes[$0]?.cache?.position } ?? 0
      if tokens > held, cache.position >= tokens, cache.truncate(to: tokens) {
        kept[id] = KeptText(tokens: text, cache: cache, terms: terms)
      }
    }
    return kept
  }

  /// Ends what a request held when its last sequence is gone; `kept` is what may stay of its
  /// prompt.
  mutating func end(_ id: RequestID, keeping kept: KeptText?) {
    admission.end(id)
    proposer?.end(id)
    if let prefix = shared.removeValue(forKey: id) { prefixes[prefix]?.users.remove(id) }
    let own = owned.removeValue(forKey: id)
    if let own { leave(own) }
    if let kept { keep(kept, as: own, of: id) }
    dropUnusedPrefixes()
  }

  /// Keeps the beginning of a text, if there are bytes for it and nobody keeps it yet: under the name
  /// of its prompt, or under one of its own where that is another text's or held for others.
  private mutating func keep(_ kept: KeptText, as prompt: PrefixID?, of id: RequestID) {
    let own = prompt.flatMap { prefixes[$0]?.cache == nil ? $0 : nil }
    let tokens = kept.cache.position
    for match in Array(prefixes.matches(kept.tokens, kept.terms)) where match.id != own {
      guard let other = prefixes[match.id], let cache = other.cache else { continue }
      if match.tokens >= tokens, cache.position >= tokens, cache.canTruncate(to: tokens) {
        return prefixes.touch(match.id)
      }
      // What is kept now serves whoever the shorter one would.
      if other.users.isEmpty, other.leader == nil, match.tokens >= cache.position,
        kept.cache.canTruncate(to: cache.position)
      {
        admission.release(other.bytes)
        prefixes.remove(match.id)
      }
    }
    let promised = own.flatMap { prefixes[$0]?.bytes } ?? 0
    let bytes = max(0, kept.terms.forecast.pageBytes(entries: tokens) - promised)
    guard admission.reserve(bytes) else { return }
    let name = own ?? prefixes.add(kept.tokens, kept.terms, leader: id)
    if own != nil, tokens > prefixes[name]?.tokens.count ?? 0 {
      prefixes.replace(name, tokens: kept.tokens, leader: id)
    }
    prefixes[name]?.bytes += bytes
    prefixes[name]?.cache = kept.cache
    leave(name)
  }

  /// Says that the text is gone that ran a prompt.
  private mutating func leave(_ prefix: PrefixID) {
    prefixes[prefix]?.leader = nil
    prefixes.touch(prefix)
  }

  /// Before a text is gone of whose prompt others wait for more: the one that shares most of it
  /// goes on with it where it is.
  mutating func handOverPrompt(of id: RequestID) {
    guard let own = owned[id],
      let leader = sequences.indices.first(where: {
        sequences[$0].id == id && sequences[$0].branch == nil
      }), sequences[leader].isInPrompt
    else { return }
    let done = caches[leader].position
    let waiting = sequences.indices.filter {
      sequences[$0].awaited?.prefix == own && waitingTokens($0) > done
    }
    guard let heir = waiting.max(by: { waitingTokens($0) < waitingTokens($1) }) else { return }
    caches[heir] = caches[leader]
    sequences[heir].begin(after: done)
    owned[id] = nil
    if let old = owned[sequences[heir].id] {
      // Those who wait for the heir's prompt now wait for it under this name.
      for index in sequences.indices where sequences[index].awaited?.prefix == old {
        sequences[index].awaited?.prefix = own
      }
      for text in prefixes[old]?.users ?? [] {
        shared[text] = own
        prefixes.use(own, by: text)
      }
      let bytes = prefixes[old]?.bytes ?? 0
      prefixes[own]?.bytes += bytes
      prefixes.remove(old)
    }
    owned[sequences[heir].id] = own
    prefixes.replace(own, tokens: sequences[heir].source.prompt, leader: sequences[heir].id)
    sequences[heir].stop = nextStop(of: heir)
  }

  /// Where a text has to stop next in its prompt, since somebody waits for what it is after exactly
  /// so many tokens.
  private func nextStop(of leader: Int) -> Int? {
    guard sequences[leader].terms.sharesExactly, let own = owned[sequences[leader].id] else {
      return nil
    }
    let (done, all) = (caches[leader].position, sequences[leader].source.prompt.count)
    return sequences.indices.filter { $0 != leader && sequences[$0].awaited?.prefix == own }
      .map(waitingTokens).filter { $0 > done && $0 < all }.min()
  }

  private func waitingTokens(_ sequence: Int) -> Int { sequences[sequence].awaited?.tokens ?? 0 }

  /// Lets go of the prompt that was used longest ago and that nobody uses now, since its bytes are
  /// needed.
  ///
  /// - Returns: whether there was one.
  private mutating func dropOldestPrefix() -> Bool {
    let unused = prefixes.prefixes.filter { $0.value.users.isEmpty && $0.value.bytes > 0 }
    guard let oldest = unused.min(by: { ($0.value.lastUse, $0.key) < ($1.value.lastUse, $1.key) })
    else { return false }
    drop(oldest.key)
    return true
  }

  /// Lets go of prompts that nobody uses, but for those that the next request begins like, and the
  /// last used as far as there are bytes for them.
  mutating func dropUnusedPrefixes() {
    var kept = 0
    let next = queue.first
    for (id, prefix) in prefixes.prefixes.sorted(by: { $0.value.lastUse > $1.value.lastUse })
    where prefix.users.isEmpty && prefix.leader == nil {
      let isNext = next?.prompt(like: prefix.terms).map {
        prefix.tokens.beginning(with: $0) >= PageLayout.tokens || prefix.tokens == $0
      }
      let fits = kept + prefix.bytes <= limits.keptPromptBytes
      if prefix.cache != nil, isNext == true || fits {
        kept += prefix.bytes
      } else {
        drop(id)
      }
    }
  }

  /// Lets go of what is held of a prompt; as long as its leader lives, that holds the pages
  /// themselves.
  private mutating func drop(_ id: PrefixID) {
    guard let prefix = prefixes[id] else { return }
    admission.release(prefix.bytes)
    if prefix.leader == nil { return prefixes.remove(id) }
    prefixes[id]?.cache = nil
    prefixes[id]?.logits = nil
    prefixes[id]?.bytes = 0
  }
}
