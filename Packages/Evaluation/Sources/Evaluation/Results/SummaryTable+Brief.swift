import Foundation

extension SummaryTable {
  /// Fields down, runs across; the first line has the runs' names. Lines without any value are left
  /// out.
  var briefLines: [[String]] {
    var lines: [[String]] = []
    func add(_ title: String, _ value: ([String: Cell]) -> String?) {
      let values = runs.map(value)
      guard values.contains(where: { $0 != nil }) else { return }
      lines.append([title] + values.map { $0 ?? "-" })
    }
    func add(_ title: String, _ field: String) {
      add(title) { run in run[field].flatMap { $0 == .missing ? nil : Self.rounded($0) } }
    }
    add("run", "run")
    add("benchmark", "benchmark")
    add("format", "engine weights")
    add("weights", "weights_bytes")
    add("KV of a reply", "kv_bytes")
    add("peak", "peak_bytes")
    for field in fields where field == "accuracy" || Self.isMajority(field) {
      add(field) { run in
        // Of a text there is none.
        run["perplexity"] == nil ? Self.percent(run[field], run["\(field)_se"]) : nil
      }
    }
    for field in fields where Self.scoreNames.contains(field) {
      add(field) { run in
        run[field].map { Self.score(field, $0, run["\(field)_se"]) }
      }
    }
    add("replies", "replies")
    add("cut off, unparsed") { run in
      guard let cut = run["truncated"], let unparsed = run["unparsed"] else { return nil }
      return "\(Self.rounded(cut)), \(Self.rounded(unparsed))"
    }
    add("tokens a reply") { run in
      guard case .count(let thought)? = run["thought_tokens"],
        case .count(let answer)? = run["answer_tokens"], case .count(let replies)? = run["replies"]
      else { return nil }
      return "\((thought + answer) / max(replies, 1))"
    }
    add("tokens/s") { run in
      guard case .number(let rate)? = run["tokens_per_second"] else { return nil }
      return String(format: "%.0f", rate)
    }
    return lines
  }

  /// Scores that are shown beside the accuracy; those of groups are in the other formats.
  private static let scoreNames: Set<String> = [
    "acc", "acc_norm", "mc2", "perplexity", "strict", "flexible", "prompt_strict", "prompt_loose",
    "instruction_strict", "instruction_loose",
  ]

  private static func score(_ name: String, _ value: Cell, _ error: Cell?) -> String {
    guard name == "perplexity", case .number(let value) = value else {
      return percent(value, error) ?? "-"
    }
    guard case .number(let error)? = error else { return String(format: "%.3f", value) }
    return String(format: "%.3f ± %.3f", value, error)
  }

  /// Whether a field is a score of votes: `maj@` and a number.
  private static func isMajority(_ field: String) -> Bool {
    field.hasPrefix("maj@") && Int(field.dropFirst(4)) != nil
  }

  private static func percent(_ share: Cell?, _ error: Cell?) -> String? {
    guard let share else { return nil }
    guard case .number(let value) = share else { return "none" }
    guard case .number(let error)? = error else { return String(format: "%.1f %%", 100 * value) }
    return String(format: "%.1f ± %.1f %%", 100 * value, 100 * error)
  }
}
