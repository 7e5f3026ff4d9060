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

  /// The members in order.
  public var members: Zip2Sequence<[String], [Value]> { zip(keys, values) }

  /// The value stored under `key`, or nil. Setting a present key keeps its place; setting nil is
  /// the same as not setting.
  public subscript(key: String) -> Value? {
    get { positions[ExactString(key)].map { values[$0] } }
    set {
      guard let newValue else { return }
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

extension OrderedObject: Sendable where Value: Sendable {}

extension OrderedObject: Equatable where Value: Equatable {
  /// Equal when the same keys hold equal values, in whatever order.
  public static func == (left: Self, right: Self) -> Bool {
    left.count == right.count && left.members.allSatisfy { right[$0] == $1 }
  }
}
