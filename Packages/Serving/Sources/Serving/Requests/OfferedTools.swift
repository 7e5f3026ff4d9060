import JSON
import Tokenizer

/// The tools whose calls are looked for in an answer.
struct OfferedTools: Sendable {
  /// Their names.
  let names: Set<String>
  /// Whether an answer may hold more than one call.
  let areParallel: Bool
  /// The grammar that makes an answer call one of them; nil where it need not.
  var grammar: TokenGrammar?

  /// What `tool_choice` says.
  private enum Choice {
    case none
    case auto
    /// One of these has to be called; any where nil.
    case required(Set<String>?)
    /// One of these may be called.
    case allowed(Set<String>)
  }

  /// Reads `tool_choice` and `parallel_tool_calls`; where no tool may be called, the template does
  /// not hear of them.
  ///
  /// - Returns: nil where none is offered.
  /// - Throws: `APIError` naming the field.
  static func read(
    _ fields: inout FieldReader, _ conversation: inout ChatConversation, _ model: ServedModel
  ) throws(APIError) -> OfferedTools? {
    let choice = try choice(&fields)
    let areParallel = try fields.bool("parallel_tool_calls") ?? true
    let definitions = try definitions(conversation.tools ?? [])
    if case .none = choice { conversation.tools = nil }
    guard conversation.tools != nil else {
      if case .required = choice { throw .invalid("tool_choice", "needs tools") }
      return nil
    }
    let all = Set(definitions.map(\.name))
    func checked(_ names: Set<String>) throws(APIError) -> Set<String> {
      if let other = names.subtracting(all).sorted().first {
        throw .invalid("tool_choice", "'\(other)' is none of the tools")
      }
      return names
    }
    switch choice {
    case .none, .auto: return OfferedTools(names: all, areParallel: areParallel)
    case .allowed(let names):
      return OfferedTools(names: try checked(names), areParallel: areParallel)
    case .required(let given):
      let names = try given.map { (names) throws(APIError) in try checked(names) } ?? all
      return OfferedTools(
        names: names, areParallel: areParallel,
        grammar: try model.grammars.grammar(
          calling: definitions.filter { names.contains($0.name) }, form: model.toolCalls,
          repeats: areParallel && names.count > 1))
    }
  }

  private static func definitions(_ tools: [JSONValue]) throws(APIError) -> [ToolDefinition] {
    var definitions: [ToolDefinition] = []
    for (index, tool) in tools.enumerated() {
      let function = tool["function"] ?? tool
      guard let name = function["name"]?.string else {
        throw .invalid("tools", "tools[\(index)] has no function with a name")
      }
      definitions.append(ToolDefinition(name: name, parameters: function["parameters"] ?? .null))
    }
    return definitions
  }

  private static func choice(_ fields: inout FieldReader) throws(APIError) -> Choice {
    guard let value = fields.value("tool_choice") else { return .auto }
    guard value.object != nil else {
      let word = try fields.word("tool_choice", among: ["auto", "none", "required"])
      return word == "none" ? .none : word == "required" ? .required(nil) : .auto
    }
    var choice = try FieldReader(value, path: "tool_choice")
    let type = try choice.word("type", among: ["function", "allowed_tools"])
    guard let type else { throw .invalid("tool_choice.type", "is missing") }
    if type == "function" {
      let name = try name(&choice)
      try choice.finish()
      return .required([name])
    }
    // `/v1/chat/completions` has mode and tools in an object of their own.
    let inner = try choice.reader("allowed_tools")
    if inner != nil { try choice.finish() }
    var allowed = inner ?? choice
    let mode = try allowed.word("mode", among: ["auto", "required"]) ?? "auto"
    guard let tools = try allowed.array("tools"), !tools.isEmpty else {
      throw .invalid(allowed.name("tools"), "expected an array of tools that is not empty")
    }
    var names: Set<String> = []
    for tool in tools {
      var tool = try FieldReader(tool, path: allowed.name("tools"))
      tool.pass("type")
      names.insert(try name(&tool))
      try tool.finish()
    }
    try allowed.finish()
    return mode == "required" ? .required(names) : .allowed(names)
  }

  /// The name of a function: a member, or within `function`, as `/v1/chat/completions` has it.
  private static func name(_ fields: inout FieldReader) throws(APIError) -> String {
    if var function = try fields.reader("function") {
      guard let name = try function.string("name") else {
        throw .invalid(function.name("name"), "is missing")
      }
      try function.finish()
      return name
    }
    guard let name = try fields.string("name") else {
      throw .invalid(fields.name("name"), "is missing")
    }
    return name
  }
}
