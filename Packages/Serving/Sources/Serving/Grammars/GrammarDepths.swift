/// How many frames a grammar's nodes take to be finished the shortest way, so that an automaton of
/// bounded depth begins nothing that it cannot finish.
struct GrammarDepths {
  /// By node; `Int.max` where no text of it ends.
  private(set) var values: [Int]

  /// The depths of nodes, which name one another by index.
  init(_ nodes: [JSONGrammar.Node]) {
    values = [Int](repeating: .max, count: nodes.count)
    // Values that hold one another are settled from the inside out; each round settles one at
    // least.
    var isSettled = false
    while !isSettled {
      isSettled = true
      for (index, node) in nodes.enumerated() {
        let depth = depth(node)
        if depth < values[index] {
          values[index] = depth
          isSettled = false
        }
      }
    }
  }

  /// Frames of a member of an object: the rest of the object, and a name with its colon or the
  /// value.
  static func member(_ value: Int) -> Int { value == .max ? .max : 1 + max(3, value) }

  private func depth(_ node: JSONGrammar.Node) -> Int {
    switch node {
    // An opening byte, and what follows it.
    case .any, .string, .number, .texts, .map: 2
    case .object(let members):
      members.filter(\.isRequired).map { Self.member(values[$0.value]) }.max().map { max(2, $0) }
        ?? 2
    case .array(let value, let range):
      range.lowerBound == 0 ? 2 : Self.member(values[value])
    case .union(let choices): choices.map { values[$0] }.min() ?? .max
    case .framed(_, let value, _, _):
      values[value] == .max ? .max : 2 + max(2, values[value])
    }
  }
}
