/// How far a run is, after each reply.
public struct RunProgress: Sendable, Hashable {
  /// Replies that have a record, those of an earlier start included.
  public let done: Int
  /// Replies of the whole run, or of this shard.
  public let total: Int
  /// Right ones among them.
  public let correct: Int
  /// Replies that came in this start.
  public let fresh: Int
  /// Seconds since this start.
  public let seconds: Double

  /// Replies per second in this start; nil before the first.
  public var rate: Double? { fresh > 0 && seconds > 0 ? Double(fresh) / seconds : nil }

  /// Seconds that the rest will take at this rate; nil before the first reply.
  public var remainingSeconds: Double? { rate.map { Double(total - done) / $0 } }
}
