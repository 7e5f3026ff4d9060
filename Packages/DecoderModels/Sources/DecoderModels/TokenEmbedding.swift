import Tensors

/// What tokens become before the first block.
public struct TokenEmbedding: Sendable {
  /// A row for each position that a token can have, beginning with row `offset`.
  public struct Positions: Sendable {
    /// `[positions + offset, hidden]`.
    public let table: any LinearWeights
    /// The row of position 0.
    public let offset: Int

    /// Learned positions.
    public init(table: any LinearWeights, offset: Int) {
      self.table = table
      self.offset = offset
    }
  }

  /// `[vocabulary, width]`, where the width is that of the residual stream unless there is a
  /// projection.
  public var tokens: any LinearWeights
  /// Added, where positions are learned.
  public let positions: Positions?
  /// From the embedding's width to that of the residual stream.
  public let projection: Linear?

  /// An embedding of these parts.
  public init(
    tokens: any LinearWeights, positions: Positions? = nil, projection: Linear? = nil
  ) {
    self.tokens = tokens
    self.positions = positions
    self.projection = projection
  }

  /// Bytes in memory.
  public var byteCount: Int {
    tokens.byteCount + (positions?.table.byteCount ?? 0) + (projection?.byteCount ?? 0)
  }

  /// Writes the embeddings of tokens, which stand at `positions`, to `x` `[tokens, hidden]`.
  public func embed(
    _ ids: [Int32], at places: [Int], into x: UnsafeMutablePointer<Float>, in pass: BlockPass
  ) {
    let width = tokens.inFeatures
    if let projection {
      let rows = pass.scratch(0, ids.count * width)
      for (row, id) in ids.enumerated() { tokens.copyRow(Int(id), into: rows + row * width) }
      pass.input.reset(rows, tokens: ids.count, width: width)
      pass.pool.run([pass.product(projection, into: x)])
    } else {
      for (row, id) in ids.enumerated() { tokens.copyRow(Int(id), into: x + row * width) }
    }
    guard let positions else { return }
    let row = pass.scratch(1, pass.width)
    for (index, place) in places.enumerated() {
      positions.table.copyRow(place + positions.offset, into: row)
      pass.kernels.add(x + index * pass.width, row, pass.width)
    }
  }
}

/// What makes logits of the last block's output.
public struct OutputHead: Sendable {
  /// The norm before the head, where there is one.
  public let norm: Norm?
  /// From the width of the residual stream to that of the head.
  public let projection: Linear?
  /// `[vocabulary, width]`; nil where the embedding serves.
  public var weights: (any LinearWeights)?

  /// A head of these parts.
  public init(norm: Norm?, projection: Linear? = nil, weights: (any LinearWeights)?) {
    self.norm = norm
    self.projection = projection
    self.weights = weights
  }

  /// Bytes in memory.
  public var byteCount: Int {
    (weights?.byteCount ?? 0) + (projection?.byteCount ?? 0) + (norm?.parameters ?? 0) * 4
  }

  /// The product with the head's weights of the first `count` rows of `x` `[rows, hidden]`; the
  /// greatest outputs alone where no others are wanted and the weights know a way.
  func multiply(
    _ x: UnsafeMutablePointer<Float>, count: Int, by weights: any LinearWeights,
    into logits: UnsafeMutablePointer<Float>, wanting wanted: GreatestOutputs?, in pass: BlockPass
  ) {
    pass.start(x, count: count, observe: nil)
    pass.take(norm)
    if let projection {
      let rows = pass.scratch(0, count * projection.weights.outFeatures)
      pass.pool.run([pass.product(projection, into: rows)])
      pass.input.reset(rows, tokens: count, width: projection.weights.outFeatures)
    }
    if let wanted, let weights = weights as? any GreatestFirstWeights {
      weights.multiply(pass.input, into: logits, wanting: wanted, on: pass.pool)
    } else {
      weights.multiply(pass.input, into: logits, on: pass.pool)
    }
  }
}
