import MemoryPlanner

/// A KV policy as the flags that `generate` and `evaluate` take.
public enum CacheFlags {
  /// The words of the flags; none for the default.
  public static func words(_ kv: KVPolicy) -> [String] {
    var words: [String] = []
    if kv.keys != kv.values {
      words += ["--kv-k", kv.keys.rawValue, "--kv-v", kv.values.rawValue]
    } else if kv.keys != .bf16 {
      words += ["--kv", kv.keys.rawValue]
    }
    if let eviction = kv.eviction { words += ["--kv-evict", "\(eviction)"] }
    return words
  }
}
