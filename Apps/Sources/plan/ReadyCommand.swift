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
    words += flags(configuration.kv)
    words.append("--prompt \"...\"")
    commands.append(words.joined(separator: " "))
    return commands.joined(separator: " && ")
  }

  /// The flags of a KV policy.
  private static func flags(_ kv: KVPolicy) -> [String] {
    var words: [String] = []
    if kv.keys != kv.values {
      words.append("--kv-k \(kv.keys.rawValue) --kv-v \(kv.values.rawValue)")
    } else if kv.keys != .bf16 {
      words.append("--kv \(kv.keys.rawValue)")
    }
    if let eviction = kv.eviction { words.append("--kv-evict \(eviction)") }
    return words
  }
}
