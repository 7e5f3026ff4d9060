import JSON

/// What a server's memory holds, and what a text would take; by the same formula as plans are made.
public struct ServedMemory: Sendable {
  /// A way to keep a KV cache, and the bytes of some texts under it.
  public struct Policy: Sendable {
    /// Its text, as `--kv` takes it.
    public let kv: String
    /// The flags that ask for it; none for what is usual.
    public let flags: String
    /// Bytes at the texts' end.
    public let bytes: Int

    /// A policy; see the members.
    public init(kv: String, flags: String, bytes: Int) {
      self.kv = kv
      self.flags = flags
      self.bytes = bytes
    }
  }

  /// Bytes of the weights.
  public var weights: Int
  /// Bytes that all of it may take.
  public var total: Int
  /// Bytes that KV caches may take.
  public var kvByteBudget: Int
  /// What so many texts of a prompt take at their end, by policy; the server's own is the first.
  public var policies: @Sendable (_ prompt: Int, _ reply: Int, _ texts: Int) -> [Policy]

  /// A memory; see the members.
  public init(
    weights: Int, total: Int, kvByteBudget: Int,
    policies: @escaping @Sendable (_ prompt: Int, _ reply: Int, _ texts: Int) -> [Policy]
  ) {
    self.weights = weights
    self.total = total
    self.kvByteBudget = kvByteBudget
    self.policies = policies
  }

  /// The memory as `/memory` tells it.
  func value(_ status: EngineStatus, prompt: Int, reply: Int, texts: Int) -> JSONValue {
    let policies = policies(prompt, reply, texts)
    return .object([
      "total": .integer(total), "weights": .integer(weights),
      "working": .integer(max(0, total - weights - kvByteBudget)),
      "kv_budget": .integer(kvByteBudget), "kv_held": .integer(status.heldBytes),
      "kv_reserved": .integer(status.reservedBytes),
      "kv_at_end": .integer(policies.first?.bytes ?? 0),
      "kv": policies.first.map { .string($0.kv) } ?? .null,
      "policies": .array(
        policies.map { policy in
          .object([
            "kv": .string(policy.kv), "flags": .string(policy.flags),
            "bytes": .integer(policy.bytes), "fits": .bool(policy.bytes <= kvByteBudget),
          ])
        }),
    ])
  }
}
