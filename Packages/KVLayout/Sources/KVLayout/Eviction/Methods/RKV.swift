/// Importance to the last queries against similarity among keys, as R-KV scores tokens
/// (arXiv:2505.24133 and its published code): lambda x importance - (1 - lambda) x redundancy.
public struct RKV: EvictionMethod {
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

  /// Bytes of what is remembered of a key's last similar key: its place and a cosine.
  public static let similarKeyBytes = 8

  /// A way to score; the values are checked when an `Eviction` is made of it. The defaults are the
  /// paper's.
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

  /// See `EvictionMethod.name`.
  public static let name = "rkv"
  /// See `EvictionMethod.keys`.
  public static let keys = ["lambda", "window", "kernel", "threshold", "retain"]

  /// Reads the settings; see `EvictionMethod`.
  public init(_ settings: inout EvictionSettings, budget: Int) throws(EvictionProblem) {
    let usual = Self()
    lambda = try settings.take("lambda", Float.init) ?? usual.lambda
    window = try settings.take("window", Int.init) ?? usual.window
    kernel = try settings.take("kernel", Int.init) ?? usual.kernel
    threshold = try settings.take("threshold", Float.init) ?? usual.threshold
    retain = try settings.take("retain", Retain.init) ?? usual.retain
  }

  /// See `EvictionMethod.settings`.
  public func settings(budget: Int) -> [(key: String, value: String)] {
    let usual = Self()
    var settings: [(key: String, value: String)] = []
    if lambda != usual.lambda { settings.append(("lambda", "\(lambda)")) }
    if window != usual.window { settings.append(("window", "\(window)")) }
    if kernel != usual.kernel { settings.append(("kernel", "\(kernel)")) }
    if threshold != usual.threshold { settings.append(("threshold", "\(threshold)")) }
    if retain != usual.retain { settings.append(("retain", retain.rawValue)) }
    return settings
  }

  /// See `EvictionMethod.problem`.
  public func problem(budget: Int) -> String? {
    if !(lambda >= 0 && lambda <= 1) { return "lambda \(lambda) is not between 0 and 1" }
    if !(threshold >= -1 && threshold <= 1) {
      return "threshold \(threshold) is not between -1 and 1"
    }
    return SnapKV.poolingProblem(window: window, kernel: kernel, budget: budget)
  }

  /// Similar keys are remembered in the order of the text alone, where their bounds hold.
  public func needs(order: Eviction.Order) -> EvictionNeeds {
    EvictionNeeds(
      queryWindow: window,
      rememberedBytesPerToken:
        retain == .last && order == .position ? Self.similarKeyBytes : 0)
  }
}
