import AppSupport
import MemoryPlanner

/// The commands that run a configuration, ready to paste.
enum ReadyCommand {
  /// Quantizing first where the weights are not in 16 bits, then generating.
  static func text(_ configuration: Configuration) -> String {
    let (model, precision, load) = (
      configuration.model, configuration.precision, configuration.load
    )
    var folder = model.name
    var commands: [String] = []
    if let group = precision.groupSize {
      folder = "out/\(model.name)-\(precision.bits)bit"
      var words = ["quantize --model \(model.name) --bits \(precision.bits)"]
      if group != 128 { words.append("--group-size \(group)") }
      words.append("--output \(folder)")
      commands.append(words.joined(separator: " "))
    }
    var words = ["generate --model \(folder)", "--think-budget \(load.thinkBudget)"]
    if load.samples > 1 { words.append("--samples \(load.samples) --vote") }
    words += CacheFlags.words(configuration.kv)
    words.append("--prompt \"...\"")
    commands.append(words.joined(separator: " "))
    return commands.joined(separator: " && ")
  }
}
