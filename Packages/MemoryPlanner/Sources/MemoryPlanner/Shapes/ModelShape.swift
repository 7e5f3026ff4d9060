import KVLayout

/// The sizes of a decoder that decide its memory, block by block.
public struct ModelShape: Sendable, Hashable, Codable {
  /// What people call the model, such as `4b`.
  public let name: String
  /// Width of the residual stream.
  public let hiddenSize: Int
  /// Width of the embedding, `hiddenSize` unless a projection stands between.
  public let embeddingSize: Int
  /// The decoder blocks, first to last.
  public let blocks: [BlockShape]
  /// Matrices beside the blocks and the embedding, such as learned positions; they stay in 16 bits.
  public let outerLinears: [BlockShape.Linear]
  /// Parameters of the last norm.
  public let lastNormParameters: Int
  /// Rows of the embedding.
  public let vocabularySize: Int
  /// Most tokens a sequence may have.
  public let contextLength: Int
  /// Whether the output head is the embedding.
  public let tiesEmbeddings: Bool
  /// Whether the released BF16 checkpoint holds a head although it is tied (Qwen3 0.6B and 1.7B
  /// do).
  public let shipsTiedHead: Bool
  /// Whether residual stream, heads and inner products can be rotated by Hadamard matrices, as the
  /// scheme `w4a4-rotated` needs it.
  public let isRotatable: Bool

  /// A shape of these parts, of which the blocks come from a family's description.
  ///
  /// - Throws: `PlannerError.invalid` naming the size that is not between 1 and 2^30, or heads that
  ///   do not divide.
  public init(
    name: String, hiddenSize: Int, embeddingSize: Int? = nil, blocks: [BlockShape],
    outerLinears: [BlockShape.Linear] = [], lastNormParameters: Int, vocabularySize: Int,
    contextLength: Int, tiesEmbeddings: Bool, shipsTiedHead: Bool = false,
    isRotatable: Bool = false
  ) throws(PlannerError) {
    try Self.check(
      [
        ("hidden size", hiddenSize), ("embedding size", embeddingSize ?? hiddenSize),
        ("layers", blocks.count), ("vocabulary", vocabularySize), ("context", contextLength),
      ], of: name)
    for block in blocks {
      guard case .keyValues(let heads, let kvHeads, let dimension, _) = block.state else {
        continue
      }
      try Self.check(
        [("heads", heads), ("KV heads", kvHeads), ("head dimension", dimension)], of: name)
      guard heads % kvHeads == 0 else {
        throw .invalid(
          name: "heads of \(name)", value: "\(heads)",
          expected: "a multiple of the \(kvHeads) KV heads")
      }
    }
    self.name = name
    self.hiddenSize = hiddenSize
    self.embeddingSize = embeddingSize ?? hiddenSize
    self.blocks = blocks
    self.outerLinears = outerLinears
    self.lastNormParameters = lastNormParameters
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    self.tiesEmbeddings = tiesEmbeddings
    self.shipsTiedHead = shipsTiedHead
    self.isRotatable = isRotatable
  }

  /// A dense model of equal blocks: attention with q, k, v and o, per-head norms of queries and
  /// keys, a gated feed-forward layer, two norms.
  ///
  /// - Throws: `PlannerError.invalid` naming the size that is not between 1 and 2^30, or heads that
  ///   do not divide.
  public init(
    name: String, hiddenSize: Int, intermediateSize: Int, layers: Int, heads: Int, kvHeads: Int,
    headDimension: Int, vocabularySize: Int, contextLength: Int, tiesEmbeddings: Bool,
    shipsTiedHead: Bool = false, isRotatable: Bool = false
  ) throws(PlannerError) {
    try Self.check(
      [
        ("intermediate size", intermediateSize), ("layers", layers), ("heads", heads),
        ("KV heads", kvHeads), ("head dimension", headDimension),
      ], of: name)
    guard layers <= Self.mostBlocks else {
      throw .invalid(
        name: "layers of \(name)", value: "\(layers)", expected: "1 to \(Self.mostBlocks)")
    }
    let (queries, keys) = (
      Saturating.product(heads, headDimension), Saturating.product(kvHeads, headDimension)
    )
    let block = BlockShape(
      linears: [
        .init(rows: queries, columns: hiddenSize), .init(rows: keys, columns: hiddenSize),
        .init(rows: keys, columns: hiddenSize), .init(rows: hiddenSize, columns: queries),
        .init(rows: intermediateSize, columns: hiddenSize),
        .init(rows: intermediateSize, columns: hiddenSize),
        .init(rows: hiddenSize, columns: intermediateSize, isWide: true),
      ], otherParameters: 2 * hiddenSize + 2 * headDimension,
      state: .keyValues(heads: heads, kvHeads: kvHeads, dimension: headDimension, window: nil),
      scratchWidth: Saturating.sum(
        Saturating.product(2, queries), Saturating.product(2, keys),
        Saturating.product(2, intermediateSize)))
    try self.init(
      name: name, hiddenSize: hiddenSize,
      blocks: [BlockShape](repeating: block, count: layers),
      lastNormParameters: hiddenSize, vocabularySize: vocabularySize,
      contextLength: contextLength, tiesEmbeddings: tiesEmbeddings, shipsTiedHead: shipsTiedHead,
      isRotatable: isRotatable)
  }

