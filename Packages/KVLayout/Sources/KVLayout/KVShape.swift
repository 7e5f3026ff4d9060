/// The sizes a cache is made for.
public struct KVShape: Sendable, Hashable, Codable {
  /// Decoder layers.
  public let layers: Int
  /// Key/value heads of a layer.
  public let kvHeads: Int
  /// Values in one key or value vector.
  public let headDimension: Int
  /// For each layer the floats of the state that it holds in place of keys and values, as a layer
  /// of linear attention does; 0 for one that attends. Empty where all attend.
  public let fixedFloats: [Int]
  /// For each layer how many tokens a query sees, its own included; 0 for all of them. Empty where
  /// all layers see all.
  public let windows: [Int]

  /// Describes a cache; the sizes must be positive, and there is one entry of `fixedFloats` and of
  /// `windows` for each layer, or none.
  public init(
    layers: Int, kvHeads: Int, headDimension: Int, fixedFloats: [Int] = [], windows: [Int] = []
  ) {
    precondition(layers > 0 && kvHeads > 0 && headDimension > 0, "a cache of no size")
    precondition(fixedFloats.isEmpty || fixedFloats.count == layers, "one state for each layer")
    precondition(windows.isEmpty || windows.count == layers, "one window for each layer")
    self.layers = layers
    self.kvHeads = kvHeads
    self.headDimension = headDimension
    self.fixedFloats = fixedFloats
    self.windows = windows
  }

  /// Whether a layer holds keys and values.
  public func attends(_ layer: Int) -> Bool { fixedFloats.isEmpty || fixedFloats[layer] == 0 }

  /// Whether some layers hold a state of a fixed size in place of keys and values: what a policy
  /// says is about the others.
  public var hasFixedStates: Bool { attendingLayers < layers }

  /// Layers that hold keys and values.
  public var attendingLayers: Int {
    fixedFloats.isEmpty ? layers : fixedFloats.count { $0 == 0 }
  }

  /// How many tokens a query of a layer sees, its own included; nil for all of them.
  public func window(_ layer: Int) -> Int? {
    windows.isEmpty || windows[layer] == 0 ? nil : windows[layer]
  }

  /// Whether a layer holds the keys and values of all tokens, unless an eviction lets go of some.
  public func seesAll(_ layer: Int) -> Bool { attends(layer) && window(layer) == nil }

  /// Layers that hold the keys and values of all tokens.
  public var fullLayers: Int { (0..<layers).count { seesAll($0) } }

  /// Pages, from the first, that a layer with this window has let go of once it holds `tokens`
  /// tokens: the next token, and one after the last page was taken back, sees none of them.
  public static func pagesBehind(window: Int, tokens: Int) -> Int {
    max(0, tokens + 1 - window - PageLayout.tokens) / PageLayout.tokens
  }

  /// Bytes of the states of the layers that do not attend.
  public var fixedBytes: Int {
    fixedFloats.reduce(0) { Saturating.sum($0, Saturating.product($1, 4)) }
  }

  /// Bytes that one token takes in `format`, scales not counted, by the paper's equation:
  /// layers x heads x dimension x 2 x width.
  public func bytesPerToken(_ format: KVFormat) -> Int {
    attendingLayers * kvHeads * headDimension * 2 * format.bits / 8
  }
}
