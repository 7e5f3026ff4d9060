import JSON

extension JSONValue {
  /// The value at a dotted path; a path through an array gives the array of that field, or the
  /// element with that number, from 0.
  subscript(path: some Collection<Substring>) -> JSONValue? {
    guard let key = path.first else { return self }
    switch self {
    case .object(let members): return members[String(key)]?[path.dropFirst()]
    case .array(let elements):
      if let place = Int(key) {
        return elements.indices.contains(place) ? elements[place][path.dropFirst()] : nil
      }
      let inner = elements.compactMap { $0[path] }
      return inner.count == elements.count ? .array(inner) : nil
    default: return nil
    }
  }

  /// A text or number as written, integers without a fraction; nil for everything else.
  var fieldText: String? {
    switch self {
    case .string(let text): text
    case .integer(let value): String(value)
    case .number(let value): Int(exactly: value).map(String.init) ?? String(value)
    case .null, .bool, .array, .object: nil
    }
  }
}
