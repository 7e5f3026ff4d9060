import KVLayout

/// What the KV caches of a server's texts keep: the policy where a request does not say, and those
/// that requests may name.
public struct ServedCaches: Sendable {
  /// The policy where a request does not say.
  public var usual: KVPolicy
  /// The eviction methods that requests may name.
  public var evictions: EvictionCatalog
  /// The most tokens that a request's policy may count to.
  let mostTokens: Int
  /// Objects to a policy that the model's caches cannot be kept by.
  public var check: @Sendable (KVPolicy) throws(KVPolicyError) -> Void

  /// Bytes of a text that names a policy, at most: layers of their own make it long.
  static let policyBytes = 4096

  /// Caches of a model whose context holds so many tokens; see the members.
  public init(
    usual: KVPolicy = .full, evictions: EvictionCatalog = .standard, context: Int,
    check: @escaping @Sendable (KVPolicy) throws(KVPolicyError) -> Void = { _ in }
  ) {
    self.usual = usual
    self.evictions = evictions
    // What evictions usually leave to a prompt is more than some contexts hold.
    mostTokens = max(context, Eviction.defaultPromptBuffer)
    self.check = check
  }

  /// The policy that the fields `kv` and `kv_evict` ask for, in the words of the flags `--kv` and
  /// `--kv-evict`; nil where neither is given. One that is says all of it, as the flags do for
  /// `generate`.
  ///
  /// - Throws: `APIError` naming the field, for what is no policy and for one that the model cannot
  ///   have.
  func policy(_ kv: String?, evicting eviction: String?) throws(APIError) -> KVPolicy? {
    guard kv != nil || eviction != nil else { return nil }
    for (field, text) in [("kv", kv), ("kv_evict", eviction)] {
      guard let text, text.utf8.count > Self.policyBytes else { continue }
      throw .invalid(field, "is longer than \(Self.policyBytes) bytes")
    }
    var policy = KVPolicy.full
    if let kv {
      do { policy = try KVPolicy(parsing: kv, evictions: evictions) } catch {
        throw .invalid("kv", "\(error)")
      }
    }
    if let eviction {
      do throws(KVPolicyError) {
        policy = try policy.with(eviction: Eviction(parsing: eviction, evictions: evictions))
      } catch {
        throw .invalid("kv_evict", "\(error)")
      }
    }
    do { try check(policy) } catch {
      let isEviction = if case .invalidEviction = error { eviction != nil } else { kv == nil }
      throw .invalid(isEviction ? "kv_evict" : "kv", "\(error)")
    }
    for (name, tokens, isEviction) in policy.counts where tokens > mostTokens {
      throw .invalid(
        isEviction && eviction != nil ? "kv_evict" : "kv",
        "\(name) of \(tokens) tokens; at most \(mostTokens) are taken, since no text here is as long"
      )
    }
    return policy
  }
}

extension KVPolicy {
  /// What a policy counts in tokens.
  fileprivate var counts: [(name: String, tokens: Int, isEviction: Bool)] {
    var counts = ([tiers] + exceptions.values).joined().compactMap { tier in
      tier.tokens.map { (name: "a tier", tokens: $0, isEviction: false) }
    }
    if let thoughts { counts.append(("kinds of thought", thoughts.window, false)) }
    if let eviction {
      counts.append(("a budget", eviction.budget, true))
      counts.append(("a buffer", eviction.buffer, true))
      counts.append(("a buffer for prompts", eviction.promptBuffer, true))
    }
    return counts
  }
}

extension FieldReader {
  /// Reads what the KV cache of the texts is to keep; see `ServedCaches.policy`.
  mutating func cachePolicy(_ model: ServedModel) throws(APIError) -> KVPolicy? {
    try model.caches.policy(string("kv"), evicting: string("kv_evict"))
  }
}
