/// What one use case took, one request at a time or many together.
public struct LoadRow: Sendable, Hashable, Codable {
  /// The use case.
  public let useCase: UseCase
  /// Requests that were answered.
  public let requests: Int
  /// Requests that were not.
  public let failed: Int
  /// Tokens of a prompt, on average, as they were counted.
  public let promptTokens: Double
  /// Tokens of a text, on average.
  public let tokens: Double
  /// Seconds to the first token.
  public let first: Quantiles?
  /// Seconds between tokens, each request with its mean.
  public let between: Quantiles?
  /// Seconds to the end.
  public let latency: Quantiles?
  /// Of requests together: how many are answered a second.
  public private(set) var rate: Double?

  /// A row.
  ///
  /// - Parameters:
  ///   - useCase: The use case.
  ///   - timings: Of the requests that were answered.
  ///   - failed: How many were not.
  ///   - rate: Requests a second, where they were sent together.
  public init(_ useCase: UseCase, _ timings: [RequestTiming], failed: Int, rate: Double? = nil) {
    self.useCase = useCase
    self.failed = failed
    self.rate = rate
    requests = timings.count
    let count = Double(max(timings.count, 1))
    promptTokens = timings.reduce(0) { $0 + Double($1.promptTokens) } / count
    tokens = timings.reduce(0) { $0 + Double($1.tokens) } / count
    first = Quantiles(timings.map(\.first))
    between = Quantiles(timings.compactMap(\.between))
    latency = Quantiles(timings.map(\.end))
  }

  /// Prices and times are none of 0, and none that no machine takes.
  static let figures = 1e-12...1e12

  /// Whether everything can be true.
  var isPlausible: Bool {
    let counts = [useCase.prompt, useCase.generated, requests, failed]
    let times = [first, between, latency].compactMap(\.self).flatMap {
      [$0.mean, $0.p50, $0.p90, $0.p95, $0.p99]
    }
    return counts.allSatisfy { (0...1 << 40).contains($0) }
      && [promptTokens, tokens].allSatisfy { (0...0x1p40).contains($0) }
      && times.allSatisfy { (0...Self.figures.upperBound).contains($0) }
      && latency.map { Self.figures.contains($0.mean) } ?? true
      && (0...Self.figures.upperBound).contains(rate ?? 0)
  }

  /// The same measurement where its rate counts for nothing, as it does not hold the limits.
  public var atRest: LoadRow {
    var row = self
    row.rate = 0
    return row
  }

  /// Whether 99 of 100 requests kept to the use case's limits and none failed; without limits, none
  /// failed.
  public var holdsLimits: Bool {
    guard failed == 0, let first else { return false }
    guard let limits = useCase.limits else { return true }
    return first.p99 < limits.first && between.map { $0.p99 < limits.between } ?? true
  }

  /// Requests answered in an hour.
  public var perHour: Double? {
    rate.map { 3600 * $0 } ?? latency.map { Self.perHour(latency: $0.mean) }
  }

  /// Requests answered in an hour one after the other.
  ///
  /// - Parameter latency: Seconds of each, above 0.
  /// - Returns: 3600 over that.
  public static func perHour(latency: Double) -> Double { 3600 / latency }

  /// Requests for a unit of a currency (arXiv:2411.02355: queries per dollar).
  ///
  /// - Parameters:
  ///   - perHour: Requests in an hour.
  ///   - price: What an hour of the machine costs, above 0.
  /// - Returns: Requests over price.
  public static func perUnit(perHour: Double, price: Double) -> Double { perHour / price }
}
