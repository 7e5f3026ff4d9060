import KVLayout

/// What the engine really takes: packed weights, pages of the caches, and its working memory.
struct EngineMemory {
  let shape: ModelShape
  let precision: WeightPrecision
  let policy: KVPolicy

  /// Bytes of the process before it has a model: program, libraries, allocator.
  static let process = 24 << 20
  /// Bytes that the tokenizer takes for each entry of its vocabulary.
  static let tokenizerEntry = 100

  /// The bytes of the weights: matrices packed, norms and biases in F32, a tied embedding once.
  var weights: Int {
    let embedding = WeightPrecision.bf16.packedBytes(
      rows: shape.vocabularySize, columns: shape.embeddingSize)
    let outer = shape.outerLinears.reduce(
      Saturating.product(shape.embeddingCopies, embedding)
    ) {
      Saturating.sum($0, WeightPrecision.bf16.packedBytes(rows: $1.rows, columns: $1.columns))
    }
    return Saturating.sum(
      outer, shape.overLinears { precision.packedBytes(rows: $0.rows, columns: $0.columns) },
      Saturating.product(4, Saturating.sum(shape.normParameters, shape.biasParameters)))
  }

  /// The bytes at the peak under a load.
  func use(_ load: Load) -> MemoryUse {
    let kv = shape.forecast(policy).peakBytes(load)
    let running = Saturating.sum(kv, activations(load))
    // The last matrix is read before it is packed; then its file form is let go.
    let last = shape.tiesEmbeddings ? 0 : Saturating.product(2, shape.embeddingParameters)
    let base = Saturating.sum(
      Self.process, Saturating.product(Self.tokenizerEntry, shape.vocabularySize))
    let peak = Saturating.sum(base, max(running, last))
    return MemoryUse(weights: weights, kv: kv, working: peak - min(peak, kv))
  }

  /// Activations in F32: the rows of a chunk through one block, and the logits of every sequence.
  func activations(_ load: Load) -> Int {
    let rows = min(KVForecast.stepTokens, max(load.prompt, load.sequences))
    let width = Saturating.sum(
      Saturating.product(3, shape.hiddenSize), shape.blocks.map(\.scratchWidth).max() ?? 0)
    let logits = Saturating.product(
      min(load.sequences, KVForecast.stepTokens),
      Saturating.sum(shape.vocabularySize, shape.hiddenSize))
    return Saturating.product(4, Saturating.sum(Saturating.product(rows, width), logits))
  }
}
