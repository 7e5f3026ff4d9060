import AppSupport
import ArgumentParser
import Foundation
import TextGeneration
import Tokenizer

/// Where the prompt comes from.
struct PromptFlags: ParsableArguments {
  @Option(name: [.short, .long], help: "The user's message; - is standard input.")
  var prompt: String?
  @Option(help: "A file that holds the user's message; - is standard input.")
  var promptFile: String?
  @Option(help: "A JSON file that holds a whole conversation: [{\"role\": ..., \"content\": ...}].")
  var messages: String?
  @Option(help: "A system message before the user's.")
  var system: String?
  @Flag(help: "Use the prompt as it is, without the model's chat template.")
  var raw = false
  @Flag(help: "Ask the template for an answer without thinking.")
  var noThinking = false
  @Flag(
    help: "Let special tokens that messages spell count as such, instead of as plain text.")
  var special = false
  @Flag(help: "Print the rendered prompt and stop.")
  var showPrompt = false

  var isGiven: Bool { prompt != nil || promptFile != nil || messages != nil }
  /// Whether a flag says how a message becomes a prompt.
  var isShaped: Bool { system != nil || raw || noThinking || special || showPrompt }

  func validate() throws {
    if [prompt, promptFile, messages].compactMap({ $0 }).count > 1 {
      throw ValidationError("--prompt, --prompt-file and --messages exclude each other")
    }
    if raw && (system != nil || messages != nil || noThinking) {
      throw ValidationError("--raw excludes --system, --messages and --no-thinking")
    }
    if system != nil && messages != nil {
      throw ValidationError("--messages holds the whole conversation; it excludes --system")
    }
    if raw && special {
      throw ValidationError("--raw takes special tokens as such already; it excludes --special")
    }
  }

  /// The prompt as the model is to see it.
  func text(files: ModelFiles, tokenizer: TextTokenizer) throws -> String {
    if raw { return try message() }
    return try prompt(builder(files, tokenizer)).text.text
  }

  /// The prompt's token ids.
  func ids(for loaded: LoadedModel) throws -> [Int32] {
    let tokenizer = try loaded.requireTokenizer()
    if raw { return tokenizer.encode(try message(), addSpecialTokens: true) }
    let builder = builder(loaded.checkpoint.modelFiles, tokenizer)
    return builder.ids(try prompt(builder))
  }

  private func builder(_ files: ModelFiles, _ tokenizer: TextTokenizer) -> PromptBuilder {
    PromptBuilder(
      files: files, tokenizer: tokenizer, thinks: !noThinking,
      specialText: special ? .isToken : .treatSpecialTextAsPlain)
  }

  /// The prompt of the conversation; what is to be known of it is said.
  private func prompt(_ builder: PromptBuilder) throws -> PromptBuilder.Prompt {
    let prompt = try builder.prompt(conversation())
    for warning in prompt.warnings { Console.note("warning: \(warning)") }
    return prompt
  }

  private func conversation() throws -> ChatConversation {
    if let messages {
      return try ChatConversation(parsing: TextInput.bytes(of: messages), file: messages)
    }
    let first = system.map { [ChatMessage(role: "system", content: $0)] } ?? []
    return ChatConversation(
      messages: first + [ChatMessage(role: "user", content: try message())])
  }

  private func message() throws -> String {
    let text: String
    // As elsewhere, a dash alone is what is piped in.
    let promptFile = promptFile ?? (prompt == "-" ? "-" : nil)
    if let promptFile {
      text = try TextInput.text(of: promptFile)
    } else if let prompt {
      try TextInput.checkArguments()
      text = prompt
    } else {
      throw UsageError("a prompt is needed: --prompt TEXT, --prompt-file FILE or --messages FILE")
    }
    guard !text.allSatisfy(\.isWhitespace) else {
      if let promptFile { throw UserError("\(promptFile): holds no prompt: it is empty") }
      throw GenerationError.emptyPrompt
    }
    return text
  }
}
