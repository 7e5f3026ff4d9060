import JSON

/// Reads the members of a request's object one by one, and objects to those that nobody read: what
/// a server would ignore is an error, not a guess.
///
/// `null` counts as absent.
struct FieldReader {
  private let object: OrderedObject<JSONValue>
  /// The path of the object in the request, with a dot behind it, for messages.
  private let path: String
  private var read: Set<String> = []

  /// A reader of an object, which is at `path` of the request.
  init(_ value: JSONValue, path: String? = nil) throws(APIError) {
    guard let object = value.object else {
      throw .invalid(path, "expected an object, found \(value.summary)")
    }
    self.object = object
    self.path = path.map { $0 + "." } ?? ""
  }

  /// The name of a member as messages say it.
  func name(_ key: String) -> String { path + key }

  /// Any value.
  mutating func value(_ key: String) -> JSONValue? {
    read.insert(key)
    guard let value = object[key], !value.isNull else { return nil }
    return value
  }

  private mutating func typed<Value>(
    _ key: String, _ expected: String, _ take: (JSONValue) -> Value?
  ) throws(APIError) -> Value? {
    guard let value = value(key) else { return nil }
    guard let taken = take(value) else {
      throw .invalid(name(key), "expected \(expected), found \(value.summary)")
    }
    return taken
  }

  /// A string.
  mutating func string(_ key: String) throws(APIError) -> String? {
    try typed(key, "a string") { $0.string }
  }

  /// `true` or `false`.
  mutating func bool(_ key: String) throws(APIError) -> Bool? {
    try typed(key, "true or false") { $0.bool }
  }

  /// An array.
  mutating func array(_ key: String) throws(APIError) -> [JSONValue]? {
    try typed(key, "an array") { $0.array }
  }

  /// An object, to be read in turn.
  mutating func reader(_ key: String) throws(APIError) -> FieldReader? {
    guard let value = value(key) else { return nil }
    return try FieldReader(value, path: name(key))
  }

  /// An integer of a range.
  mutating func integer(_ key: String, in range: ClosedRange<Int>) throws(APIError) -> Int? {
    try typed(key, "an integer from \(range.lowerBound) to \(range.upperBound)") { value in
      // Some clients write whole numbers with a fraction.
      let integer = value.integer ?? value.double.flatMap { Int(exactly: $0) }
      return integer.flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// A number of a range.
  mutating func number(_ key: String, in range: ClosedRange<Double>) throws(APIError) -> Float? {
    try typed(key, "a number from \(range.lowerBound) to \(range.upperBound)") { value in
      value.double.flatMap { range.contains($0) ? Float($0) : nil }
    }
  }

  /// One of some words.
  mutating func word(_ key: String, among words: [String]) throws(APIError) -> String? {
    try typed(key, "one of " + words.joined(separator: ", ")) { value in
      value.string.flatMap { words.contains($0) ? $0 : nil }
    }
  }

  /// Passes over members that change no result.
  mutating func pass(_ keys: String...) { read.formUnion(keys) }

  /// Objects to a member that asks for more than is done here: any value but `null` and `idle`.
  mutating func refuse(_ key: String, unless idle: JSONValue..., why: String) throws(APIError) {
    guard let value = value(key), !idle.contains(value) else { return }
    throw .invalid(name(key), "\(value.summary) is not supported: \(why)")
  }

  /// Objects to members that were not read.
  func finish() throws(APIError) {
    if let other = object.keys.first(where: { !read.contains($0) }) {
      throw .invalid(name(other), "is not known here")
    }
  }

  /// The members that were asked for, for the description of the server.
  var known: Set<String> { read }
}
