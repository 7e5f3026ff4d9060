import JSON
import KVLayout

/// What a server's memory holds, and what a text would take; by the same formula as plans are made.
public struct ServedMemory: Sendable {
  /// Bytes of the weights.
  public var weights: Int
  /// Bytes that all of it may take.
  public var total: Int
  /// Bytes that KV caches may take.
  public var kvByteBudget: Int
  /// The policies that are told of, the server's own first.
  public var policies: [KVPolicy]
  /// What so many texts of a prompt take at their end under a policy, beside nothing else.
  public var bytes: @Sendable (_ kv: KVPolicy, _ prompt: Int, _ reply: Int, _ texts: Int) -> Int

  /// A memory; see the members.
  public init(
    weights: Int, total: Int, kvByteBudget: Int, policies: [KVPolicy],
    bytes: @escaping @Sendable (_ kv: KVPolicy, _ prompt: Int, _ reply: Int, _ texts: Int) -> Int
  ) {
    self.weights = weights
    self.total = total
    self.kvByteBudget = kvByteBudget
    self.policies = policies
    self.bytes = bytes
  }

  /// The memory as `/memory` tells it, and what texts under a policy would come to hold.
  func value(
    _ status: EngineStatus, kv: KVPolicy, prompt: Int, reply: Int, texts: Int
  ) -> JSONValue {
    .object([
      "total": .integer(total), "weights": .integer(weights),
      "working": .integer(max(0, total - weights - kvByteBudget)),
      "kv_budget": .integer(kvByteBudget), "kv_held": .integer(status.heldBytes),
      "kv_reserved": .integer(status.reservedBytes),
      "kv": .string("\(kv)"), "kv_at_end": .integer(bytes(kv, prompt, reply, texts)),
      "policies": .array(
        policies.map { policy in
          let bytes = bytes(policy, prompt, reply, texts)
          return .object([
            "kv": .string("\(policy)"), "bytes": .integer(bytes),
            "fits": .bool(bytes <= kvByteBudget),
          ])
        }),
    ])
  }
}
