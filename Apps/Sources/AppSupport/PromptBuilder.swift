import Foundation
import Tokenizer

/// Turns what a user says into the prompt that a model was trained on.
public struct PromptBuilder {
  private let tokenizer: TextTokenizer
  private let template: ChatTemplate?
  private let variables: [String: TemplateValue]

  /// A builder with the chat template among `files`; without a template prompts are used as they are.
  ///
  /// - Parameters:
  ///   - files: the model's files.
  ///   - tokenizer: its tokenizer.
  ///   - thinks: false asks the template for an answer without thinking.
  /// - Throws: `TokenizerError` for a template that cannot be read.
  public init(files: ModelFiles, tokenizer: TextTokenizer, thinks: Bool) throws {
    self.tokenizer = tokenizer
    do {
      template = try ChatTemplate.load(files: files)
    } catch TokenizerError.noChatTemplate {
      template = nil
    }
    variables = thinks ? [:] : ["enable_thinking": .bool(false)]
  }

  /// The prompt text of a conversation.
  ///
  /// - Throws: `TokenizerError` when the template refuses the conversation.
  public func text(_ messages: [ChatMessage]) throws -> String {
    guard let template else { return messages.compactMap(\.content).joined(separator: "\n") }
    return try template.render(
      messages: messages, addGenerationPrompt: true, variables: variables)
  }

  /// The prompt's ids of a conversation.
  ///
  /// - Throws: `TokenizerError` when the template refuses the conversation.
  public func ids(_ messages: [ChatMessage]) throws -> [Int32] {
    tokenizer.encode(try text(messages), addSpecialTokens: template == nil)
  }
}
