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
    let text = charge(
      prompt: load.prompt, reply: load.reply, isShared: load.samples > 1)
    return Saturating.product(
      load.batch, Saturating.sum(text.shared, Saturating.product(load.samples, text.own)))
  }
}
