import AppSupport
import MemoryPlanner

/// The commands that run a configuration, ready to paste.
enum ReadyCommand {
  /// Quantizing first where the weights are not in 16 bits, then generating; a figure that was
  /// measured with forced thoughts is reached with those.
  static func lines(_ advice: Advice) -> [String] {
    let configuration = advice.configuration
    let (model, precision, load) = (
      configuration.model, configuration.precision, configuration.load
    )
    var folder = model.name
    var commands: [String] = []
    if precision.bits < 16 {
      folder = PlannedRun.folder(of: model.name, precision)
      var words = [Program.pasted("quantize"), "--model", model.name]
      words.append(
        precision.scheme.map { "--scheme \($0.rawValue)" } ?? "--bits \(precision.bits)")
      if precision.scheme == nil, let group = precision.groupSize, group != 128 {
        words.append("--group-size \(group)")
      }
      words.append("--output \(folder)")
      commands.append(words.joined(separator: " "))
    }
    var words = [
      Program.pasted("generate"), "--model", folder, "--think-budget \(load.thinkBudget)",
    ]
    if advice.measurement != nil { words.append("--force") }
    if load.samples > 1 { words.append("--samples \(load.samples) --vote") }
    if let rule = configuration.voteRule { words.append("--stop-when \(rule)") }
    if let rule = configuration.thoughtRule { words.append("--stop-thinking \(rule)") }
    words += CacheFlags.words(configuration.kv)
    words.append("--prompt \"...\"")
    commands.append(words.joined(separator: " "))
    return commands
  }

  /// All in one line.
  static func text(_ advice: Advice) -> String { lines(advice).joined(separator: " && ") }
}
