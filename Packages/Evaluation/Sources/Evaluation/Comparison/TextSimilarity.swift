/// How alike the texts are that two runs generated for the same items: what quantization changes of
/// what a model says, whether or not its answers are right.
public struct TextSimilarity: Sendable, Hashable {
  /// Mean F1 of ROUGE-1 over items, the first run's texts being the references.
  public let rouge1: Estimate
  /// Mean F1 of ROUGE-2.
  public let rouge2: Estimate
  /// Mean F1 of ROUGE-L.
  public let rougeL: Estimate
  /// The share of texts that are the same to the byte.
  public let identical: Estimate

  /// Compares texts.
  public init(_ texts: TextPairs) {
    let means = texts.means(4) { pair in
      let rouge = Rouge(pair.candidate, reference: pair.reference)
      return [
        rouge.one.f1, rouge.two.f1, rouge.longest.f1, pair.candidate == pair.reference ? 1 : 0,
      ]
    }
    (rouge1, rouge2, rougeL, identical) = (means[0], means[1], means[2], means[3])
  }
}
