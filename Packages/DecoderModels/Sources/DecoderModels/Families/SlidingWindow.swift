import ModelLoader

/// Which keys of a configuration say that layers see a window of the last tokens alone.
struct SlidingWindow: Sendable {
  /// Whether `use_sliding_window` has to say so.
  let isOptional: Bool
  /// The window where `sliding_window` is absent, `null` being none.
  let usual: Int?
  /// Whether layers before `max_window_layers` see everything; else all have the window.
  let startsLater: Bool

  /// Qwen2, Qwen2.5 and Qwen3.
  static let qwen = SlidingWindow(isOptional: true, usual: 4096, startsLater: true)
  /// Qwen3 with experts.
  static let qwenMoE = SlidingWindow(isOptional: true, usual: 4096, startsLater: false)
  /// Mistral.
  static let mistral = SlidingWindow(isOptional: false, usual: 4096, startsLater: false)

  /// The windows that a configuration states; `layer_types` counts more than the other keys.
  ///
  /// - Parameters:
  ///   - config: `config.json`.
  ///   - layers: number of layers.
  ///   - context: most tokens of a sequence: a window as long as that is none.
  ///   - rule: the keys of the family; nil where it knows no windows.
  /// - Returns: for each layer how many tokens a query sees; 0 for all. Empty where all layers see
  ///   all.
  /// - Throws: `CheckpointError.value` or `.unsupported` naming the key.
  static func windows(
    _ config: JSONObject, layers: Int, context: Int, by rule: SlidingWindow?
  ) throws(CheckpointError) -> [Int] {
    let types = try config.stringsIfPresent("layer_types")
    if let types {
      guard types.count == layers else {
        throw config.wrong("layer_types", expected: "one for each of \(layers) layers")
      }
      let known: Set = ["full_attention", "sliding_attention"]
      if let other = types.first(where: { !known.contains($0) }) {
        throw .unsupported(file: config.file, feature: "layer type \(other)")
      }
    }
    let isUsed = try config.boolIfPresent("use_sliding_window") ?? false
    guard let rule else {
      if isUsed || types?.contains("sliding_attention") == true {
        throw .unsupported(file: config.file, feature: "a sliding window in this family")
      }
      return []
    }
    var window: Int?
    if isUsed || !rule.isOptional {
      window = try config.integerIfPresent("sliding_window", in: SaneLimits.context)
      if window == nil, !config.isNull("sliding_window") { window = rule.usual }
    }
    guard let window else {
      if types?.contains("sliding_attention") == true {
        throw config.wrong("sliding_window", expected: "a window, as layer_types has some")
      }
      return []
    }
    let first =
      rule.startsLater
      ? try config.integerIfPresent("max_window_layers", in: 0...SaneLimits.layers.upperBound) ?? 28
      : 0
    let windows = (0..<layers).map { layer in
      let slides = types.map { $0[layer] == "sliding_attention" } ?? (layer >= first)
      return slides && window < context ? window : 0
    }
    return windows.contains { $0 > 0 } ? windows : []
  }
}
