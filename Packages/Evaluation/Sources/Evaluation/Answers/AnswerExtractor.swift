/// A step that looks for the answer in a reply.
///
/// The steps of a benchmark are tried in order until one decides. The rules in full are in
/// `ANSWERS.md` beside this package's manifest.
public enum ExtractionStep: String, Sendable, Hashable, Codable, CaseIterable {
  /// The last complete `\boxed{...}`. What it holds decides, even if it is no valid answer.
  case box
  /// A `\boxed{` that the end of the text leaves open: the rest of its line.
  case openBox = "open-box"
  /// The last "answer is ...", "Answer: ..." and the like, for integers and letters.
  case answerPhrase = "answer-phrase"
  /// The last line that is not blank, when it is nothing but an answer, for letters.
  case lastLine = "last-line"
  /// What follows the last `####`, up to the end of its line.
  case hashMark = "hash-mark"
  /// The last number in the text.
  case lastNumber = "last-number"
  /// What follows the last "final answer is", up to "I hope it is correct" or the end of its line.
  case finalAnswer = "final-answer"
  /// What a pattern of the grading rule found.
  case pattern
}

/// What was found in a reply.
public struct ExtractedAnswer: Sendable, Hashable {
  /// The answer in the canonical form of the grading rule, or nil where what was found is none.
  public let answer: String?
  /// The step that decided.
  public let step: ExtractionStep
}

/// Finds the answer in a reply.
public struct AnswerExtractor: Sendable, Hashable {
  /// The steps, tried in this order.
  public let steps: [ExtractionStep]
  /// What counts as an answer, and in what form.
  public let grading: GradingRule

  /// An extractor for given steps and a rule.
  public init(steps: [ExtractionStep], grading: GradingRule) {
    self.steps = steps
    self.grading = grading
  }

  /// The answer in a reply.
  ///
  /// Only what follows the last `</think>` is read; a text that opens a thought and does not close
  /// it was cut off and holds no answer. Cost: linear in the length of the text.
  ///
  /// - Parameter text: A reply, with or without its thought.
  /// - Returns: Nil when no step found anything.
  public func extract(from text: String) -> ExtractedAnswer? {
    guard var visible = ReplyText.afterThought(Array(text.utf8)[...]) else { return nil }
    if grading == .mathematics { visible = MathMarkup.inLatex(visible) }
    for step in steps {
      if let found = candidate(by: step, in: visible) {
        return ExtractedAnswer(answer: grading.canonical(found), step: step)
      }
    }
    return nil
  }

  /// What a step finds, whether or not it is an answer in the sense of the rule.
  private func candidate(by step: ExtractionStep, in text: ArraySlice<UInt8>) -> String? {
    switch step {
    case .box:
      grading == .mathematics
        ? BoxedAnswer.lastJoined(in: text)
        : BoxedAnswer.last(in: text)
          .map { String(decoding: $0, as: UTF8.self) }
    case .openBox: BoxedAnswer.unfinished(in: text).map { String(decoding: $0, as: UTF8.self) }
    case .answerPhrase: AnswerPhrase.last(in: text, grading: grading)
    case .lastLine: AnswerPhrase.lastLine(in: text, grading: grading)
    case .hashMark: AnswerPhrase.afterHashMark(in: text)
    case .lastNumber: LastNumber.find(in: text)
    case .finalAnswer: AnswerPhrase.finalAnswer(in: text)
    case .pattern: nil
    }
  }
}

/// The part of a reply that may hold an answer.
enum ReplyText {
  /// What follows the last `</think>`; the whole text without thought; nil for a cut-off thought.
  static func afterThought(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    if let close = text.lastRange(of: "</think>") { return text[close.upperBound...] }
    return text.lastRange(of: "<think>") == nil ? text : nil
  }
}
