import KVLayout

extension ModelShape {
  /// The sizes of the model's caches.
  public var cacheShape: KVShape {
    let attention = attention
    return KVShape(
      layers: layers, kvHeads: attention.kvHeads, headDimension: attention.dimension,
      fixedFloats: fixedFloats, windows: windows)
  }

  /// The bytes that a sequence's cache may come to hold under a policy.
  public func forecast(_ policy: KVPolicy) -> KVForecast {
    KVForecast(shape: cacheShape, policy: policy, heads: attention.heads)
  }
}

extension KVForecast {
  /// The most bytes that the caches of a load hold: what the engine charges its texts with before
  /// it starts them. The samples of a question share the pages that are full of prompt.
  public func peakBytes(_ load: Load) -> Int {
    var text = charge(
      prompt: load.prompt, reply: load.reply, isShared: load.samples > 1)
    // A probe leaves the thought some tokens before, since words may stand in the last one's place.
    let probes = load.probes.reduce(0) { bytes, length in
      let (start, end) = (load.prompt + max(0, length - 4), load.prompt + length + load.answer)
      return Saturating.sum(bytes, branchBytes(start: start, end: end, prompt: load.prompt))
    }
    text.own = Saturating.sum(text.own, probes)
    return Saturating.product(load.batch, text.bytes(ofTexts: load.samples))
  }
}
