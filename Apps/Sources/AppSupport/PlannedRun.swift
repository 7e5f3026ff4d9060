import Foundation
import MemoryPlanner

/// What to run in a memory where nobody said which model: the planner's choice among the models
/// that are on this machine.
public struct PlannedRun {
  /// The configuration, its bytes and why.
  public let advice: Advice
  /// The model as `--model` takes it.
  public let model: String

  /// Chooses for a memory, from the Qwen3 family where some of it is here, else from the shipped
  /// models.
  ///
  /// Quantized forms count where they lie in `folder(of:_:)`, which is where the commands of `plan`
  /// put them.
  ///
  /// - Parameters:
  ///   - memory: what there is.
  ///   - task: what is asked.
  ///   - tokens: most tokens of a reply, thought included; longer thoughts are not chosen.
  /// - Throws: `PlannerError.nothingFits` naming the least that would; `UserError` where no thought
  ///   is short enough.
  public init(memory: ByteCount, task: TaskKind = .math, tokens: Int = .max) throws {
    let families = try [KnownShapes.Family.qwen3, .nano].map(KnownShapes.models)
    let here = families.first { models in
      models.contains { Self.place(of: $0.name, .bf16) != nil }
    }
    // What is not here is not weighed: every choice takes memory that the model is to have.
    let precisions = try
      ([16, 8, 4].map { try WeightPrecision(bits: $0) }
      + WeightScheme.allCases.map { WeightPrecision($0) }).filter { precision in
        (here ?? []).contains { Self.place(of: $0.name, precision) != nil }
      }
    let models = (here ?? []).filter { model in
      precisions.contains { Self.place(of: model.name, $0) != nil }
    }
    var request = try PlanRequest(
      memory: memory.bytes, task: task, models: models, precisions: precisions)
    request.voteRules = []
    let shortest = request.thinkBudgets.min() ?? 0
    request.thinkBudgets.removeAll { $0 > tokens - request.answer }
    guard !request.thinkBudgets.isEmpty else {
      throw UserError(
        "the planner's shortest thought has \(shortest) tokens, its answer up to \(request.answer); with replies of \(tokens) say which --model to run"
      )
    }
    for advice in try Planner.advise(request) {
      let configuration = advice.configuration
      if let place = Self.place(of: configuration.model.name, configuration.precision) {
        self.advice = advice
        model = place
        return
      }
    }
    throw UserError(
      "no model on this machine fits into \(memory); 'plan --memory \(memory.bytes)B' says what would"
    )
  }

  /// Where a model lies at a precision; nil where it does not.
  private static func place(of name: String, _ precision: WeightPrecision) -> String? {
    if precision.bits == 16 { return (try? ModelFolder.resolve(name)) == nil ? nil : name }
    let folder = folder(of: name, precision)
    let config = "\(folder)/config.json"
    return FileManager.default.fileExists(atPath: config) ? folder : nil
  }

  /// Where `plan` has a quantized form of a model written.
  public static func folder(of name: String, _ precision: WeightPrecision) -> String {
    "out/\(name)-\(precision.scheme?.rawValue ?? "\(precision.bits)bit")"
  }

  /// Sets the flags of the model and of its cache that nobody gave, and says what was chosen.
  public func apply(to flags: inout ModelFlags) {
    flags.named = model
    flags.cache.adopt(advice.configuration.kv)
    Console.note(
      "chosen: \(advice.configuration), \(ByteCount(advice.memory.total)); 'plan --explain' says why"
    )
  }
}
