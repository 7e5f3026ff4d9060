/// The settings `key=value` of an eviction's text form; those that were taken are gone.
public struct EvictionSettings {
  let name: String
  let budget: Int
  private var values: [(key: String, text: String)] = []

  /// Splits `name:budget,key=value,...`.
  init(_ text: String) throws(EvictionProblem) {
    let pieces = text.split(separator: ",", omittingEmptySubsequences: false)
    let head = pieces[0].split(separator: ":", omittingEmptySubsequences: false)
    guard head.count == 2, let budget = Int(head[1]) else {
      throw EvictionProblem("expected POLICY:BUDGET, such as rkv:2048")
    }
    name = String(head[0])
    self.budget = budget
    for piece in pieces.dropFirst() {
      let pair = piece.split(separator: "=", omittingEmptySubsequences: false)
      guard pair.count == 2 else {
        throw EvictionProblem("expected KEY=VALUE, found \"\(piece)\"")
      }
      values.append((String(pair[0]), String(pair[1])))
    }
  }

  /// The value of `key`, or nil where it is not given.
  ///
  /// - Throws: `EvictionProblem` for a text that `read` returns nil for.
  public mutating func take<Value>(
    _ key: String, _ read: (String) -> Value?
  ) throws(EvictionProblem) -> Value? {
    guard let index = values.firstIndex(where: { $0.key == key }) else { return nil }
    let text = values.remove(at: index).text
    guard let value = read(text) else {
      throw EvictionProblem("\(key)=\(text) is no value of \(key)")
    }
    return value
  }

  /// - Throws: `EvictionProblem` for a key that nobody took, or that is said twice; `known` are the
  ///   keys that may stand here.
  func expectNothingLeft(known: [String]) throws(EvictionProblem) {
    guard let first = values.first else { return }
    guard !known.contains(first.key) else { throw EvictionProblem("\(first.key) is said twice") }
    throw EvictionProblem(
      "\(name) has no key \"\(first.key)\"; expected \(known.joined(separator: ", "))")
  }
}