  /// No model has more blocks.
  private static let mostBlocks = 1 << 16

  private static func check(
    _ sizes: [(what: String, size: Int)], of name: String
  ) throws(PlannerError) {
    for (what, size) in sizes where !(1...1 << 30).contains(size) {
      throw .invalid(name: "\(what) of \(name)", value: "\(size)", expected: "1 to \(1 << 30)")
    }
  }

  /// Decoder blocks.
  public var layers: Int { blocks.count }

  /// The blocks that keep keys and values, their heads and the width of a head, which are alike in
  /// all of them.
  public var attention: (layers: Int, heads: Int, kvHeads: Int, dimension: Int) {
    var found = (layers: 0, heads: 1, kvHeads: 1, dimension: 1)
    for block in blocks {
      guard case .keyValues(let heads, let kvHeads, let dimension, _) = block.state else {
        continue
      }
      found = (found.layers + 1, heads, kvHeads, dimension)
    }
    return found
  }

  /// Of each block the floats of its fixed state; empty where all keep keys and values.
  var fixedFloats: [Int] {
    let floats = blocks.map { block in
      if case .fixed(let floats) = block.state { floats } else { 0 }
    }
    return floats.contains { $0 > 0 } ? floats : []
  }

  /// Of each block the tokens that a query sees; empty where all see everything.
  var windows: [Int] {
    let windows = blocks.map { block in
      if case .keyValues(_, _, _, let window?) = block.state { window } else { 0 }
    }
    return windows.contains { $0 > 0 } ? windows : []
  }

  /// The sum of `value` over the linear layers of all blocks.
  func overLinears(_ value: (BlockShape.Linear) -> Int) -> Int {
    var (sum, last) = (0, (block: [BlockShape.Linear](), value: 0))
    for block in blocks {
      // Blocks are mostly alike.
      if block.linears != last.block {
        last = (block.linears, Self.sum(of: block.linears, value))
      }
      sum = Saturating.sum(sum, last.value)
    }
    return sum
  }

  private static func sum(
    of linears: [BlockShape.Linear], _ value: (BlockShape.Linear) -> Int
  ) -> Int {
    linears.reduce(0) { Saturating.sum($0, Saturating.product($1.count, value($1))) }
  }

  /// The sum of `value` over the matrices that stay in 16 bits whatever becomes of the others:
  /// those beside the blocks, the embedding aside, and those that blocks keep.
  func overKeptLinears(_ value: (BlockShape.Linear) -> Int) -> Int {
    blocks.reduce(Self.sum(of: outerLinears, value)) {
      Saturating.sum($0, Self.sum(of: $1.keptLinears, value))
    }
  }

  /// Parameters of the linear layers of all blocks, which quantization makes smaller.
  public var linearParameters: Int { overLinears { $0.parameters } }
  /// Parameters of the biases.
  public var biasParameters: Int {
    Saturating.sum(
      overLinears { $0.hasBias ? $0.rows : 0 }, overKeptLinears { $0.hasBias ? $0.rows : 0 })
  }
  /// Parameters of all norms, the last one included, and of what else is no linear layer.
  public var normParameters: Int {
    blocks.reduce(lastNormParameters) { Saturating.sum($0, $1.otherParameters) }
  }
  /// Parameters of one copy of the embedding.
  public var embeddingParameters: Int { Saturating.product(vocabularySize, embeddingSize) }
  /// Matrices of the embedding's size that the model computes with: 1 if tied, else 2.
  public var embeddingCopies: Int { tiesEmbeddings ? 1 : 2 }
  /// Whether the output head is the embedding still when the weights are in a precision.
  func tiesEmbeddings(in precision: WeightPrecision) -> Bool {
    tiesEmbeddings && precision.scheme?.untiesHead != true
  }
  /// Parameters of the embedding, the head and the other matrices that stay in 16 bits.
  public var outerParameters: Int {
    Saturating.sum(
      Saturating.product(embeddingCopies, embeddingParameters), overKeptLinears { $0.parameters })
  }
  /// N: every parameter, a tied embedding once.
  public var parameters: Int {
    Saturating.sum(linearParameters, biasParameters, normParameters, outerParameters)
  }
  /// The parameters that one token is multiplied with: of experts only those it is sent to.
  public var activeParameters: Int {
    parameters - overLinears { $0.idle($0.parameters, tokens: 1) }
  }
  /// The same of the linear layers of all blocks alone.
  public var activeLinearParameters: Int {
    linearParameters - overLinears { $0.idle($0.parameters, tokens: 1) }
  }
  /// Bytes of the experts that none of `tokens` tokens is expected to be sent to, in a precision.
  public func idleBytes(_ precision: WeightPrecision, tokens: Int) -> Int {
    overLinears { $0.idle(precision.packedBytes(of: $0, width: hiddenSize), tokens: tokens) }
  }
  /// Values that one token adds to the KV cache: layers that attend x KV heads x dimension x 2.
  public var kvValuesPerToken: Int {
    let attention = attention
    return Saturating.product(attention.layers, attention.kvHeads, attention.dimension, 2)
  }
}
