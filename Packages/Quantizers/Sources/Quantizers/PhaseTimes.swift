/// Where the time of a quantization went, in seconds of wall time.
public struct PhaseTimes: Sendable, Hashable {
  /// A kind of work.
  public enum Phase: String, Sendable, Hashable, CaseIterable {
    /// The digest of the source's weights.
    case digest
    /// Reading and packing the weights of a block.
    case reading
    /// Running calibration sequences through a block.
    case forward
    /// Summing the second moments of inputs (products).
    case hessian
    /// Cholesky factor and its inverse (mostly products).
    case factor
    /// Making floats of the weights of the layers under work, and looking for what is no number.
    case preparing
    /// Scales and codes of methods without calibration.
    case rounding
    /// Finding scales and zero points.
    case grids
    /// Rounding columns one after the other within a block of columns.
    case columns
    /// Making up for a block of columns in all later ones (products).
    case updates
    /// Measuring the errors (products).
    case errors
    /// Packing codes and putting a finished block on disk.
    case storing
    /// Putting the result on disk.
    case writing

    /// Whether nearly all of it is spent in products of matrices.
    public var isLinearAlgebra: Bool {
      switch self {
      case .hessian, .factor, .updates, .errors: true
      case .digest, .reading, .forward, .preparing, .rounding, .grids, .columns, .storing, .writing:
        false
      }
    }
  }

  private var seconds: [Phase: Double] = [:]

  /// No time yet.
  public init() {}

  /// Seconds of one phase.
  public subscript(phase: Phase) -> Double { seconds[phase, default: 0] }

  /// Seconds of all phases.
  public var total: Double { seconds.values.reduce(0, +) }

  /// Runs `body` on the account of `phase`.
  public mutating func measure<Result, Failure: Error>(
    _ phase: Phase, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let started = ContinuousClock.now
    defer { seconds[phase, default: 0] += (ContinuousClock.now - started) / .seconds(1) }
    return try body()
  }

  /// Adds the times of `other`.
  public mutating func add(_ other: PhaseTimes) {
    seconds.merge(other.seconds, uniquingKeysWith: +)
  }
}
