import KVLayout

/// What the engine really takes: packed weights, pages of the caches, and its working memory.
struct EngineMemory {
  let shape: ModelShape
  let precision: WeightPrecision
  let policy: KVPolicy

  /// Bytes of the process before it has a model: program, libraries, allocator.
  static let process = 37 << 20
  /// Bytes that the tokenizer takes for each entry of its vocabulary.
  static let tokenizerEntry = 100

  /// The bytes of the weights: matrices packed, norms and biases in F32, a tied embedding once, and
  /// the output head as it is held by default.
  var weights: Int {
    let embedding = WeightPrecision.bf16.packedBytes(
      rows: shape.vocabularySize, columns: shape.embeddingSize)
    return Saturating.sum(
      head, ties ? 0 : embedding,
      shape.overKeptLinears {
        WeightPrecision.bf16.packedBytes(rows: $0.rows, columns: $0.columns)
      },
      shape.overLinears { precision.packedBytes(of: $0, width: shape.hiddenSize) },
      Saturating.product(4, Saturating.sum(shape.normParameters, shape.biasParameters)))
  }

  private var ties: Bool { shape.tiesEmbeddings(in: precision) }

  /// The bytes of the output head; the scales of one that is quantized as it is loaded are F32, and
  /// where a second part is added to the first, how long that is in each block of 16 rows.
  private var head: Int {
    let parts = precision.headParts
    let lengths = parts.count > 1 ? Saturating.product(4, shape.vocabularySize.pieces(of: 16)) : 0
    return parts.reduce(lengths) { Saturating.sum($0, bytes(ofHeadIn: $1)) }
  }

  private func bytes(ofHeadIn part: WeightPrecision) -> Int {
    let (rows, columns) = (shape.vocabularySize, shape.embeddingSize)
    let groups = part.groupSize.map { columns.pieces(of: min($0, columns)) } ?? 0
    let wider = Saturating.product(2, 16, rows.pieces(of: 16), groups)
    return Saturating.sum(part.packedBytes(rows: rows, columns: columns), wider)
  }

  /// The bytes of the head that a step does not read, but for a few rows, where it draws so many
  /// tokens from the likeliest: those of a second part, of vocabularies that are large beside the
  /// tokens that are looked at.
  func idleHead(drawing tokens: Int) -> Int {
    let isSelected =
      tokens <= Self.mostDrawn && shape.vocabularySize >= 64 * Self.likeliest
    guard isSelected else { return 0 }
    return precision.headParts.dropFirst().reduce(0) {
      Saturating.sum($0, bytes(ofHeadIn: $1))
    }
  }

  /// As many tokens a step look for the rows that may be drawn.
  private static let mostDrawn = 64
  /// The tokens that are looked at: the top-k of the Qwen families.
  private static let likeliest = 20

  /// The bytes at the peak under a load.
  func use(_ load: Load) -> MemoryUse {
    let kv = shape.forecast(policy).peakBytes(load)
    let peak = Saturating.sum(base, kv, running(load))
    return MemoryUse(weights: weights, kv: kv, working: peak - min(peak, kv))
  }

  /// The bytes that a second model takes in the same process: weights, caches without probes, and
  /// what it computes in.
  func useBesideProcess(_ load: Load) -> Int {
    let text = shape.forecast(policy).charge(
      prompt: load.prompt, reply: load.reply, isShared: false)
    return Saturating.sum(
      weights, Saturating.product(load.sequences, text.own), running(load))
  }

  /// The process without weights, before it runs anything.
  private var base: Int {
    Saturating.sum(Self.process, Saturating.product(Self.tokenizerEntry, shape.vocabularySize))
  }

  /// What is there beside weights and pages while texts are generated.
  func running(_ load: Load) -> Int {
    Saturating.sum(activations(load), shape.forecast(policy).slackBytes)
  }

  /// Bytes that are left for KV caches in `memory` bytes: with no more of them the peak stays
  /// within it.
  ///
  /// - Parameters:
  ///   - memory: bytes that the process may hold.
  ///   - load: what is generated together.
  ///   - weights: bytes of the weights as they were loaded.
  ///   - resident: bytes that the process holds with the weights loaded, which count where they are
  ///     more than the equations say.
  /// - Returns: bytes; negative where not even the model fits.
  func cacheBytes(in memory: Int, _ load: Load, weights: Int, resident: Int) -> Int {
    let loaded = Saturating.sum(base, weights)
    return memory - Saturating.sum(max(loaded, resident), running(load))
  }

  /// Activations: the rows of a chunk through one block in F32, once more in the 16 bits in which
  /// the widest input is multiplied, and the logits of every sequence.
  func activations(_ load: Load) -> Int {
    let rows = min(KVForecast.stepTokens, max(load.prompt, load.sequences))
    let widest = shape.blocks.flatMap(\.linears).map(\.columns).max() ?? 0
    let width = Saturating.sum(
      Saturating.product(3, shape.hiddenSize), widest.pieces(of: 2),
      shape.blocks.map(\.scratchWidth).max() ?? 0)
    let logits = Saturating.product(
      min(load.sequences, KVForecast.stepTokens),
      Saturating.sum(shape.vocabularySize, shape.hiddenSize))
    return Saturating.product(4, Saturating.sum(Saturating.product(rows, width), logits))
  }
}
