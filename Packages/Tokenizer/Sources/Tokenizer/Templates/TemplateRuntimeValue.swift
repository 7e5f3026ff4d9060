import JSON

/// A value while a template runs.
enum RuntimeValue {
  /// A name or member that does not exist; the text says which.
  case undefined(String)
  case none
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case list(RuntimeList)
  case dictionary(RuntimeDictionary)
  case namespace(RuntimeNamespace)
  /// The `loop` of a for statement.
  case loop(RuntimeLoop)
  case macro(Macro)
  case function(TemplateFunction)

  init(_ value: JSONValue) {
    switch value {
    case .null: self = .none
    case .bool(let bool): self = .bool(bool)
    case .integer(let integer): self = .integer(integer)
    case .number(let number): self = .number(number)
    case .string(let string): self = .string(string)
    case .array(let array): self = .list(RuntimeList(unchecked: array.map(RuntimeValue.init)))
    case .object(let object):
      var members = OrderedObject<RuntimeValue>()
      for (key, value) in object.members { members[key] = RuntimeValue(value) }
      self = .dictionary(RuntimeDictionary(unchecked: members))
    }
  }

  /// What Python calls the type, for messages.
  var typeName: String {
    switch self {
    case .undefined: "undefined"
    case .none: "none"
    case .bool: "boolean"
    case .integer: "integer"
    case .number: "number"
    case .string: "string"
    case .list: "list"
    case .dictionary: "dictionary"
    case .namespace: "namespace"
    case .loop: "loop"
    case .macro: "macro"
    case .function: "function"
    }
  }

  /// Python's truth value.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let bool): bool
    case .integer(let integer): integer != 0
    case .number(let number): number != 0
    case .string(let string): !string.isEmpty
    case .list(let list): !list.elements.isEmpty
    case .dictionary(let dictionary): dictionary.members.count > 0
    case .namespace, .loop, .macro, .function: true
    }
  }

  /// A number as a double; booleans count as 0 and 1.
  var asNumber: Double? {
    switch self {
    case .number(let number): number
    default: asInteger.map(Double.init)
    }
  }

  /// An integer or a boolean.
  var asInteger: Int? {
    switch self {
    case .integer(let integer): integer
    case .bool(let bool): bool ? 1 : 0
    default: nil
    }
  }

  /// How deep lists and dictionaries are nested here.
  fileprivate var depth: Int {
    switch self {
    case .list(let list): list.depth
    case .dictionary(let dictionary): dictionary.depth
    default: 0
    }
  }

  /// Whether the value can be put in a list, dictionary or namespace. References cannot, so that
  /// data never forms a cycle or an endless chain.
  var isData: Bool {
    switch self {
    case .namespace, .loop, .macro, .function: false
    default: true
    }
  }
}

/// A list (or tuple) that knows how deep it nests.
struct RuntimeList {
  /// As deep as JSON documents may nest.
  static let maximumDepth = JSONValue.maximumDepth

  let elements: [RuntimeValue]
  let depth: Int

  /// Nil when an element is no data or nests too deep.
  init?(_ elements: [RuntimeValue]) {
    guard elements.allSatisfy(\.isData) else { return nil }
    self.init(unchecked: elements)
    if depth > Self.maximumDepth { return nil }
  }

  init(unchecked elements: [RuntimeValue]) {
    self.elements = elements
    depth = 1 + (elements.lazy.map(\.depth).max() ?? 0)
  }
}

/// A dictionary that knows how deep it nests.
struct RuntimeDictionary {
  let members: OrderedObject<RuntimeValue>
  let depth: Int

  /// Nil when a value is no data or nests too deep.
  init?(_ members: OrderedObject<RuntimeValue>) {
    guard members.values.allSatisfy(\.isData) else { return nil }
    self.init(unchecked: members)
    if depth > RuntimeList.maximumDepth { return nil }
  }

  init(unchecked members: OrderedObject<RuntimeValue>) {
    self.members = members
    depth = 1 + (members.values.lazy.map(\.depth).max() ?? 0)
  }
}

/// `namespace(...)`: the one thing a template can change in place.
final class RuntimeNamespace {
  var members = OrderedObject<RuntimeValue>()
}

/// Where a for statement stands.
final class RuntimeLoop {
  let elements: [RuntimeValue]
  var index = 0

  init(_ elements: [RuntimeValue]) { self.elements = elements }

  func member(_ name: String) -> RuntimeValue? {
    switch name {
    case "index": .integer(index + 1)
    case "index0": .integer(index)
    case "revindex": .integer(elements.count - index)
    case "revindex0": .integer(elements.count - index - 1)
    case "first": .bool(index == 0)
    case "last": .bool(index == elements.count - 1)
    case "length": .integer(elements.count)
    // Deeper only in recursive loops, which are not supported.
    case "depth": .integer(1)
    case "depth0": .integer(0)
    case "previtem": index > 0 ? elements[index - 1] : .undefined("loop.previtem")
    case "nextitem":
      index + 1 < elements.count ? elements[index + 1] : .undefined("loop.nextitem")
    default: nil
    }
  }
}

/// The functions a template can call by name.
enum TemplateFunction: String, CaseIterable {
  case raiseException = "raise_exception"
  case strftimeNow = "strftime_now"
  case namespace, range, dict
}
