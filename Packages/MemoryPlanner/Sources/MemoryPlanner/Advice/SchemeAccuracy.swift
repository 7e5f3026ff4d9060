/// What part of a model's accuracy a scheme of weights and activations is known to keep.
///
/// Nobody published one table of all schemes on long thoughts, so each figure says what it is of.
/// Where it is of weights and activations together and of a model that thinks less, it stands
/// beside what finding 2 of arXiv:2510.10964 says of the weights alone, which errs on the low side.
struct SchemeAccuracy: Sendable {
  /// The part that is kept, 0 to 1.
  let recovery: Double
  /// One standard deviation of it.
  let error: Double
  /// What it was measured on, and where that stands.
  let source: String
  /// Whether it was measured on this very model, so that nothing else is known of its weights.
  let holdsWeights: Bool

  /// What is known of a scheme; nil where nothing but its weights' bits tells, as of `w4a16`.
  static func of(_ scheme: WeightScheme, _ model: String, _ task: TaskKind) -> SchemeAccuracy? {
    if task == .math, let row = nano.first(where: { $0.model == model.lowercased() }),
      let accuracy = row.schemes[scheme]
    {
      return SchemeAccuracy(
        recovery: min(1, accuracy / row.bf16),
        error: (accuracy * (1 - accuracy) / problems).squareRoot() / row.bf16,
        source: "nano-math, docs/quantization.md", holdsWeights: true)
    }
    return published(scheme, task)
  }

  private static func published(_ scheme: WeightScheme, _ task: TaskKind) -> SchemeAccuracy? {
    let (recovery, error, source): (Double, Double, String)
    switch (scheme, task) {
    case (.w8a8Integer, .math):
      (recovery, error) = (49.07 / 49.25, 0.01)
      source = "AIME24 of R1-Distill-Llama-8B 49.25 to 49.07, RedHatAI's model card"
    case (.w8a8Integer, .knowledge):
      (recovery, error) = (48.9 / 49.27, 0.01)
      source = "GPQA-Diamond of R1-Distill-Llama-8B 49.27 to 48.9, RedHatAI's model card"
    case (.w8a8Float, _):
      (recovery, error) = (73.55 / 74.06, 0.01)
      source = "mean of Llama-3.1-8B 74.06 to 73.55, arXiv:2411.02355"
    case (.w4a16, _): return nil
    case (.quikW4A4, _):
      (recovery, error) = (74.97 / 76.57, 0.04)
      source = "zero-shot mean of LLaMA-2-70B 76.57 to 74.97, arXiv:2310.09259"
    case (.w4a4Rotated, _):
      // Its perplexity is 1.7 times as far from that of 16 bits as QUIK's: 5.47 to 6.10, and to
      // 5.84, of LLaMA-2-7B. So much more is taken to be lost.
      (recovery, error) = (1 - 1.7 * (1 - 74.97 / 76.57), 0.06)
      source = "assumed from perplexities of LLaMA-2-7B, arXiv:2404.00456, Table 1"
    }
    return SchemeAccuracy(recovery: recovery, error: error, source: source, holdsWeights: false)
  }

  /// Problems of nano-math that each figure below is of.
  private static let problems = 100.0

  /// Shares of right answers, one reply to a problem (docs/quantization.md).
  private static let nano: [(model: String, bf16: Double, schemes: [WeightScheme: Double])] = [
    (
      "nano-0.15m", 0.85,
      [
        .w8a8Integer: 0.86, .w8a8Float: 0.78, .w4a16: 0.70, .quikW4A4: 0.46, .w4a4Rotated: 0.41,
      ]
    ),
    (
      "nano-0.5m", 0.87,
      [
        .w8a8Integer: 0.90, .w8a8Float: 0.87, .w4a16: 0.88, .quikW4A4: 0.88, .w4a4Rotated: 0.85,
      ]
    ),
    (
      "nano-1.5m", 0.95,
      [
        .w8a8Integer: 0.94, .w8a8Float: 0.96, .w4a16: 0.94, .quikW4A4: 0.88, .w4a4Rotated: 0.90,
      ]
    ),
    (
      "nano-4m", 0.90,
      [
        .w8a8Integer: 0.89, .w8a8Float: 0.88, .w4a16: 0.91, .quikW4A4: 0.89, .w4a4Rotated: 0.86,
      ]
    ),
  ]
}
