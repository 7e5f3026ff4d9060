import JSON

/// How a model writes its calls of tools, as its chat template shows it.
public enum ToolCallForm: Sendable, Hashable {
  /// `<tool_call>`, an object with `name` and `arguments`, `</tool_call>`: Qwen, Hermes.
  case tagged
  /// An object with `name` and `parameters`: Llama.
  case bare

  /// The form that a template shows; tags where it shows none that is known.
  public init(template: String?) {
    let template = template ?? ""
    self =
      !template.contains("<tool_call>") && template.contains("\"parameters\"") ? .bare : .tagged
  }

  /// What stands before a call's object.
  var opening: [UInt8] { self == .tagged ? Array("<tool_call>\n".utf8) : [] }
  /// What stands behind it.
  var closing: [UInt8] { self == .tagged ? Array("\n</tool_call>".utf8) : [] }
  /// The member with the arguments.
  var argumentsKey: String { self == .tagged ? "arguments" : "parameters" }
}

/// A tool as requests define it.
struct ToolDefinition: Hashable, Sendable {
  /// The name by which it is called.
  let name: String
  /// The schema of its arguments; null for any object.
  let parameters: JSONValue
}
