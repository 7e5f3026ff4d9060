/// What is said of a reply.
struct Grade: Sendable, Hashable {
  /// The answer found, in canonical form; nil where there is none.
  var extracted: String?
  /// The step that decided what the answer is.
  var step: ExtractionStep?
  /// Whether the reply is right.
  var correct: Bool
  /// Scores by name, where the rule gives more than right and wrong.
  var scores: [String: Double]?
}

extension GradingRule {
  /// The grade of a reply.
  ///
  /// - Parameters:
  ///   - response: The reply, or the candidates' scores.
  ///   - key: What is right, in canonical form.
  ///   - steps: The steps that look for answers, for rules that do not bring their own.
  /// - Returns: What was found, the verdict and the scores.
  func grade(_ response: SampleResponse, key: String, steps: [ExtractionStep]) -> Grade {
    // An empty text may well keep to some instruction, such as one without commas.
    guard response.finish != .failed else { return .none }
    switch self {
    case .integer, .letter, .text, .latex, .mathematics:
      let found = AnswerExtractor(steps: steps, grading: self).extract(from: response.answer)
      return Grade(
        extracted: found?.answer, step: found?.step, correct: areEqual(found?.answer, key),
        scores: nil)
    case .likelihood(let metric):
      let right = key.split(separator: ",").compactMap { Int($0) }
      return metric.grade(response.candidates ?? [], right: right) ?? .none
    case .perplexity:
      guard let text = response.candidates?.first, text.tokens > 0 else { return .none }
      return Grade(
        extracted: "", step: nil, correct: false,
        scores: [Self.lossName: -text.logprob / Double(text.tokens)])
    case .exact(let match): return match.grade(Self.visible(response), key: key)
    case .instructions:
      return InstructionList(key: key)?.grade(Self.visible(response)) ?? .none
    case .program: return .none
    case .judged:
      let isEmpty = Self.visible(response).allSatisfy(\.isWhitespace)
      return Grade(extracted: isEmpty ? nil : "", step: nil, correct: false, scores: nil)
    case .verdict: return Verdict.grade(Self.visible(response), letter: key)
    }
  }

  /// The grade of a reply whose program, if it is one, is run, as long as it is wanted.
  ///
  /// - Throws: ``EvaluationError`` where a program cannot be run, or there is no sandbox for it.
  func grade(
    _ response: SampleResponse, key: String, steps: [ExtractionStep], in sandbox: Sandbox?,
    isWanted: () -> Bool = { true }
  ) throws(EvaluationError) -> Grade {
    guard case .program = self else { return grade(response, key: key, steps: steps) }
    guard let sandbox else {
      throw .setting(name: "sandbox", value: "none", expected: "one, since replies are programs")
    }
    guard response.finish != .failed, let test = ProgramTest(key: key) else { return .none }
    return try test.grade(Self.visible(response), in: sandbox, isWanted: isWanted)
  }

  /// Whether replies are programs that are run.
  public var runsPrograms: Bool { if case .program = self { true } else { false } }

  /// The answer part of a reply; nothing of one whose thought was cut off.
  static func visible(_ response: SampleResponse) -> String {
    let visible = ReplyText.afterThought(Array(response.answer.utf8)[...])
    return visible.map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// The name of the score that results are about; nil where it is the share of right replies.
  public var mainScore: String? {
    switch self {
    case .integer, .letter, .text, .latex, .mathematics, .program, .judged, .verdict: nil
    case .likelihood(let metric): metric.rawValue
    case .perplexity: Self.lossName
    case .exact(let match): match.filters.first?.name
    case .instructions: InstructionList.mainScore
    }
  }

  /// The mean negative log-likelihood of a window's tokens, in nats.
  static let lossName = "loss"

  /// Whether candidates are scored and nothing is generated.
  public var isOfLikelihoods: Bool {
    switch self {
    case .likelihood, .perplexity: true
    default: false
    }
  }

  /// Whether a text is scored that is no list of questions.
  public var isOfText: Bool { if case .perplexity = self { true } else { false } }

  /// Whether replies are right or wrong.
  public var hasRightReplies: Bool { !isOfText && self != .judged }

  /// Whether the rule looks into replies by itself, without extraction steps.
  var bringsItsOwnSteps: Bool {
    switch self {
    case .integer, .letter, .text, .latex, .mathematics: false
    default: true
    }
  }
}

extension Grade {
  /// Of a reply in which there is nothing to grade.
  static let none = Grade(extracted: nil, step: nil, correct: false, scores: nil)
}
