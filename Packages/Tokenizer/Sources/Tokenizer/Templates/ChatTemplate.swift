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
  /// The file that it was loaded from.
  public private(set) var file: String?
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
  /// `tokenizer_config.json` or `chat_template.json`.
  ///
  /// - Throws: as `load(files:usesTools:)`.
  public static func load(
    directory: URL, usesTools: Bool = false
  ) throws(TokenizerError) -> ChatTemplate {
    try load(files: ModelFiles(directory: directory), usesTools: usesTools)
  }

  /// The template among a model's files, wherever they are.
  ///
  /// Of several templates the one called "default" is taken; with tools the one called "tool_use",
  /// where there is one, as transformers does.
  /// - Throws: ``TokenizerError/noChatTemplate(directory:)`` when there is none,
  ///   ``TokenizerError/noDefaultTemplate(directory:names:)`` when there are others alone; what is
  ///   wrong with the one that is taken, naming its file.
  public static func load(
    files: ModelFiles, usesTools: Bool = false
  ) throws(TokenizerError) -> ChatTemplate {
    let configuration = try TokenizerConfiguration(files: files)
    var templates = configuration.chatTemplates.mapValues {
      (source: $0, file: files.path("tokenizer_config.json"))
    }
    if let node = try files.readJSON("chat_template.json") {
      let source = try node.required("chat_template").string()
      templates.merge(["default": (source, node.file)]) { own, _ in own }
    }
    let file = files.path("chat_template.jinja")
    if let bytes = try files.read("chat_template.jinja") {
      do { templates["default"] = (try UTF8Text.text(of: bytes), file) } catch {
        throw .unreadable(file: file, reason: "\(error)")
      }
    }
    if templates.isEmpty { throw .noChatTemplate(directory: files.place) }
    guard let found = (usesTools ? templates["tool_use"] : nil) ?? templates["default"] else {
      throw .noDefaultTemplate(directory: files.place, names: templates.keys.sorted())
    }
    do {
      var template = try ChatTemplate(
        source: found.source, specialTokens: configuration.specialTokens)
      template.file = found.file
      return template
    } catch {
      guard case .templateSyntax(let line, let reason) = error else { throw error }
      throw .invalidValue(
        file: found.file, key: "chat template, line \(line)", reason: reason)
    }
  }

  /// The roles with which the template compares that of a message, but for those that every template
  /// is asked to take: `ipython` of Llama 3's.
  public var furtherRoles: [String] {
    let comparison =
      /role['"]?\]?\s*(?:==|!=|(?:not\s+)?in\b)\s*[\[(]?\s*(?<words>(?:['"]\w+['"]\s*,?\s*)+)/
    var found: [String] = []
    for match in source.matches(of: comparison) {
      for word in match.words.split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "_") })
      where !ChatConversation.roles.contains(String(word)) && !found.contains(String(word)) {
        found.append(String(word))
      }
    }
    return found
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
