import Evaluation
import KVLayout
import TextGeneration

/// What answers the questions of benchmarks through a server as the engine does in a process of its
/// own.
public struct ServedReplies: Sendable {
  /// What decides the replies besides the questions, where caches are kept by a policy; nil for the
  /// server's own.
  public var facts: @Sendable (KVPolicy?) throws -> ReplyFacts
  /// The engine's requests for the replies of an order. What it throws is told to the client.
  public var requests: @Sendable (ReplyOrder) throws -> [GenerationRequest]
  /// The reply that a text is, which one of the stop strings may have ended.
  public var response: @Sendable (GenerationResult, StopStrings) -> SampleResponse

  /// Replies; see the members.
  public init(
    facts: @escaping @Sendable (KVPolicy?) throws -> ReplyFacts,
    requests: @escaping @Sendable (ReplyOrder) throws -> [GenerationRequest],
    response: @escaping @Sendable (GenerationResult, StopStrings) -> SampleResponse
  ) {
    self.facts = facts
    self.requests = requests
    self.response = response
  }
}
