/// What a model is asked: a message, what stands around it, and what is scored of it.
public struct SampleQuestion: Sendable, Hashable, Codable {
  /// The user's message.
  public let prompt: String
  /// How it reaches the model.
  public internal(set) var form = PromptForm.chat
  /// What stands before everything else; a system message of a conversation.
  public internal(set) var opening = ""
  /// Answered questions before the message.
  public internal(set) var examples: [PromptExample] = []
  /// Whether each of them is a message and its answer.
  public internal(set) var examplesAreTurns = false
  /// How the reply begins; it is no part of it.
  public internal(set) var prefill = ""
  /// Texts that end the reply and are no part of it.
  public internal(set) var stops: [String] = []
  /// What is scored in place of a reply; empty where one is generated.
  public internal(set) var candidates: [Candidate] = []
  /// The tokens of a window of text, which is scored from its second token on; empty elsewhere.
  public internal(set) var tokens: [Int32] = []

  /// A question that is nothing but a message.
  public init(prompt: String) { self.prompt = prompt }

  init(prompt: String, tokens: [Int32]) {
    self.prompt = prompt
    self.tokens = tokens
  }

  /// One message of a conversation.
  public struct Message: Sendable, Hashable {
    /// `system`, `user` or `assistant`.
    public let role: String
    /// What it says.
    public let text: String
  }

  /// The conversation up to the reply.
  ///
  /// - Parameter prompt: The last message, where a candidate has its own.
  /// - Returns: The messages, the last one the user's.
  public func conversation(_ prompt: String? = nil) -> [Message] {
    var messages = opening.isEmpty ? [] : [Message(role: "system", text: opening)]
    let prompt = prompt ?? self.prompt
    guard examplesAreTurns else {
      return messages + [Message(role: "user", text: joinedExamples + prompt)]
    }
    for example in examples {
      let answer = prefill.isEmpty ? example.answer : Self.joined(prefill, example.answer)
      messages.append(Message(role: "user", text: example.question))
      messages.append(Message(role: "assistant", text: answer))
    }
    return messages + [Message(role: "user", text: prompt)]
  }

  /// The text up to what the model goes on with, for form text.
  ///
  /// - Parameter prompt: The last question, where a candidate has its own.
  /// - Returns: The text.
  public func text(_ prompt: String? = nil) -> String {
    opening + joinedExamples + (prompt ?? self.prompt)
  }

  private var joinedExamples: String {
    examples.map { Self.joined($0.question, $0.answer) + Shots.separator }.joined()
  }

  /// Two texts with a blank between, unless there is white space already.
  private static func joined(_ first: String, _ second: String) -> String {
    let isApart =
      first.isEmpty || second.isEmpty || first.last?.isWhitespace == true
      || second.first?.isWhitespace == true
    return first + (isApart ? "" : " ") + second
  }
}

extension SampleQuestion {
  /// Whether something is scored and nothing generated.
  public var isScored: Bool { !candidates.isEmpty || !tokens.isEmpty }
}
