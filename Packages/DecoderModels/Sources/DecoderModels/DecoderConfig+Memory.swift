import MemoryPlanner

extension DecoderConfig {
  /// The sizes that decide the memory of a model, under a name for messages.
  ///
  /// - Throws: `PlannerError.invalid` for a size that the planner's equations cannot hold.
  public func memoryShape(named name: String) throws(PlannerError) -> ModelShape {
    let biases: ModelShape.Biases =
      switch attentionBias {
      case .none: .none
      case .queryKeyValue: .queryKeyValue
      case .all: .all
      }
    return try ModelShape(
      name: name, hiddenSize: hiddenSize, intermediateSize: intermediateSize, layers: layers,
      heads: heads, kvHeads: kvHeads, headDimension: headDimension, vocabularySize: vocabularySize,
      contextLength: contextLength, tiesEmbeddings: tiesEmbeddings,
      normalizesQueriesAndKeys: normalizesQueriesAndKeys, biases: biases)
  }
}
