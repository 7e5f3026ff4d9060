import Foundation

/// What a benchmark asks and how answers are read, as written in its YAML file.
///
/// The file's keys are the property names below in lower case with hyphens; see the shipped files
/// for examples. Unknown keys are errors.
public struct BenchmarkDefinition: Sendable, Hashable, Codable {
  /// The short name, used on the command line and in journals.
  public var name: String
  /// What a list of benchmarks says about it.
  public var title: String
  /// Grows whenever a change of prompt, extraction or grading can change scores.
  public var version: Int
  /// How many items the complete data has.
  public var size: Int
  /// Where to get the data, in words.
  public var fetch: String
  /// The layouts in which the data is known to exist; the first that is found is read.
  public var data: [DataSource]
  /// The user's message, with `{question}` and, for multiple choice, `{choices}`.
  public var prompt: PromptTemplate
  /// How options are presented, or nil for free answers.
  public var choices: ChoicePresentation?
  /// The steps that look for an answer in a reply, tried in this order.
  public var extraction: [ExtractionStep]
  /// When an answer is right.
  public var grading: GradingRule
  /// How many replies each item gets unless the user says otherwise.
  public var samples: Int
  /// Sampling settings the benchmark prescribes; a missing one is the model's own.
  public var sampling: Sampling
  /// How many tokens a reply may take.
  public var limits: TokenLimits
  /// How prompts reach the model; nil for a conversation.
  public var form: PromptForm?
  /// What stands before everything else, with `{group}` for the item's group: a system message of a
  /// conversation.
  public var preamble: String?
  /// What stands there by the item's group, where groups differ in more than their names.
  public var preambles: [String: String]?
  /// The answered questions before the one that is asked.
  public var shots: Shots?
  /// How the reply begins; it is no part of it.
  public var prefill: String?
  /// Texts that end a reply and are no part of it.
  public var stops: [String]?
  /// The folder of the definition's file, in which data is looked for first; nil for a definition
  /// that came from elsewhere. No part of what is encoded.
  public var folder: URL?

  private enum CodingKeys: String, CodingKey {
    case name, title, version, size, fetch, data, prompt, choices, extraction, grading, samples
    case sampling, limits, form, preamble, preambles, shots, prefill, stops
  }

  /// The SHA-256 of everything above except the title, the words on fetching and the layouts.
  ///
  /// Two definitions with one digest ask and grade alike.
  public var digest: String {
    var essence = self
    essence.title = ""
    essence.fetch = ""
    essence.data = []
    essence.shots?.data = []
    return CanonicalJSON.digest(of: essence)
  }
}

extension BenchmarkDefinition {
  /// The same questions in another form: examples are turns of a conversation, and stand before the
  /// question in a text. How a reply begins has no place in a text.
  public func presented(as form: PromptForm) -> BenchmarkDefinition {
    var other = self
    other.form = form
    if other.shots != nil { other.shots?.areTurns = form == .chat ? true : nil }
    if form == .text { other.prefill = nil }
    return other
  }
}

/// How the options of a multiple-choice item are shown.
public struct ChoicePresentation: Sendable, Hashable, Codable {
  /// What decides the order of the options.
  public enum Shuffle: String, Sendable, Hashable, Codable, CaseIterable {
    /// The order of the data.
    case none
    /// One random order per item, from the run's seed.
    case item
    /// Another random order for every sample of an item, from the run's seed.
    case sample
    /// The order of the data in the first sample of an item, turned by one place in each next one.
    case turns
  }

  /// The most options an item may have: 2 to 26, letters beyond are no answers; up to 100 where
  /// options are scored.
  public var count: Int
  /// What decides the order.
  public var shuffle: Shuffle
  /// Whether items with another number of options are left out.
  public var exactly: Bool?
  /// How an option is shown, with `{letter}`, `{number}` and `{text}`; nil for `{letter}) {text}`.
  public var line: String?
  /// What is scored, or to be answered, for an option, likewise; nil for its text.
  public var scored: String?
  /// What stands in the question where an option belongs; what follows it is then scored.
  public var blank: String?
  /// The options of all items, or by group; nil where the data has them.
  public var fixed: [String: [String]]?
}

/// How many tokens a reply may take.
public struct TokenLimits: Sendable, Hashable, Codable {
  /// New tokens per sample, thought and answer together.
  public var tokens: Int
  /// Tokens of thought after which the answer is demanded, or nil when the model decides.
  public var thinking: Int?

  /// Checks and keeps the limits.
  ///
  /// - Throws: ``EvaluationError/setting(name:value:expected:)`` for a limit that is not positive.
  public init(tokens: Int, thinking: Int? = nil) throws(EvaluationError) {
    guard tokens > 0 else {
      throw .setting(name: "token limit", value: "\(tokens)", expected: "1 or more")
    }
    if let thinking, thinking < 0 {
      throw .setting(name: "thinking budget", value: "\(thinking)", expected: "0 or more")
    }
    self.tokens = tokens
    self.thinking = thinking
  }

  /// The same limits with another thinking budget, which must not be negative.
  func shortened(to thinking: Int?) -> TokenLimits {
    var limits = self
    limits.thinking = thinking
    return limits
  }
}
