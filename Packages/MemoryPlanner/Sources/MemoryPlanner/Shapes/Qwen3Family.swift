/// The dense Qwen3 models (arXiv:2505.09388, Table 1; hidden and feed-forward sizes of the released configurations).
public enum Qwen3Family {
  /// 0.6B to 32B, smallest first.
  public static let models: [ModelShape] = [
    shape("0.6b", hidden: 1024, feedForward: 3072, layers: 28, heads: 16, ships: true),
    shape("1.7b", hidden: 2048, feedForward: 6144, layers: 28, heads: 16, ships: true),
    shape("4b", hidden: 2560, feedForward: 9728, layers: 36, heads: 32),
    shape("8b", hidden: 4096, feedForward: 12288, layers: 36, heads: 32, ties: false),
    shape("14b", hidden: 5120, feedForward: 17408, layers: 40, heads: 40, ties: false),
    shape("32b", hidden: 5120, feedForward: 25600, layers: 64, heads: 64, ties: false),
  ].compactMap(\.self)

  private static func shape(
    _ name: String, hidden: Int, feedForward: Int, layers: Int, heads: Int, ties: Bool = true,
    ships: Bool = false
  ) -> ModelShape? {
    try? ModelShape(
      name: name, hiddenSize: hidden, intermediateSize: feedForward, layers: layers, heads: heads,
      kvHeads: 8, headDimension: 128, vocabularySize: 151_936, contextLength: 40_960,
      tiesEmbeddings: ties, shipsTiedHead: ships)
  }
}
