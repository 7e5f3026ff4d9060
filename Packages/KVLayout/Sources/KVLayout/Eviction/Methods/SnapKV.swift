/// Importance to the last queries (SnapKV, arXiv:2404.14469), with the mean over the query heads of
/// a KV head; at the end of the prompt and whenever the buffer is full.
public struct SnapKV: EvictionMethod {
  /// Last tokens whose queries say what is important; they always stay.
  public let window: Int
  /// Width of the running mean over the importances; odd.
  public let kernel: Int

  /// A way to score; the values are checked when an `Eviction` is made of it. The defaults are the
  /// published ones.
  public init(window: Int = 32, kernel: Int = 5) {
    self.window = window
    self.kernel = kernel
  }

  /// See `EvictionMethod.name`.
  public static let name = "snapkv"
  /// See `EvictionMethod.keys`.
  public static let keys = ["window", "kernel"]

  /// Reads the settings; see `EvictionMethod`.
  public init(_ settings: inout EvictionSettings, budget: Int) throws(EvictionProblem) {
    let usual = Self()
    window = try settings.take("window", Int.init) ?? usual.window
    kernel = try settings.take("kernel", Int.init) ?? usual.kernel
  }

  /// See `EvictionMethod.settings`.
  public func settings(budget: Int) -> [(key: String, value: String)] {
    let usual = Self()
    return (window == usual.window ? [] : [("window", "\(window)")])
      + (kernel == usual.kernel ? [] : [("kernel", "\(kernel)")])
  }

  /// See `EvictionMethod.problem`.
  public func problem(budget: Int) -> String? {
    Self.poolingProblem(window: window, kernel: kernel, budget: budget)
  }

  /// See `EvictionMethod.needs`.
  public func needs(order: Eviction.Order) -> EvictionNeeds { EvictionNeeds(queryWindow: window) }

  /// A wider one would take as long as the attention itself.
  private static let widestKernel = 1023

  /// Why importances to a window of queries cannot be pooled, or nil if they can.
  static func poolingProblem(window: Int, kernel: Int, budget: Int) -> String? {
    if window < 1 || window > Eviction.largest { return "window \(window) is not at least 1" }
    if kernel < 1 || kernel > widestKernel || kernel % 2 == 0 {
      return "kernel \(kernel) is not an odd number from 1 to \(widestKernel)"
    }
    return budget <= window ? "budget \(budget) is not above the window of \(window)" : nil
  }
}
