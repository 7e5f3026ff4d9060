import JSON
import TextGeneration

/// The fields that say how long the model thinks.
struct ThinkingFields {
  /// How hard to think, in the words of the OpenAI dialect, and the thinking budget that each
  /// stands for.
  static let efforts: [(name: String, tokens: Int)] = [
    ("none", 0), ("minimal", 256), ("low", 1024), ("medium", 4096), ("high", 16384),
  ]

  /// False where the answer is wanted without a thought.
  private(set) var thinks = true
  /// The most tokens of thought; nil for no bound.
  private(set) var tokens: Int?
  /// Whether the budget gives way where context or reply hold less.
  private(set) var isAdaptive = false

  /// The field that asked for it.
  private let field: String?
  private let lowerBound: ThinkingBudget.LowerBound
  private var wording: BudgetWording
  private let saysCue: Bool
  private let closesThought: Bool
  private let answerTokens: Int?

  /// Reads the fields; of `effort` the endpoint has read the word already.
  init(_ fields: inout FieldReader, effort: (field: String, word: String)?) throws(APIError) {
    var field: String?
    for name in ["thinking_token_budget", "thinking_budget_tokens"] {
      guard let given = try fields.integer(name, in: -1...ThinkingBudget.longest) else { continue }
      if let field { throw .invalid(name, "says the same as \(field); give one of them") }
      field = name
      if given == 0 { thinks = false } else if given > 0 { tokens = given }
    }
    if let effort, let tokens = Self.efforts.first(where: { $0.name == effort.word })?.tokens {
      if let field {
        throw .invalid(effort.field, "and \(field) exclude each other")
      }
      field = effort.field
      isAdaptive = true
      if tokens == 0 { thinks = false } else { self.tokens = tokens }
    }
    self.field = field
    let force = try fields.bool("thinking_force") ?? false
    let waits = try fields.integer("thinking_waits", in: 1...ThinkingBudget.longest)
    if force, waits != nil {
      throw .invalid("thinking_waits", "and thinking_force exclude each other")
    }
    lowerBound = force ? .budget : waits.map { .ends($0) } ?? .none
    let cue = try fields.word("thinking_cue", among: BudgetWording.allCases.map(\.rawValue))
    wording = cue.flatMap(BudgetWording.init) ?? .finalAnswer
    saysCue = cue != nil
    closesThought = try fields.bool("thinking_close") ?? false
    if closesThought && wording == .earlyStop {
      throw .invalid("thinking_close", "the cue early-stop closes the thought itself")
    }
    answerTokens = try fields.integer("answer_tokens", in: 1...ThinkingBudget.longest)
    if tokens == nil {
      let given = [
        ("thinking_force", force), ("thinking_waits", waits != nil), ("thinking_cue", cue != nil),
        ("thinking_close", closesThought), ("answer_tokens", answerTokens != nil),
      ]
      if let (name, _) = given.first(where: \.1) {
        throw .invalid(name, "needs a thinking budget, such as thinking_token_budget")
      }
    }
  }

  /// Demands the answer in words behind which any text can follow, as an answer of a given form
  /// needs and `field` asks.
  mutating func freeAnswer(for field: String) throws(APIError) {
    guard tokens != nil else { return }
    if saysCue && wording != .earlyStop {
      throw .invalid(
        "thinking_cue", "\(wording.rawValue) opens a box, which \(field) excludes")
    }
    wording = .earlyStop
  }

  /// The budget in the model's tokens, for a reply of at most `room` tokens; nil for none.
  func budget(_ model: ServedModel, room: Int) throws(APIError) -> ThinkingBudget? {
    guard let tokens else { return nil }
    func budget(_ tokens: Int) throws(GenerationError) -> ThinkingBudget {
      try ThinkingBudget(
        tokens: tokens, lowerBound: lowerBound, wording: wording, closesThought: closesThought,
        answerLimit: answerTokens
      ) { model.tokenizer.encode($0, addSpecialTokens: false) }
    }
    do {
      let whole = try budget(tokens)
      let rest = room - whole.cue.count - whole.answerLimit
      if tokens <= rest { return whole }
      if isAdaptive, rest > 0 { return try budget(rest) }
      let (cue, answer) = (whole.cue.count, whole.answerLimit)
      throw GenerationError.budgetTooLong(
        sum: "thought \(tokens) + cue \(cue) + answer \(answer)", tokens: tokens + cue + answer,
        place: "reply", limit: room)
    } catch { throw .invalid(field, "\(error)") }
  }
}
