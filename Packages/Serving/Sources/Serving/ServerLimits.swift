import Hummingbird

/// What a server accepts of one client and of all together.
public struct ServerLimits: Sendable, Equatable {
  /// The most bytes of a request's body.
  public var bodyBytes = 8 << 20

  /// The most requests that wait for a place in the batch.
  public var queuedRequests = 256

  public init() {}
}
