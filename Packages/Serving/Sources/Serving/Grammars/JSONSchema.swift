import JSON

/// Reads a JSON schema into a grammar.
///
/// A keyword that would bound values and is not known is objected to; those that only describe are
/// passed over.
struct JSONSchema {
  /// What is wrong with a schema.
  struct Problem: Error, Equatable {
    let path: String
    let reason: String
  }

  private static let descriptive: Set<String> = [
    "$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default",
    "examples", "deprecated", "readOnly", "writeOnly", "strict", "format",
  ]
  private static let mostNodes = 1024
  private static let mostChoices = 8192
  private static let mostBytes = 1 << 17

  private var document: JSONValue
  private var nodes: [JSONGrammar.Node] = []
  private var references: [String: Int] = [:]
  private var choices = 0
  private var bytes = 0

  private init(_ document: JSONValue) { self.document = document }

  /// The grammar of a schema.
  ///
  /// - Throws: `Problem` naming the place in the schema.
  static func grammar(_ schema: JSONValue) throws(Problem) -> JSONGrammar {
    var reader = JSONSchema(schema)
    let root = try reader.read(schema, "#")
    return try reader.grammar(root)
  }

  /// The grammar of calls of tools: of one, or of one and more where calls repeat.
  ///
  /// - Throws: `Problem` naming the tool and the place in its schema.
  static func grammar(
    calling tools: [ToolDefinition], form: ToolCallForm, repeats: Bool
  ) throws(Problem) -> JSONGrammar {
    var reader = JSONSchema(.null)
    var calls: [Int] = []
    for tool in tools {
      // References of a schema lead to places of its own.
      reader.document = tool.parameters
      reader.references = [:]
      let schema: JSONValue =
        tool.parameters.isNull || tool.parameters == .object([:])
        ? .object(["type": .string("object")]) : tool.parameters
      do {
        let name = try reader.add(.texts([Array(JSONValue.quoted(tool.name).utf8)]), "#")
        let members = [
          ("name", name), (form.argumentsKey, try reader.read(schema, "#")),
        ].map {
          JSONGrammar.Member(
            name: Array(JSONValue.quoted($0).utf8), value: $1, isRequired: true)
        }
        calls.append(try reader.add(.object(members), "#"))
      } catch { throw Problem(path: "\(tool.name): \(error.path)", reason: error.reason) }
    }
    let call = try reader.add(.union(calls), "#")
    guard form == .tagged else { return try reader.grammar(call) }
    let root = try reader.add(.framed(form.opening, call, form.closing, repeats: repeats), "#")
    return try reader.grammar(root)
  }

  private func grammar(_ root: Int) throws(Problem) -> JSONGrammar {
    for node in nodes.indices where isEndless(node) {
      throw Problem(path: "#", reason: "a reference leads to itself and to no value")
    }
    let grammar = JSONGrammar(nodes: nodes, root: root)
    guard grammar.hasTexts else {
      throw Problem(path: "#", reason: "no value that it allows ends, or none but very deep ones")
    }
    return grammar
  }

  /// Whether a choice leads back to itself before any value begins.
  private func isEndless(_ node: Int) -> Bool {
    var (seen, open): (Set<Int>, [Int]) = ([], [node])
    while let next = open.popLast() {
      guard case .union(let choices) = nodes[next] else { continue }
      if choices.contains(node) { return true }
      open += choices.filter { seen.insert($0).inserted }
    }
    return false
  }

  private mutating func add(_ node: JSONGrammar.Node, _ path: String) throws(Problem) -> Int {
    guard nodes.count < Self.mostNodes else {
      throw Problem(path: path, reason: "the schema has more than \(Self.mostNodes) values")
    }
    switch node {
    case .union(let some): choices += some.count
    case .texts(let texts): bytes += texts.reduce(0) { $0 + $1.count }
    case .object(let members): bytes += members.reduce(0) { $0 + $1.name.count }
    default: break
    }
    guard choices <= Self.mostChoices else {
      throw Problem(path: path, reason: "the schema has more than \(Self.mostChoices) choices")
    }
    guard bytes <= Self.mostBytes else {
      throw Problem(
        path: path,
        reason: "names and values of enumerations have more than \(Self.mostBytes) bytes")
    }
    nodes.append(node)
    return nodes.count - 1
  }

  private mutating func read(_ schema: JSONValue, _ path: String) throws(Problem) -> Int {
    if schema == .bool(true) { return try add(.any, path) }
    guard let object = schema.object else {
      throw Problem(path: path, reason: "expected an object or true")
    }
    var known = Self.descriptive
    func value(_ key: String) -> JSONValue? {
      known.insert(key)
      return object[key]
    }
    let node: Int
    if let reference = value("$ref") {
      node = try follow(reference, path)
    } else if let constant = value("const") {
      node = try add(.texts([Array(constant.line.utf8)]), path)
    } else if let values = value("enum") {
      guard let values = values.array, !values.isEmpty else {
        throw Problem(path: path + "/enum", reason: "expected an array that is not empty")
      }
      _ = value("type")
      node = try add(.texts(values.map { Array($0.line.utf8) }), path)
    } else if let key = ["anyOf", "oneOf"].first(where: { object[$0] != nil }),
      let choices = value(key)
    {
      guard let choices = choices.array, !choices.isEmpty else {
        throw Problem(path: "\(path)/\(key)", reason: "expected an array that is not empty")
      }
      _ = value("type")
      var read: [Int] = []
      for (index, choice) in choices.enumerated() {
        read.append(try self.read(choice, "\(path)/\(key)/\(index)"))
      }
      node = try add(.union(read), path)
    } else {
      let inner = try typed(object, path)
      known.formUnion(inner.known)
      node = inner.node
    }
    if let other = object.keys.first(where: { !known.contains($0) }) {
      throw Problem(path: path, reason: "'\(other)' is not supported here")
    }
    return node
  }

