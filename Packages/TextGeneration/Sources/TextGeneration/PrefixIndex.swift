import KVCaches

/// Which prompt a prefix belongs to.
typealias PrefixID = Int

/// A prompt whose pages others may start with.
struct SharedPrefix {
  /// The whole prompt.
  var tokens: [Int32]
  /// What its cache is kept by; only those share it who are kept alike.
  let terms: CacheTerms
  /// The text that runs it, as long as that text lives.
  var leader: RequestID?
  /// What is held of it for others: its first tokens, as many as the cache's `position`.
  var cache: KVCache?
  /// The last token's logits, where all of it is held.
  var logits: [Float]?
  /// Texts that started with it, or wait to.
  var users: Set<RequestID> = []
  /// Bytes that are reserved for what is held.
  var bytes = 0
  /// When it was last started with.
  var lastUse = 0
}

/// Finds prompts that begin alike. Full pages of tokens are hashed together with those before them,
/// so that the longest common prefix of a prompt with any of the others is found by a few look-ups.
struct PrefixIndex {
  private(set) var prefixes: [PrefixID: SharedPrefix] = [:]
  /// Hash of the first so many pages -> prompts that begin with them.
  private var byPages: [UInt64: [PrefixID]] = [:]
  private var nextID = 0
  private var uses = 0

  subscript(_ id: PrefixID) -> SharedPrefix? {
    get { prefixes[id] }
    set { prefixes[id] = newValue }
  }

  /// Adds a prompt that `leader` runs.
  mutating func add(_ tokens: [Int32], _ terms: CacheTerms, leader: RequestID) -> PrefixID {
    nextID += 1
    prefixes[nextID] = SharedPrefix(tokens: tokens, terms: terms, leader: leader)
    for hash in Self.hashes(tokens, terms) { byPages[hash, default: []].append(nextID) }
    return nextID
  }

  /// Removes a prompt.
  mutating func remove(_ id: PrefixID) {
    guard let prefix = prefixes.removeValue(forKey: id) else { return }
    for hash in Self.hashes(prefix.tokens, prefix.terms) {
      byPages[hash]?.removeAll { $0 == id }
      if byPages[hash]?.isEmpty == true { byPages[hash] = nil }
    }
  }

  /// Gives a prompt other tokens behind those that its users share.
  mutating func replace(_ id: PrefixID, tokens: [Int32], leader: RequestID) {
    guard var prefix = prefixes[id] else { return }
    remove(id)
    (prefix.tokens, prefix.leader) = (tokens, leader)
    prefixes[id] = prefix
    for hash in Self.hashes(tokens, prefix.terms) { byPages[hash, default: []].append(id) }
  }

  /// Says that a text starts with a prefix.
  mutating func use(_ id: PrefixID, by text: RequestID) {
    uses += 1
    prefixes[id]?.users.insert(text)
    prefixes[id]?.lastUse = uses
  }

  /// Says that a prefix was of use just now.
  mutating func touch(_ id: PrefixID) {
    uses += 1
    prefixes[id]?.lastUse = uses
  }

  /// The prompts kept alike that begin like `prompt` by a page at least, each with the tokens that
  /// both begin with: those with most of them first. They are looked for, and compared token by
  /// token, one after the other as they are asked for: a hash alone decides nothing.
  func matches(_ prompt: [Int32], _ terms: CacheTerms) -> Matches {
    Matches(index: self, prompt: prompt, terms: terms, hashes: Self.hashes(prompt, terms))
  }

  /// See `matches`.
  struct Matches: Sequence, IteratorProtocol {
    fileprivate let index: PrefixIndex
    fileprivate let prompt: [Int32]
    fileprivate let terms: CacheTerms
    /// Of the first pages, of which fewer and fewer are looked for.
    fileprivate var hashes: [UInt64]
    private var seen: Set<PrefixID> = []
    /// Those that have the last number of pages in common, the one with most tokens last.
    private var found: [(id: PrefixID, tokens: Int)] = []

    fileprivate init(index: PrefixIndex, prompt: [Int32], terms: CacheTerms, hashes: [UInt64]) {
      self.index = index
      self.prompt = prompt
      self.terms = terms
      self.hashes = hashes
    }

    mutating func next() -> (id: PrefixID, tokens: Int)? {
      while found.isEmpty {
        let pages = hashes.count
        guard let hash = hashes.popLast() else { return nil }
        for id in index.byPages[hash] ?? [] where !seen.contains(id) {
          guard let prefix = index.prefixes[id], prefix.terms.policy == terms.policy else {
            continue
          }
          let tokens = prompt.beginning(with: prefix.tokens)
          guard tokens >= pages * PageLayout.tokens else { continue }
          seen.insert(id)
          found.append((id, tokens))
        }
        found.sort { ($0.tokens, $1.id) < ($1.tokens, $0.id) }
      }
      return found.popLast()
    }
  }

  /// The prompts kept alike that are equal to `prompt`, the first first.
  func equal(to prompt: [Int32], _ terms: CacheTerms) -> [PrefixID] {
    prefixes.filter { $0.value.tokens == prompt && $0.value.terms.policy == terms.policy }
      .keys.sorted()
  }

  /// The hashes of the first page, the first two, and so on (FNV-1a over the tokens), under a
  /// policy.
  private static func hashes(_ tokens: [Int32], _ terms: CacheTerms) -> [UInt64] {
    var hash = 0xcbf2_9ce4_8422_2325 ^ UInt64(UInt(bitPattern: terms.policy.hashValue))
    var hashes: [UInt64] = []
    for (index, token) in tokens.enumerated() {
      hash = (hash ^ UInt64(UInt32(bitPattern: token))) &* 0x0000_0100_0000_01b3
      if (index + 1) % PageLayout.tokens == 0 { hashes.append(hash) }
    }
    return hashes
  }
}

extension [Int32] {
  /// How many tokens both begin with.
  func beginning(with other: [Int32]) -> Int {
    let most = Swift.min(count, other.count)
    return withUnsafeBufferPointer { these in
      other.withUnsafeBufferPointer { those in
        var same = 0
        while same < most && these[same] == those[same] { same += 1 }
        return same
      }
    }
  }
}
