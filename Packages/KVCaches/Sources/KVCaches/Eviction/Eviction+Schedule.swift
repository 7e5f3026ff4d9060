extension Eviction {
  /// How far a layer is.
  struct Progress {
    /// Tokens it has seen.
    let seen: Int
    /// Tokens it holds.
    let count: Int
    /// Tokens of the prompt, once they are known.
    let promptLength: Int?

    var isInPrompt: Bool { promptLength.map { seen < $0 } ?? true }
  }

  /// Whether a layer is to be compressed now that its newest token has attended.
  func isDue(_ layer: Progress) -> Bool {
    if layer.seen == layer.promptLength { return layer.count >= budget }
    if layer.isInPrompt { return layer.count >= budget + promptBuffer }
    switch schedule {
    case .staged: return layer.count >= budget + buffer
    case .multiples: return layer.seen % buffer == 1 % buffer && layer.count >= budget
    }
  }

  /// Tokens that may be appended at once before a compression can be due, at least 1.
  func room(_ layer: Progress) -> Int {
    if layer.isInPrompt {
      let room = budget + promptBuffer - layer.count
      return max(1, min(room, layer.promptLength.map { $0 - layer.seen } ?? room))
    }
    switch schedule {
    case .staged: return max(1, budget + buffer - layer.count)
    case .multiples: return buffer - (layer.seen + buffer - 1) % buffer
    }
  }
}
