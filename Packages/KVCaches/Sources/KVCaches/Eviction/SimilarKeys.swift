/// What is known of a key's last similar key: no key at `bound` or behind it is similar, and the
/// one right before `bound` is if `cosine` is above the threshold. A bound of 0 says that no key is
/// similar.
struct SimilarKey: Equatable {
  var bound: Int32
  var cosine: Float = -.infinity

  /// What is known when only `slots`, ascending, are kept.
  func after(keeping slots: [Int]) -> SimilarKey {
    var (low, high) = (0, slots.count)
    while low < high {
      let middle = (low + high) / 2
      if slots[middle] < Int(bound) { low = middle + 1 } else { high = middle }
    }
    let stays = low > 0 && slots[low - 1] == Int(bound) - 1
    return SimilarKey(bound: Int32(low), cosine: stays ? cosine : -.infinity)
  }
}

/// What the last compression found out about the keys that a KV head kept: only the new ones and
/// those whose last similar key was evicted have to be compared again. Keys in full precision do
/// not change, so that is what a search from scratch would find. Where keys are rounded on the way,
/// what was found before stands.
struct SimilarKeys: HeadMemory {
  /// The keys kept.
  let keys: [SimilarKey]

  var byteCount: Int { keys.count * MemoryLayout<SimilarKey>.stride }
}
