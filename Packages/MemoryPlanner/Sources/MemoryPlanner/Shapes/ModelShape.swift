import KVLayout

/// The sizes of a decoder that decide its memory.
public struct ModelShape: Sendable, Hashable, Codable {
  /// The attention projections that carry a bias.
  public enum Biases: String, Sendable, Hashable, Codable {
    /// None of them.
    case none
    /// q, k and v, as Qwen2 has it.
    case queryKeyValue
    /// q, k, v and o.
    case all
  }

  /// What people call the model, such as `4b`.
  public let name: String
  /// Width of the residual stream.
  public let hiddenSize: Int
  /// Width of the feed-forward layer.
  public let intermediateSize: Int
  /// Decoder blocks.
  public let layers: Int
  /// Query heads.
  public let heads: Int
  /// Key/value heads.
  public let kvHeads: Int
  /// Width of a head.
  public let headDimension: Int
  /// Rows of the embedding.
  public let vocabularySize: Int
  /// Most tokens a sequence may have.
  public let contextLength: Int
  /// Whether the output head is the embedding.
  public let tiesEmbeddings: Bool
  /// Whether the released BF16 checkpoint holds a head although it is tied (Qwen3 0.6B and 1.7B do).
  public let shipsTiedHead: Bool
  /// Whether queries and keys are normalised per head.
  public let normalizesQueriesAndKeys: Bool
  /// Which projections carry a bias.
  public let biases: Biases

  /// A shape of these parts.
  ///
  /// - Throws: `PlannerError.invalid` naming the size that is not between 1 and 2^30, or heads that do not divide.
  public init(
    name: String, hiddenSize: Int, intermediateSize: Int, layers: Int, heads: Int, kvHeads: Int,
    headDimension: Int, vocabularySize: Int, contextLength: Int, tiesEmbeddings: Bool,
    shipsTiedHead: Bool = false, normalizesQueriesAndKeys: Bool = true, biases: Biases = .none
  ) throws(PlannerError) {
    let sizes = [
      ("hidden size", hiddenSize), ("intermediate size", intermediateSize), ("layers", layers),
      ("heads", heads), ("KV heads", kvHeads), ("head dimension", headDimension),
      ("vocabulary", vocabularySize), ("context", contextLength),
    ]
    for (what, size) in sizes where !(1...1 << 30).contains(size) {
      throw .invalid(name: "\(what) of \(name)", value: "\(size)", expected: "1 to \(1 << 30)")
    }
    guard heads % kvHeads == 0 else {
      throw .invalid(
        name: "heads of \(name)", value: "\(heads)",
        expected: "a multiple of the \(kvHeads) KV heads")
    }
    self.name = name
    self.hiddenSize = hiddenSize
    self.intermediateSize = intermediateSize
    self.layers = layers
    self.heads = heads
    self.kvHeads = kvHeads
    self.headDimension = headDimension
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    self.tiesEmbeddings = tiesEmbeddings
    self.shipsTiedHead = shipsTiedHead
    self.normalizesQueriesAndKeys = normalizesQueriesAndKeys
    self.biases = biases
  }

  /// A matrix `[rows, columns]` of a block, and whether it carries a bias.
  struct Linear {
    let rows: Int
    let columns: Int
    let hasBias: Bool
  }

  private var queryWidth: Int { Saturating.product(heads, headDimension) }
  private var keyWidth: Int { Saturating.product(kvHeads, headDimension) }

  /// The linear layers of one block: q, k, v, o, gate, up, down.
  var linears: [Linear] {
    let onInputs = biases != .none
    return [
      Linear(rows: queryWidth, columns: hiddenSize, hasBias: onInputs),
      Linear(rows: keyWidth, columns: hiddenSize, hasBias: onInputs),
      Linear(rows: keyWidth, columns: hiddenSize, hasBias: onInputs),
      Linear(rows: hiddenSize, columns: queryWidth, hasBias: biases == .all),
      Linear(rows: intermediateSize, columns: hiddenSize, hasBias: false),
      Linear(rows: intermediateSize, columns: hiddenSize, hasBias: false),
      Linear(rows: hiddenSize, columns: intermediateSize, hasBias: false),
    ]
  }

  /// The sum of `value` over the linear layers of all blocks.
  func overLinears(_ value: (Linear) -> Int) -> Int {
    Saturating.product(layers, linears.reduce(0) { Saturating.sum($0, value($1)) })
  }

  /// Parameters of the linear layers of all blocks, which quantization makes smaller.
  public var linearParameters: Int { overLinears { Saturating.product($0.rows, $0.columns) } }
  /// Parameters of the biases.
  public var biasParameters: Int { overLinears { $0.hasBias ? $0.rows : 0 } }
  /// Parameters of all norms, the last one included.
  public var normParameters: Int {
    let perHead = normalizesQueriesAndKeys ? 2 * headDimension : 0
    return Saturating.sum(Saturating.product(layers, 2 * hiddenSize + perHead), hiddenSize)
  }
  /// Parameters of one copy of the embedding.
  public var embeddingParameters: Int { Saturating.product(vocabularySize, hiddenSize) }
  /// Matrices of the embedding's size that the model computes with: 1 if tied, else 2.
  public var embeddingCopies: Int { tiesEmbeddings ? 1 : 2 }
  /// N: every parameter, a tied embedding once.
  public var parameters: Int {
    Saturating.sum(
      linearParameters, biasParameters, normParameters,
      Saturating.product(embeddingCopies, embeddingParameters))
  }
  /// Values that one token adds to the KV cache: layers x KV heads x dimension x 2.
  public var kvValuesPerToken: Int { Saturating.product(layers, keyWidth, 2) }
}
