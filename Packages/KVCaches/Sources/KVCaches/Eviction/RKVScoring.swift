import Tensors

/// How R-KV scores tokens (arXiv:2505.24133 and its published code): lambda x importance - (1 - lambda) x redundancy.
public struct RKVScoring: Sendable, Hashable {
  /// Which of a key's similar keys counts as its successor and is spared.
  public enum Retain: String, Sendable, Hashable {
    /// The last one.
    case last
    /// What the published code makes of "first": always the cache's first key.
    case first
  }

  /// Share of the importance, 0...1.
  public let lambda: Float
  /// Last tokens whose queries say what is important; they always stay.
  public let window: Int
  /// Width of the running maximum over the importances; odd.
  public let kernel: Int
  /// Cosine above which two keys are similar.
  public let threshold: Float
  /// Which similar key is spared.
  public let retain: Retain

  /// A way to score; the values are checked when an `Eviction` is made of it. The defaults are the paper's.
  public init(
    lambda: Float = 0.1, window: Int = 8, kernel: Int = 7, threshold: Float = 0.5,
    retain: Retain = .last
  ) {
    self.lambda = lambda
    self.window = window
    self.kernel = kernel
    self.threshold = threshold
    self.retain = retain
  }

  var problem: String? {
    if !(lambda >= 0 && lambda <= 1) { return "lambda \(lambda) is not between 0 and 1" }
    if !(threshold >= -1 && threshold <= 1) {
      return "threshold \(threshold) is not between -1 and 1"
    }
    return poolingProblem(window: window, kernel: kernel)
  }

  /// The scores of the tokens of one KV head before the window, `[tokens - window]`.
  ///
  /// The queries are those of the query heads that share the KV head, `[heads, window, dimension]`. `known` is what is known
  /// of the first keys' similar keys, and becomes what is known of all.
  func scores(
    of keys: consuming HeadKeys, queries: [Float], known: inout [SimilarKey]
  ) throws(TensorError) -> [Float] {
    let importance = keys.importance(to: queries, window: window, kernel: kernel)
    let redundancy = try keys.redundancy(
      threshold: threshold, retain: retain, known: &known)
    return zip(importance, redundancy).map { lambda * $0 - (1 - lambda) * $1 }
  }
}

/// How SnapKV scores tokens (arXiv:2404.14469), with the mean over the query heads of a KV head.
public struct SnapKVScoring: Sendable, Hashable {
  /// Last tokens whose queries say what is important; they always stay.
  public let window: Int
  /// Width of the running mean over the importances; odd.
  public let kernel: Int

  /// A way to score; the values are checked when an `Eviction` is made of it. The defaults are the published ones.
  public init(window: Int = 32, kernel: Int = 5) {
    self.window = window
    self.kernel = kernel
  }

  var problem: String? { poolingProblem(window: window, kernel: kernel) }
}

private func poolingProblem(window: Int, kernel: Int) -> String? {
  if window < 1 || window > Eviction.largest { return "window \(window) is not at least 1" }
  if kernel < 1 || kernel > Eviction.largest || kernel % 2 == 0 {
    return "kernel \(kernel) is not an odd number of at least 1"
  }
  return nil
}
