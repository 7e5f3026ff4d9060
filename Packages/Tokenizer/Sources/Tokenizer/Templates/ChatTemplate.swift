import Foundation
import JSON

/// The values a caller hands to a template by name.
public typealias TemplateValue = JSONValue

/// A model's own chat template: turns a conversation into the prompt it was trained on.
///
/// Templates are Jinja, read as Hugging Face `transformers` reads them (`trim_blocks` and
/// `lstrip_blocks` on, plain-JSON `tojson`, `raise_exception`, `strftime_now`). A template is
/// data from the model's folder: it cannot touch anything but its variables, and ``Limits`` bound
/// what it can cost.
public struct ChatTemplate: Sendable {
  /// What one rendering may cost before it ends in ``TokenizerError/templateLimit(name:limit:)``.
  public struct Limits: Sendable, Hashable {
    /// Evaluated nodes, and one more for every 128 bytes handled.
    public var steps = 1_000_000
    /// Nested evaluations: expressions, blocks and macro calls.
    public var depth = 400
    /// Bytes of the prompt.
    public var outputBytes = 64 << 20

    /// The limits above.
    public init() {}
  }

  /// The template's text.
  public let source: String
  /// Variables every rendering sees, such as `bos_token`.
  public let specialTokens: [String: String]
  private let limits: Limits
  private let statements: [TemplateStatement]

  /// Parses a template.
  /// - Parameters:
  ///   - source: the Jinja text.
  ///   - specialTokens: the tokens a template may name, by name (`bos_token`, `eos_token`, ...).
  ///   - limits: what one rendering may cost.
  /// - Throws: ``TokenizerError/templateSyntax(line:reason:)``.
  public init(source: String, specialTokens: [String: String] = [:], limits: Limits = Limits())
    throws(TokenizerError)
  {
    self.source = source
    self.specialTokens = specialTokens
    self.limits = limits
    statements = try TemplateParser.parse(source)
  }

  /// The template of a model folder: `chat_template.jinja`, else `chat_template` in
  /// `tokenizer_config.json`.
  /// - Throws: ``TokenizerError/noChatTemplate(directory:)`` when there is neither.
  public static func load(directory: URL) throws(TokenizerError) -> ChatTemplate {
    try load(files: ModelFiles(directory: directory))
  }

  /// The template among a model's files, wherever they are.
  /// - Throws: as above.
  public static func load(files: ModelFiles) throws(TokenizerError) -> ChatTemplate {
    let configuration = try TokenizerConfiguration(files: files)
    let file = "chat_template.jinja"
    let source: String
    if let bytes = try files.read(file) {
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw .unreadable(
          file: files.path(file), reason: "invalid UTF-8")
      }
      source = text
    } else if let template = configuration.chatTemplate {
      source = template
    } else {
      throw .noChatTemplate(directory: files.place)
    }
    return try ChatTemplate(source: source, specialTokens: configuration.specialTokens)
  }

  /// The prompt for a conversation.
  ///
  /// Tokenize it without adding special tokens: the template writes them itself.
  /// - Parameters:
  ///   - messages: the conversation.
  ///   - tools: the tool definitions the model may call; nil is `none` to the template.
  ///   - addGenerationPrompt: whether to end with the opening of the assistant's turn.
  ///   - variables: further variables, such as `enable_thinking`; they win over special tokens.
  ///   - now: the time that `strftime_now` tells.
  /// - Returns: the prompt's text.
  /// - Throws: ``TokenizerError`` when the template refuses the conversation, fails, or goes past
  ///   the limits.
  public func render(
    messages: [ChatMessage], tools: [TemplateValue]? = nil, addGenerationPrompt: Bool,
    variables: [String: TemplateValue] = [:], now: Date = Date()
  ) throws(TokenizerError) -> String {
    var context: [String: RuntimeValue] = [:]
    for (name, token) in specialTokens { context[name] = .string(token) }
    context["messages"] = RuntimeValue(.array(messages.map { .object($0.fields) }))
    context["tools"] = RuntimeValue(tools.map { .array($0) } ?? .null)
    context["documents"] = RuntimeValue.none
    context["add_generation_prompt"] = .bool(addGenerationPrompt)
    for (name, value) in variables { context[name] = RuntimeValue(value) }
    let renderer = TemplateRenderer(context: context, limits: limits, now: now)
    return try renderer.render(statements)
  }
}
