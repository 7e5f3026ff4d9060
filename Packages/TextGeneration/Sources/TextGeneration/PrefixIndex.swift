import KVCaches

/// Which prompt a prefix belongs to.
typealias PrefixID = Int

/// A prompt whose pages others may start with.
struct SharedPrefix {
  /// The whole prompt.
  var tokens: [Int32]
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
  mutating func add(_ tokens: [Int32], leader: RequestID) -> PrefixID {
    nextID += 1
    prefixes[nextID] = SharedPrefix(tokens: tokens, leader: leader)
    for hash in Self.hashes(tokens) { byPages[hash, default: []].append(nextID) }
    return nextID
  }

  /// Removes a prompt.
  mutating func remove(_ id: PrefixID) {
    guard let prefix = prefixes.removeValue(forKey: id) else { return }
    for hash in Self.hashes(prefix.tokens) {
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
    for hash in Self.hashes(tokens) { byPages[hash, default: []].append(id) }
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

  /// The prompts that begin like `prompt`, those with most full pages in common first, each with
  /// the tokens of these pages. What is found is compared token by token: a hash alone decides
  /// nothing.
  func matches(_ prompt: [Int32]) -> [(id: PrefixID, tokens: Int)] {
    var found: [(id: PrefixID, tokens: Int)] = []
    var seen: Set<PrefixID> = []
    for (index, hash) in Self.hashes(prompt).enumerated().reversed() {
      let tokens = (index + 1) * PageLayout.tokens
      for id in byPages[hash] ?? [] where !seen.contains(id) {
        guard let other = prefixes[id]?.tokens, other.starts(with: prompt[..<tokens]) else {
          continue
        }
        seen.insert(id)
        found.append((id, tokens))
      }
    }
    return found
  }

  /// The prompts that are equal to `prompt`, the first first.
  func equal(to prompt: [Int32]) -> [PrefixID] {
    prefixes.filter { $0.value.tokens == prompt }.keys.sorted()
  }

  /// The hashes of the first page, the first two, and so on (FNV-1a over the tokens).
  private static func hashes(_ tokens: [Int32]) -> [UInt64] {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    var hashes: [UInt64] = []
    for (index, token) in tokens.enumerated() {
      hash = (hash ^ UInt64(UInt32(bitPattern: token))) &* 0x0000_0100_0000_01b3
      if (index + 1) % PageLayout.tokens == 0 { hashes.append(hash) }
    }
    return hashes
  }
}

extension [Int32] {
  /// Tokens of full pages that both begin with.
  func commonPages(with other: [Int32]) -> Int {
    let common = zip(self, other).prefix { $0 == $1 }.count
    return common / PageLayout.tokens * PageLayout.tokens
  }
}