  private mutating func typed(
    _ object: OrderedObject<JSONValue>, _ path: String
  ) throws(Problem) -> (node: Int, known: Set<String>) {
    guard let type = object["type"] else {
      if object["properties"] != nil { return try read("object", object, path) }
      if object["items"] != nil { return try read("array", object, path) }
      return (try add(.any, path), [])
    }
    let names = (type.array ?? [type]).compactMap(\.string)
    guard !names.isEmpty, names.count == (type.array?.count ?? 1) else {
      throw Problem(path: path + "/type", reason: "expected the name of a type, or several")
    }
    var (choices, known): ([Int], Set<String>) = ([], [])
    for name in names {
      let (node, read) = try read(name, object, path)
      choices.append(node)
      known.formUnion(read)
    }
    return (choices.count == 1 ? choices[0] : try add(.union(choices), path), known)
  }

  private mutating func read(
    _ type: String, _ object: OrderedObject<JSONValue>, _ path: String
  ) throws(Problem) -> (node: Int, known: Set<String>) {
    switch type {
    case "string": return (try add(.string, path), ["type"])
    case "number", "integer":
      return (try add(.number(isInteger: type == "integer"), path), ["type"])
    case "boolean":
      return (try add(.texts(["true", "false"].map { Array($0.utf8) }), path), ["type"])
    case "null": return (try add(.texts([Array("null".utf8)]), path), ["type"])
    case "object":
      return (
        try members(object, path), ["type", "properties", "required", "additionalProperties"]
      )
    case "array": return (try elements(object, path), ["type", "items", "minItems", "maxItems"])
    default: throw Problem(path: path + "/type", reason: "'\(type)' is no type")
    }
  }

  private mutating func members(
    _ object: OrderedObject<JSONValue>, _ path: String
  ) throws(Problem) -> Int {
    let required = Set((object["required"]?.array ?? []).compactMap(\.string))
    let properties = object["properties"]?.object ?? [:]
    if let missing = required.sorted().first(where: { properties[$0] == nil }) {
      throw Problem(
        path: path + "/required", reason: "'\(missing)' is none of the properties")
    }
    guard !properties.isEmpty else {
      if object["additionalProperties"] == .bool(false) { return try add(.object([]), path) }
      let value = try read(
        object["additionalProperties"] ?? .bool(true), path + "/additionalProperties")
      return try add(.map(value), path)
    }
    var members: [JSONGrammar.Member] = []
    for (name, schema) in properties.members {
      members.append(
        JSONGrammar.Member(
          name: Array(JSONValue.quoted(name).utf8),
          value: try read(schema, "\(path)/properties/\(name)"),
          isRequired: required.contains(name)))
    }
    return try add(.object(members), path)
  }

  private mutating func elements(
    _ object: OrderedObject<JSONValue>, _ path: String
  ) throws(Problem) -> Int {
    func bound(_ key: String) throws(Problem) -> Int? {
      guard let value = object[key] else { return nil }
      guard let count = value.integer, (0...1 << 20).contains(count) else {
        throw Problem(path: "\(path)/\(key)", reason: "expected 0 to \(1 << 20)")
      }
      return count
    }
    let least = try bound("minItems") ?? 0
    let most = try bound("maxItems") ?? .max
    guard least <= most else {
      throw Problem(path: path, reason: "minItems \(least) is above maxItems \(most)")
    }
    let value = try read(object["items"] ?? .bool(true), path + "/items")
    return try add(.array(value, least...most), path)
  }

  /// The value that a reference names; one that is being read refers to itself.
  private mutating func follow(_ reference: JSONValue, _ path: String) throws(Problem) -> Int {
    guard let text = reference.string, text.hasPrefix("#") else {
      throw Problem(
        path: path + "/$ref", reason: "expected a place in this schema, such as #/$defs/name")
    }
    if let node = references[text] { return node }
    var target = document
    for part in text.dropFirst().split(separator: "/") {
      let name = part.replacing("~1", with: "/").replacing("~0", with: "~")
      guard let next = target[String(name)] else {
        throw Problem(path: path + "/$ref", reason: "there is no \(text)")
      }
      target = next
    }
    // A node for the reference first, so that what it names may name it again.
    let node = try add(.union([]), path)
    references[text] = node
    let read = try read(target, text)
    nodes[node] = .union([read])
    return node
  }
}
