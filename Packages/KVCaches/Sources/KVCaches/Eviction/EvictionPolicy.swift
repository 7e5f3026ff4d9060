import KVLayout
import Tensors

/// An eviction method that caches can follow: it chooses the tokens that stay.
///
/// A policy of one's own is a type that conforms, given to an `Eviction`; put into an
/// `EvictionCatalog` it can be named in texts. See `StreamingLLM` for the shortest.
public protocol EvictionPolicy: EvictionMethod {
  /// Chooses what stays in one KV head of one layer, which holds at least `budget` tokens. All
  /// heads of a layer keep equally many. Called from several threads at once.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  func choose(
    from head: HeadView, budget: Int, order: Eviction.Order
  ) throws(TensorError) -> EvictionChoice
}

/// What a policy may look at when it chooses for one KV head of one layer.
public struct HeadView {
  /// Tokens the head holds.
  public let count: Int
  /// Its keys in cache order, `[count, dimension]`; asked for only where the policy looks at them.
  public let keys: () throws(TensorError) -> HeadKeys
  /// Queries of the last `needs.queryWindow` tokens, `[heads, window, dimension]`, of the query
  /// heads that share it.
  public let queries: [Float]
  /// Attention each token has gathered, `[count]`; empty unless `needs.attention` is `.sum`.
  public let attention: [Float]
  /// When attention looked at each token, `[count]`; empty unless `needs.attention` is
  /// `.recurrence`.
  public let recurrences: [Recurrence]
  /// Tokens the layer has seen: the position of the next one.
  public let seen: Int
  /// Tokens of the prompt, once they are known.
  public let promptTokens: Int?
  /// What the last choice remembered.
  public let memory: (any HeadMemory)?

  /// A view of these parts.
  public init(
    count: Int, seen: Int? = nil, promptTokens: Int? = nil,
    keys: @escaping () throws(TensorError) -> HeadKeys, queries: [Float] = [],
    attention: [Float] = [], recurrences: [Recurrence] = [], memory: (any HeadMemory)? = nil
  ) {
    self.count = count
    self.seen = seen ?? count
    self.promptTokens = promptTokens
    self.recurrences = recurrences
    self.keys = keys
    self.queries = queries
    self.attention = attention
    self.memory = memory
  }
}

/// When attention looked at a token.
public struct Recurrence: Sendable, Hashable {
  /// The position of the last query that did, its own at first.
  public let last: Float
  /// The most positions between two queries that did, one after the other; 0 where none came back.
  public let longest: Float

  /// A token that was looked at so.
  public init(last: Float, longest: Float) {
    self.last = last
    self.longest = longest
  }
}

/// What a policy remembers of one KV head from one compression to the next. Branches share it.
public protocol HeadMemory: Sendable {
  /// Bytes it takes: at most `needs.rememberedBytesPerToken` for each token kept.
  var byteCount: Int { get }
}

/// What a policy chose for one KV head.
public struct EvictionChoice {
  /// The slots that stay, at most the budget, in the order in which they are to lie.
  public var slots: [Int]
  /// What it wants to see again when it chooses next.
  public var memory: (any HeadMemory)?

  /// Keeps these slots.
  public init(slots: [Int], memory: (any HeadMemory)? = nil) {
    self.slots = slots
    self.memory = memory
  }

  /// Keeps the slots of the `budget` - `recent` highest scores, then the `recent` slots that follow
  /// the scored ones. There is one score for each slot before the recent ones; of equal scores the
  /// earlier slot comes first.
  public init(highest scores: [Float], recent: Int, budget: Int, order: Eviction.Order) {
    self.init(
      slots: Selection.highest(scores, budget: budget, recent: recent, order: order))
  }
}

extension Eviction {
  /// Chooses what stays in a KV head; everything where there are fewer tokens than the budget.
  func choose(from head: HeadView) throws(TensorError) -> EvictionChoice {
    guard head.count >= budget, let policy = method as? any EvictionPolicy else {
      return EvictionChoice(slots: Array(0..<head.count))
    }
    return try policy.choose(from: head, budget: budget, order: order)
  }
}

/// What the last compression of a layer remembered, for each KV head. Never changed, so that
/// branches share it.
final class HeadMemories: Sendable {
  let heads: [any HeadMemory]
  private let meter: KVMeter
  private let byteCount: Int

  /// Nil where a head remembers nothing.
  init?(_ choices: [EvictionChoice], needs: EvictionNeeds, meter: KVMeter) {
    let heads = choices.compactMap(\.memory)
    guard heads.count == choices.count else { return nil }
    byteCount = heads.reduce(0) { $0 + $1.byteCount }
    let tokens = choices.reduce(0) { $0 + $1.slots.count }
    precondition(
      byteCount <= needs.rememberedBytesPerToken * tokens, "an eviction remembers more than it said"
    )
    self.heads = heads
    self.meter = meter
    meter.add(byteCount, .eviction)
  }

  deinit { meter.remove(byteCount, .eviction) }
}
