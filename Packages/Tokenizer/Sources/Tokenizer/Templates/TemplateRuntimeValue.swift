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

  /// Whether the value can be put in a list or dictionary.
  var isElement: Bool { if case .loop = self { false } else { true } }

  /// Whether the value is a namespace, or holds one. Such values cannot be put in a namespace, so
  /// that data never forms a cycle or an endless chain.
  var holdsNamespace: Bool {
    switch self {
    case .namespace, .loop: true
    case .list(let list): list.holdsNamespace
    case .dictionary(let dictionary): dictionary.holdsNamespace
    default: false
    }
  }
}

/// A list (or tuple) that knows how deep it nests.
struct RuntimeList {
  /// As deep as JSON documents may nest.
  static let maximumDepth = JSONValue.maximumDepth

  let elements: [RuntimeValue]
  let depth: Int
  let holdsNamespace: Bool
  /// Whether it is printed as a tuple; no list equals a tuple.
  var isTuple = false

  /// Nil when an element cannot be one or nests too deep.
  init?(_ elements: [RuntimeValue]) {
    guard elements.allSatisfy(\.isElement) else { return nil }
    self.init(unchecked: elements)
    if depth > Self.maximumDepth { return nil }
  }

  /// What a pair can be asked for by name, as those of `groupby`.
  private(set) var names = OrderedObject<RuntimeValue>()

  /// A pair with names.
  init(pair: OrderedObject<RuntimeValue>) {
    self.init(unchecked: pair.values)
    isTuple = true
    names = pair
  }

  init(unchecked elements: [RuntimeValue]) {
    self.elements = elements
    depth = 1 + (elements.lazy.map(\.depth).max() ?? 0)
    holdsNamespace = elements.contains(where: \.holdsNamespace)
  }
}

/// A dictionary that knows how deep it nests.
struct RuntimeDictionary {
  /// By ``DictionaryKey``.
  let members: OrderedObject<RuntimeValue>
  let depth: Int
  let holdsNamespace: Bool

  /// Nil when a value cannot be one or nests too deep.
  init?(_ members: OrderedObject<RuntimeValue>) {
    guard members.values.allSatisfy(\.isElement) else { return nil }
    self.init(unchecked: members)
    if depth > RuntimeList.maximumDepth { return nil }
  }

  init(unchecked members: OrderedObject<RuntimeValue>) {
    self.members = members
    depth = 1 + (members.values.lazy.map(\.depth).max() ?? 0)
    holdsNamespace = members.values.contains(where: \.holdsNamespace)
  }
}

/// `namespace(...)`: the one thing a template can change in place.
final class RuntimeNamespace {
  var members = OrderedObject<RuntimeValue>()
}

/// Where a for statement stands.
final class RuntimeLoop {
  let elements: [RuntimeValue]
  /// How deep a recursive loop stands in itself, from 0.
  let depth: Int
  /// The statement, where it is recursive.
  let statement: TemplateStatement.Loop?
  var index = 0
  /// What `changed` was last asked about.
  var watched: [RuntimeValue]?

  init(_ elements: [RuntimeValue], depth: Int = 0, statement: TemplateStatement.Loop? = nil) {
    self.elements = elements
    self.depth = depth
    self.statement = statement
  }

  func member(_ name: String) -> RuntimeValue? {
    switch name {
    case "index": .integer(index + 1)
    case "index0": .integer(index)
    case "revindex": .integer(elements.count - index)
    case "revindex0": .integer(elements.count - index - 1)
    case "first": .bool(index == 0)
    case "last": .bool(index == elements.count - 1)
    case "length": .integer(elements.count)
    case "depth": .integer(depth + 1)
    case "depth0": .integer(depth)
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
