import KVLayout

/// The sizes of a decoder block that decide its memory.
public struct BlockShape: Sendable, Hashable, Codable {
  /// A matrix `[rows, columns]`, and whether it carries a bias.
  public struct Linear: Sendable, Hashable, Codable {
    /// Output features.
    public let rows: Int
    /// Input features.
    public let columns: Int
    /// Whether there is a bias `[rows]`.
    public let hasBias: Bool
    /// The part of all tokens that multiply it, 1 but for experts.
    public let share: Double

    /// A matrix.
    public init(rows: Int, columns: Int, hasBias: Bool = false, share: Double = 1) {
      self.rows = rows
      self.columns = columns
      self.hasBias = hasBias
      self.share = share
    }

    var parameters: Int { Saturating.product(rows, columns) }
  }

  /// What the block keeps of a sequence.
  public enum State: Sendable, Hashable, Codable {
    /// Keys and values of its tokens; where there is a window, no query sees more than so many of them.
    case keyValues(heads: Int, kvHeads: Int, dimension: Int, window: Int?)
    /// As many floats whatever its length.
    case fixed(floats: Int)
  }

  /// The linear layers.
  public let linears: [Linear]
  /// Numbers beside weights and biases: those of norms, and matrices that are never quantized.
  public let otherParameters: Int
  /// What is kept.
  public let state: State
  /// Floats of working memory that a row takes.
  public let scratchWidth: Int

  /// A block.
  public init(linears: [Linear], otherParameters: Int, state: State, scratchWidth: Int) {
    self.linears = linears
    self.otherParameters = otherParameters
    self.state = state
    self.scratchWidth = scratchWidth
  }
}
