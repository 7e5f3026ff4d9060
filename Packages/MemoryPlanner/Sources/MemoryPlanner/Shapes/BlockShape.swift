import KVLayout

/// The sizes of a decoder block that decide its memory.
public struct BlockShape: Sendable, Hashable, Codable {
  /// A matrix `[rows, columns]`, whether it carries a bias, and how many of them there are.
  public struct Linear: Sendable, Hashable, Codable {
    /// Output features.
    public let rows: Int
    /// Input features.
    public let columns: Int
    /// Whether there is a bias `[rows]`.
    public let hasBias: Bool
    /// The part of all tokens that multiply it, 1 but for experts.
    public let share: Double
    /// How many there are, such as one for each expert.
    public let count: Int
    /// Whether the inputs are the product of a feed-forward layer, which schemes of 4-bit
    /// activations may hold in more bits (`WeightScheme.wideLayers`).
    public let isWide: Bool

    /// Matrices of one size.
    public init(
      rows: Int, columns: Int, hasBias: Bool = false, share: Double = 1, count: Int = 1,
      isWide: Bool = false
    ) {
      self.count = count
      self.isWide = isWide
      self.rows = rows
      self.columns = columns
      self.hasBias = hasBias
      self.share = share
    }

    /// Of each.
    var parameters: Int { Saturating.product(rows, columns) }

    /// What is expected of `amount` to be that of matrices which none of `tokens` tokens
    /// multiplies, where each is sent anywhere with equal chances.
    func idle(_ amount: Int, tokens: Int) -> Int {
      guard share < 1 else { return 0 }
      var (left, power, exponent) = (1.0, 1 - share, max(tokens, 0))
      while exponent > 0 {
        if exponent % 2 == 1 { left *= power }
        power *= power
        exponent /= 2
      }
      return Int(Double(amount) * left)
    }
  }

  /// What the block keeps of a sequence.
  public enum State: Sendable, Hashable, Codable {
    /// Keys and values of its tokens; where there is a window, no query sees more than so many of
    /// them.
    case keyValues(heads: Int, kvHeads: Int, dimension: Int, window: Int?)
    /// As many floats whatever its length.
    case fixed(floats: Int)
  }

  /// The linear layers.
  public let linears: [Linear]
  /// Linear layers that are never quantized, such as the router of experts; they stay in 16 bits.
  public let keptLinears: [Linear]
  /// Numbers beside weights and biases, such as those of norms.
  public let otherParameters: Int
  /// What is kept.
  public let state: State
  /// Floats of working memory that a row takes.
  public let scratchWidth: Int

  /// A block.
  public init(
    linears: [Linear], keptLinears: [Linear] = [], otherParameters: Int, state: State,
    scratchWidth: Int
  ) {
    self.linears = linears
    self.keptLinears = keptLinears
    self.otherParameters = otherParameters
    self.state = state
    self.scratchWidth = scratchWidth
  }
}
