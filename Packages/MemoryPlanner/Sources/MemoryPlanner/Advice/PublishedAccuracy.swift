/// What a model is known to answer right, with its weights in 16 bits, its whole cache and as long
/// a thought as it likes.
public struct PublishedAccuracy: Sendable, Hashable {
  /// Share of right answers, 0 to 1.
  public let accuracy: Double
  /// Its standard error or, where none is published, that of as many problems.
  public let error: Double
  /// The benchmark.
  public let benchmark: String
  /// Where it stands.
  public let source: String
  /// Tokens of thought beyond which no more is gained.
  public let longestThought: Int

  /// What is known of a model by its name; nil for others.
  public static func of(_ model: String, _ task: TaskKind) -> PublishedAccuracy? {
    let name = model.lowercased()
    let bare = name.hasPrefix("qwen3-") ? String(name.dropFirst(6)) : name
    if let row = qwen3.first(where: { $0.model == bare }) {
      // AIME25 has 30 problems, of which each was answered many times; GPQA-Diamond has 198.
      return task == .math
        ? PublishedAccuracy(
          accuracy: row.aime25 / 100, error: 0.03, benchmark: "AIME25", source: report,
          longestThought: 30_000)
        : PublishedAccuracy(
          accuracy: row.gpqa / 100, error: 0.02, benchmark: "GPQA-Diamond", source: report,
          longestThought: 30_000)
    }
    if let row = qwen35.first(where: { name == $0.model || name == "qwen/" + $0.model }) {
      // HMMT has 30 problems too. The cards advise 32,768 tokens for most questions, 81,920 for
      // hard mathematics.
      let card = "Qwen3.5 model cards, huggingface.co/Qwen"
      switch task {
      case .math:
        return row.hmmt.map {
          PublishedAccuracy(
            accuracy: $0 / 100, error: 0.03, benchmark: "HMMT Feb 25", source: card,
            longestThought: 81_920)
        }
      case .knowledge:
        return PublishedAccuracy(
          accuracy: row.gpqa / 100, error: 0.02, benchmark: "GPQA-Diamond", source: card,
          longestThought: 32_768)
      }
    }
    if let row = nano2.first(where: { $0.model == name }) {
      let (percent, error) = task == .math ? row.reckoning : row.hops
      return PublishedAccuracy(
        accuracy: percent / 100, error: error / 100,
        benchmark: task == .math ? "nano-reckoning" : "nano-hops", source: "docs/nano2.md",
        longestThought: task == .math ? 64 : 32)
    }
    guard task == .math, let row = nano.first(where: { $0.model == name }) else { return nil }
    return PublishedAccuracy(
      accuracy: row.accuracy, error: row.error, benchmark: "nano-math",
      source: "docs/nano-curves.md", longestThought: 384)
  }

  private static let report = "Qwen3 technical report, arXiv:2505.09388"

  /// Thinking mode, Tables 11 to 20 of arXiv:2505.09388, percent; of the two with experts they are
  /// also on the makers' page, qwenlm.github.io/blog/qwen3.
  private static let qwen3: [(model: String, aime25: Double, gpqa: Double)] = [
    ("0.6b", 15.1, 27.9), ("1.7b", 36.8, 40.1), ("4b", 65.6, 55.9), ("8b", 67.3, 62.0),
    ("14b", 70.4, 64.0), ("32b", 72.9, 68.4), ("30b-a3b", 70.9, 65.8), ("235b-a22b", 81.5, 71.1),
  ]

  /// Thinking mode, from the cards of the models, percent. AIME25 is not among their benchmarks;
  /// HMMT is harder.
  private static let qwen35: [(model: String, hmmt: Double?, gpqa: Double)] = [
    ("qwen3.5-0.8b", nil, 11.9), ("qwen3.5-2b", nil, 51.6), ("qwen3.5-4b", 74.0, 76.2),
    ("qwen3.5-9b", 83.2, 81.7), ("qwen3.5-27b", 92.0, 85.5), ("qwen3.5-35b-a3b", 89.0, 84.2),
  ]

  /// Forced thoughts of 384 tokens, 100 problems (docs/nano-curves.md).
  private static let nano: [(model: String, accuracy: Double, error: Double)] = [
    ("nano-0.15m", 0.87, 0.026), ("nano-0.5m", 0.93, 0.019), ("nano-1.5m", 0.95, 0.011),
    ("nano-4m", 0.94, 0.016),
  ]

  /// Thoughts that end by themselves, 400 problems, percent with standard errors (docs/nano2.md).
  private static let nano2: [(model: String, reckoning: (Double, Double), hops: (Double, Double))] =
    [
      ("nano2-0.2m", (14.8, 1.4), (10.8, 1.3)), ("nano2-0.5m", (32.9, 2.1), (33.0, 2.0)),
      ("nano2-1m", (51.5, 2.2), (54.1, 2.2)), ("nano2-2.2m", (84.1, 1.6), (87.2, 1.4)),
    ]
}
