/// The Qwen3 models (arXiv:2505.09388, Tables 1 and 2; hidden and feed-forward sizes of the
/// released configurations).
public enum Qwen3Family {
  /// The dense ones, 0.6B to 32B, smallest first.
  public static let models: [ModelShape] = [
    dense("0.6b", hidden: 1024, feedForward: 3072, layers: 28, heads: 16, ships: true),
    dense("1.7b", hidden: 2048, feedForward: 6144, layers: 28, heads: 16, ships: true),
    dense("4b", hidden: 2560, feedForward: 9728, layers: 36, heads: 32),
    dense("8b", hidden: 4096, feedForward: 12288, layers: 36, heads: 32, ties: false),
    dense("14b", hidden: 5120, feedForward: 17408, layers: 40, heads: 40, ties: false),
    dense("32b", hidden: 5120, feedForward: 25600, layers: 64, heads: 64, ties: false),
  ].compactMap(\.self)

  /// Those with experts, of which a token is sent to 8 of 128: 3.3 of 30.5 and 22 of 235 billion
  /// parameters.
  public static let mixtures: [ModelShape] = [
    mixture("30b-a3b", hidden: 2048, expert: 768, layers: 48, heads: 32),
    mixture("235b-a22b", hidden: 4096, expert: 1536, layers: 94, heads: 64),
  ].compactMap(\.self)

  private static let vocabulary = 151_936
  private static let context = 40_960
  private static let headDimension = 128

  private static func dense(
    _ name: String, hidden: Int, feedForward: Int, layers: Int, heads: Int, ties: Bool = true,
    ships: Bool = false
  ) -> ModelShape? {
    try? ModelShape(
      name: name, hiddenSize: hidden, intermediateSize: feedForward, layers: layers, heads: heads,
      kvHeads: 8, headDimension: headDimension, vocabularySize: vocabulary, contextLength: context,
      tiesEmbeddings: ties, shipsTiedHead: ships, isRotatable: true)
  }

  private static func mixture(
    _ name: String, hidden: Int, expert: Int, layers: Int, heads: Int
  ) -> ModelShape? {
    let (experts, chosen, kvHeads) = (128, 8, 4)
    let (queries, keys) = (heads * headDimension, kvHeads * headDimension)
    let share = Double(chosen) / Double(experts)
    let block = BlockShape(
      linears: [
        .init(rows: queries, columns: hidden), .init(rows: keys, columns: hidden, count: 2),
        .init(rows: hidden, columns: queries),
        .init(rows: expert, columns: hidden, share: share, count: 2 * experts),
        .init(rows: hidden, columns: expert, share: share, count: experts, isWide: true),
      ],
      keptLinears: [.init(rows: experts, columns: hidden)],
      otherParameters: 2 * hidden + 2 * headDimension,
      state: .keyValues(heads: heads, kvHeads: kvHeads, dimension: headDimension, window: nil),
      scratchWidth: 2 * (queries + keys) + experts + 2 * chosen * (hidden + expert))
    return try? ModelShape(
      name: name, hiddenSize: hidden, blocks: [BlockShape](repeating: block, count: layers),
      lastNormParameters: hidden, vocabularySize: vocabulary, contextLength: context,
      tiesEmbeddings: false)
  }
}
