extension Eviction {
  /// How far a layer is.
  public struct Progress: Sendable {
    /// Tokens it has seen.
    public let seen: Int
    /// Tokens it holds.
    public let count: Int
    /// Tokens of the prompt, once they are known.
    public let promptLength: Int?

    /// A layer that is so far.
    public init(seen: Int, count: Int, promptLength: Int?) {
      self.seen = seen
      self.count = count
      self.promptLength = promptLength
    }

    var isInPrompt: Bool { promptLength.map { seen < $0 } ?? true }
  }

  /// Whether a layer is to be compressed now that its newest token has attended.
  public func isDue(_ layer: Progress) -> Bool {
    if layer.seen == layer.promptLength { return layer.count >= budget }
    if layer.isInPrompt { return layer.count >= budget + promptBuffer }
    switch schedule {
    case .staged: return layer.count >= budget + buffer
    case .multiples: return layer.seen % buffer == 1 % buffer && layer.count >= budget
    }
  }

  /// Whether a layer may be compressed while `reply` tokens are appended to a prompt, once that is
  /// through.
  func compresses(prompt: Int, reply: Int) -> Bool {
    let kept = min(prompt, budget)
    let behindPrompt = Progress(seen: prompt, count: kept, promptLength: prompt)
    return Saturating.sum(kept, reply) >= budget && reply >= tokensUntilDue(behindPrompt)
  }

  /// Tokens, of those of a prompt that are kept, that every compression leaves where they are.
  func tokensInFront(prompt: Int) -> Int {
    method.tokensInFront(prompt: prompt, budget: budget, order: order)
  }

  /// Tokens that may be appended at once before a compression can be due, at least 1.
  public func tokensUntilDue(_ layer: Progress) -> Int {
    if layer.isInPrompt {
      let most = budget + promptBuffer - layer.count
      return max(1, min(most, layer.promptLength.map { $0 - layer.seen } ?? most))
    }
    switch schedule {
    case .staged: return max(1, budget + buffer - layer.count)
    case .multiples: return buffer - (layer.seen + buffer - 1) % buffer
    }
  }
}
