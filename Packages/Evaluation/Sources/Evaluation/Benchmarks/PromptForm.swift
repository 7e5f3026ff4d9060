import Foundation

/// How a prompt reaches the model.
public enum PromptForm: String, Sendable, Hashable, Codable, CaseIterable {
  /// As a conversation in the model's chat template.
  case chat
  /// As it is, for models to go on with.
  case text
}

/// A question that stands answered before the one that is asked.
public struct PromptExample: Sendable, Hashable, Codable {
  /// The question, as the prompt has it.
  public let question: String
  /// Its answer.
  public let answer: String

  /// A question and its answer.
  public init(question: String, answer: String) {
    self.question = question
    self.answer = answer
  }
}

/// What a model is asked to find likely, in place of generating a reply.
public struct Candidate: Sendable, Hashable, Codable {
  /// The user's message where each candidate has its own; nil for that of the request.
  public let prompt: String?
  /// The text that is scored behind it.
  public let continuation: String
  /// The characters by which its score may be divided: those of the option, Unicode scalars.
  public let characters: Int
}

/// Answered questions before the one that is asked ("few-shot").
public struct Shots: Sendable, Hashable, Codable {
  /// Which of them are taken.
  public enum Choice: String, Sendable, Hashable, Codable, CaseIterable {
    /// The first ones of the data; of an item that belongs to a group the first ones of its group.
    case first
    /// Drawn for each item in turn, as Python's `random.Random(seed).sample` draws them.
    case random
  }

  /// How many stand before each item; 0 for none.
  public var count: Int
  /// Which of them.
  public var take: Choice
  /// Of `random`: its seed.
  public var seed: UInt32?
  /// In a conversation: whether each is a message and its answer. Otherwise they stand in one
  /// message with the question.
  public var areTurns: Bool?
  /// The layouts in which their data exists; empty where they are written here.
  public var data: [DataSource]
  /// Those that are written here.
  public var items: [WrittenShot]?
  /// Whether they are drawn from the items themselves; an item is then never its own example.
  public var fromItems: Bool?

  /// One that is written in the definition.
  public struct WrittenShot: Sendable, Hashable, Codable {
    /// The question.
    public var question: String
    /// The answer as the model is to give it.
    public var answer: String
  }

  /// What stands between two of them, and before the question, in a text.
  static let separator = "\n\n"
}
