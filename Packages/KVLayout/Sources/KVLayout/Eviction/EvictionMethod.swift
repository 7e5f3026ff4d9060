/// How the tokens that stay are chosen: a policy's parameters, their text form, and what it
/// remembers.
///
/// This is all that planners and forecasts need to know of a policy; a cache asks more of it
/// (`EvictionPolicy` in `KVCaches`). A method of one's own is put into an `EvictionCatalog`.
public protocol EvictionMethod: Sendable, Hashable {
  /// What the text form calls it, such as `rkv`.
  static var name: String { get }
  /// The keys of its parameters, for help texts.
  static var keys: [String] { get }

  /// Reads its parameters from the settings of a text form; what is not said is as usual for
  /// `budget`.
  init(_ settings: inout EvictionSettings, budget: Int) throws(EvictionProblem)

  /// Its parameters that are not as usual for `budget`, in the order of the text form.
  func settings(budget: Int) -> [(key: String, value: String)]

  /// Why it cannot choose `budget` tokens, or nil if it can.
  func problem(budget: Int) -> String?

  /// What it remembers beside the tokens themselves, where these lie in `order`.
  func needs(order: Eviction.Order) -> EvictionNeeds

  /// Tokens from the start that stay where they are at every compression once a prompt of `prompt`
  /// tokens is through, where those that stay lie in `order`: pages full of them are never written
  /// anew.
  func tokensInFront(prompt: Int, budget: Int, order: Eviction.Order) -> Int
}

extension EvictionMethod {
  /// None, unless a method says so.
  public func tokensInFront(prompt: Int, budget: Int, order: Eviction.Order) -> Int { 0 }
}

/// What an eviction remembers of a layer beside its keys and values.
public struct EvictionNeeds: Sendable, Hashable {
  /// The queries of how many last tokens it looks at.
  public var queryWindow: Int
  /// What it writes down of the attention that each token gets; nil for nothing.
  public var attention: AttentionRecord?
  /// The most bytes that a KV head remembers, for each token kept, from one compression to the
  /// next.
  public var rememberedBytesPerToken: Int

  /// Nothing, unless it is said.
  public init(
    queryWindow: Int = 0, attention: AttentionRecord? = nil, rememberedBytesPerToken: Int = 0
  ) {
    self.queryWindow = queryWindow
    self.attention = attention
    self.rememberedBytesPerToken = rememberedBytesPerToken
  }
}

/// What is wrong with an eviction's text.
public struct EvictionProblem: Error {
  /// A sentence without the text.
  public let reason: String

  /// A problem with this reason.
  public init(_ reason: String) { self.reason = reason }
}

/// The eviction methods that texts may name.
public struct EvictionCatalog: Sendable {
  private var methods: [any EvictionMethod.Type]

  /// StreamingLLM, R-KV, SnapKV, H2O, RaaS and LazyEviction.
  public static let standard = EvictionCatalog(
    methods: [
      StreamingLLM.self, RKV.self, SnapKV.self, H2O.self, RaaS.self, LazyEviction.self,
    ])

  private init(methods: [any EvictionMethod.Type]) { self.methods = methods }

  /// This catalog with one more method, which takes the place of one with its name.
  public func adding(_ method: any EvictionMethod.Type) -> EvictionCatalog {
    EvictionCatalog(methods: methods.filter { $0.name != method.name } + [method])
  }

  /// The names, in order.
  public var names: [String] { methods.map { $0.name } }

  /// What a text may say, for help texts.
  public var grammar: String {
    let kinds = methods.map { "\($0.name) (\($0.keys.joined(separator: ", ")))" }
    return "POLICY:BUDGET[,KEY=VALUE...] where POLICY is \(kinds.joined(separator: ", ")); every "
      + "policy knows buffer, prompt, order and schedule"
  }

  func method(named name: String) -> (any EvictionMethod.Type)? {
    methods.first { $0.name == name }
  }

  /// Where a decoder's `userInfo` may have a catalog.
  public static let userInfoKey = CodingUserInfoKey(rawValue: "evictions")

  /// The catalog of a decoder; the standard one where it has none.
  init(_ decoder: any Decoder) {
    let own = Self.userInfoKey.flatMap { decoder.userInfo[$0] as? EvictionCatalog }
    self = own ?? .standard
  }
}
