import Foundation

/// One sequence of a batch: a request's text, or a branch of it.
struct BatchSequence {
  /// Index of its request.
  let request: Int
  /// The smaller budget this branch answers; nil for the text itself.
  private(set) var branch: Int?
  /// When its prompt was started.
  let started: Date
  /// Tokens not yet run through the model: the prompt at first, then what was appended last. Empty at the start of a
  /// text whose prompt another one runs.
  private(set) var pending: [Int32]
  /// The text so far.
  private(set) var tokens: [Int32] = []
  /// Smaller budgets still to be answered, ascending.
  private(set) var branches: [Int]

  private let limit: Int
  private let stopTokens: Set<Int32>
  private var state: BudgetState?

  /// The start of a request's text; `runsPrompt` is false where another sequence runs the same prompt.
  init(_ source: GenerationRequest, index: Int, context: Int, runsPrompt: Bool) {
    request = index
    started = Date()
    pending = runsPrompt ? source.prompt : []
    branches = Set(source.branches).sorted()
    limit = source.tokenLimit(context: context)
    stopTokens = source.stopTokens
    state = source.budget.map {
      BudgetState($0, thinkEnd: source.tags?.close, stopTokens: source.stopTokens)
    }
  }

  /// Whether the prompt is not through the model yet.
  var isInPrompt: Bool { tokens.isEmpty }

  /// Says that the first `count` pending tokens were run.
  mutating func advance(_ count: Int) { pending.removeFirst(count) }

  /// Branches off every smaller budget that `token`, drawn next, uses up; to be asked before it is taken.
  mutating func branchesOff(by token: Int32, text: (Int32) -> String) -> [BatchSequence] {
    var result: [BatchSequence] = []
    while let budget = branches.first, let state = state?.shortened(to: budget) {
      var probe = state
      _ = probe.take(token, text: text)
      guard probe.isConcluding else { break }
      branches.removeFirst()
      var sequence = self
      sequence.state = state
      sequence.branch = budget
      sequence.branches = []
      result.append(sequence)
    }
    return result
  }

  /// Takes the token drawn next: appends what it brings and returns why the text ended, or nil.
  mutating func take(
    _ token: Int32, text: (Int32) -> String
  ) -> (appended: [BatchGenerator.Token], end: FinishReason?) {
    let isStop = stopTokens.contains(token)
    let actions =
      state?.take(token, text: text) ?? [isStop ? .finish(.stop) : .emit(token)]
    var appended: [BatchGenerator.Token] = []
    var end: FinishReason?
    for action in actions {
      switch action {
      case .emit(let id): appended.append(.init(id: id, origin: .drawn))
      case .wait(let ids): appended += ids.map { .init(id: $0, origin: .wait) }
      case .cue(let ids): appended += ids.map { .init(id: $0, origin: .cue) }
      case .finish(let reason): end = reason
      }
    }
    pending = appended.map(\.id)
    tokens += pending
    return (appended, end ?? (tokens.count >= limit ? .length : nil))
  }

  /// What the tokens are.
  func counts(of source: GenerationRequest) -> TokenCounts {
    let thought =
      state?.thoughtTokens ?? source.tags?.thoughtLength(of: tokens, after: source.prompt) ?? 0
    let cue = state?.cueTokens ?? 0
    return TokenCounts(
      prompt: source.prompt.count, thought: thought, waits: state?.waitTokens ?? 0, cue: cue,
      answer: tokens.count - thought - cue)
  }
}
