import AppSupport
import MemoryPlanner

/// A configuration that fits, and what may propose its tokens.
struct PlannedRow {
  let advice: Advice
  let draft: DraftAdvice?
}

/// The commands that run a configuration, ready to paste.
enum ReadyCommand {
  /// Quantizing first where the weights are not in 16 bits, then generating; a figure that was
  /// measured with forced thoughts is reached with those.
  static func lines(_ row: PlannedRow) -> [String] {
    let (advice, configuration) = (row.advice, row.advice.configuration)
    let load = configuration.load
    var commands: [String] = []
    let folder = prepared(configuration.model, configuration.precision, by: &commands)
    let draft = row.draft.map { prepared($0.model, $0.precision, by: &commands) }
    var words = [
      Program.pasted("generate"), "--model", folder, "--think-budget \(load.thinkBudget)",
    ]
    if let draft { words.append("--draft \(draft)") }
    if advice.measurement != nil { words.append("--force") }
    if load.samples > 1 { words.append("--samples \(load.samples) --vote") }
    if let rule = configuration.voteRule { words.append("--stop-when \(rule)") }
    if let rule = configuration.thoughtRule { words.append("--stop-thinking \(rule)") }
    words += CacheFlags.words(configuration.kv)
    words.append("--prompt \"...\"")
    commands.append(words.joined(separator: " "))
    return commands
  }

  /// The name of a model in a precision, which a command has to make first where it has less than
  /// 16 bits.
  private static func prepared(
    _ model: ModelShape, _ precision: WeightPrecision, by commands: inout [String]
  ) -> String {
    guard precision.bits < 16 else { return model.name }
    let folder = PlannedRun.folder(of: model.name, precision)
    var words = [Program.pasted("quantize"), "--model", model.name]
    words.append(
      precision.scheme.map { "--scheme \($0.rawValue)" } ?? "--bits \(precision.bits)")
    if precision.scheme == nil, let group = precision.groupSize, group != 128 {
      words.append("--group-size \(group)")
    }
    words.append("--output \(folder)")
    commands.append(words.joined(separator: " "))
    return folder
  }

  /// All in one line.
  static func text(_ row: PlannedRow) -> String { lines(row).joined(separator: " && ") }
}
