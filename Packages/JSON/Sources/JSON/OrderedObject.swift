/// A JSON object or template dictionary: members in the order they were written, with fast look-up.
///
/// Order matters because templates print objects (`tools | tojson`) and a reordered tool schema is
/// a different prompt.
public struct OrderedObject<Value> {
  /// The keys, in order of first insertion.
  public private(set) var keys: [String] = []
  /// The values, in the order of ``keys``.
  public private(set) var values: [Value] = []
  private var positions: [ExactString: Int] = [:]

  /// An object without members.
  public init() {}

  /// The number of members.
  public var count: Int { keys.count }

  /// Whether there is no member.
  public var isEmpty: Bool { keys.isEmpty }

  /// The members in order.
  public var members: Zip2Sequence<[String], [Value]> { zip(keys, values) }

  /// The value stored under `key`, or nil. Setting a present key keeps its place; setting nil
  /// removes it, in time linear in the number of members.
  public subscript(key: String) -> Value? {
    get { positions[ExactString(key)].map { values[$0] } }
    set {
      guard let newValue else { return remove(key) }
      if let position = positions[ExactString(key)] {
        values[position] = newValue
      } else {
        positions[ExactString(key)] = keys.count
        keys.append(key)
        values.append(newValue)
      }
    }
  }
}

extension OrderedObject {
  private mutating func remove(_ key: String) {
    guard let position = positions.removeValue(forKey: ExactString(key)) else { return }
    keys.remove(at: position)
    values.remove(at: position)
    for later in position..<keys.count { positions[ExactString(keys[later])] = later }
  }
}

extension OrderedObject: ExpressibleByDictionaryLiteral {
  /// The members as written.
  public init(dictionaryLiteral elements: (String, Value)...) {
    self.init(elements)
  }

  /// The members in order; of two with one name the later value wins.
  public init(_ members: some Sequence<(String, Value)>) {
    for (key, value) in members { self[key] = value }
  }
}

extension OrderedObject: Sendable where Value: Sendable {}

extension OrderedObject: Equatable where Value: Equatable {
  /// Equal when the same keys hold equal values, in whatever order.
  public static func == (left: Self, right: Self) -> Bool {
    left.count == right.count && left.members.allSatisfy { right[$0] == $1 }
  }
}

extension OrderedObject: Hashable where Value: Hashable {
  /// Hashes the members without regard to their order.
  public func hash(into hasher: inout Hasher) {
    var sum = 0
    for (key, value) in members {
      var member = Hasher()
      member.combine(ExactString(key))
      member.combine(value)
      sum &+= member.finalize()
    }
    hasher.combine(sum)
  }
}
