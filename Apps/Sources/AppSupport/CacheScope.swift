import KVLayout

extension KVShape {
  /// What a KV policy is about in a model whose layers do not all attend, to stand behind the
  /// policy; empty for others.
  public var scopeText: String {
    guard hasFixedStates else { return "" }
    return
      " in \(attendingLayers) of \(layers) layers; the others hold states, \(Text.bytes(fixedBytes)) a text"
  }
}
