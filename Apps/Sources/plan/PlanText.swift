import AppSupport
import Foundation
import KVLayout
import MemoryPlanner

extension Advice {
  /// Where its figure comes from.
  var source: String {
    guard let expected else { return "findings of arXiv:2510.10964" }
    switch expected.origin {
    case .measured: return "measured: \(expected.source)"
    case .published: return "published: \(expected.source)"
    case .derived: return "derived from \(expected.source), by the findings of arXiv:2510.10964"
    }
  }

  /// How its figure is known, in a word.
  var origin: String { expected?.origin.rawValue ?? "unknown" }

  /// The accuracy and its range in percent.
  var accuracyText: String {
    guard let expected else { return "-" }
    return String(
      format: "%.1f (%.0f to %.0f)", 100 * expected.value, 100 * expected.range.lowerBound,
      100 * expected.range.upperBound)
  }

  /// How its figure comes about, and what the findings say, in a sentence.
  var reason: String {
    var parts: [String] = []
    if let expected {
      let figure = String(format: "%.1f %% of %@", 100 * expected.value, expected.benchmark)
      switch expected.origin {
      case .measured, .published: parts.append("\(figure), \(source)")
      case .derived:
        let known = PublishedAccuracy.of(configuration.model.name, task)
        let base = known.map { String(format: "%.1f %%", 100 * $0.accuracy) } ?? "the figure"
        parts.append(
          "\(figure): \(base) (\(expected.source)), \(expected.steps.joined(separator: ", "))")
      }
    }
    parts += savings.map { "\($0.text) (\($0.source))" }
    parts += judgements.filter { !$0.agrees }.map { "against finding \($0.finding): \($0.text)" }
    parts += judgements.filter(\.agrees).map { "\($0.text) (finding \($0.finding))" }
    let sentence = parts.joined(separator: "; ")
    return sentence.prefix(1).uppercased() + sentence.dropFirst() + "."
  }

  /// What is asked, by the benchmark that the figure is about.
  private var task: TaskKind { expected?.benchmark == "GPQA-Diamond" ? .knowledge : .math }
}

extension PlannedRow {
  /// What a draft takes and is expected to bring, and where that is from.
  var draftText: String? {
    guard let draft, let seconds = advice.seconds else { return nil }
    let rate = String(format: "%.0f %%", 100 * draft.acceptRate.value)
    let gain = String(format: "%.1f times as fast", seconds / draft.seconds)
    let total = ByteCount(Saturating.sum(advice.memory.total, draft.bytes))
    let parts: [String] = [
      "With \(draft.model.name) at \(draft.precision.title) as draft: the same text \(gain)",
      "(\(Text.duration(draft.seconds)), not \(Text.duration(seconds))), for",
      "\(ByteCount(draft.bytes)) more, \(total) in all, if \(rate) of \(draft.length) proposals",
      "at a time are accepted (\(draft.acceptRate.source)).",
    ]
    return parts.joined(separator: " ")
  }
}

/// The plan as people read it.
struct PlanText {
  private let rows: [PlannedRow]
  private var advice: [Advice] { rows.map(\.advice) }
  private let request: PlanRequest
  private let setAside: Int
  private let speed: MachineSpeed
  private let isRead: Bool

  init(
    _ rows: [PlannedRow], request: PlanRequest, setAside: Int, speed: MachineSpeed, isRead: Bool
  ) {
    self.rows = rows
    self.request = request
    self.setAside = setAside
    self.speed = speed
    self.isRead = isRead
  }

  private var heading: String {
    let batch = request.batch > 1 ? ", \(request.batch) questions at a time" : ""
    let all = request.memory + setAside
    return
      "For \(ByteCount(all)) (\(all) bytes), of which \(ByteCount(setAside)) are left for the system; "
      + "\(request.task.rawValue)\(batch).\n\n"
  }

  private var benchmarks: [String] {
    var names: [String] = []
    for name in advice.compactMap(\.expected?.benchmark) where !names.contains(name) {
      names.append(name)
    }
    return names
  }

  /// Configurations a row, then why the first is first and how to run it.
  var table: String {
    let about = benchmarks.count == 1 ? "\(benchmarks[0]), % (range)" : "accuracy, % (range)"
    var rows = [
      [
        "", "model", "bits", "KV", "thought", "samples", "weights", "KV cache", "total",
        "answer in",
        about, "figure is",
      ]
    ]
    for (place, item) in advice.enumerated() {
      let configuration = item.configuration
      let origin =
        benchmarks.count > 1 ? "\(item.origin), \(item.expected?.benchmark ?? "-")" : item.origin
      rows.append([
        "\(place + 1)", configuration.model.name,
        configuration.precision.scheme?.rawValue ?? "\(configuration.precision.bits)",
        "\(configuration.kv)", "\(configuration.load.thinkBudget)",
        (["\(configuration.load.samples)"] + configuration.rules.map(\.rule)).joined(
          separator: ", "),
        "\(ByteCount(item.memory.weights))",
        "\(ByteCount(item.memory.kv))", "\(ByteCount(item.memory.total))",
        item.seconds.map(Text.duration) ?? "-", item.accuracyText, origin,
      ])
    }
    return heading + Text.table(rows) + "\n\n" + caveats + first
  }

  /// What the figures cannot tell, and what the seconds rest on.
  private var caveats: String {
    var lines: [String] = []
    if let best = advice.first?.expected {
      let near = advice.dropFirst().prefix { $0.expected.map(best.overlaps) ?? false }.count
      if near > 0 {
        lines.append(
          near == 1
            ? "What is known does not tell rows 1 and 2 apart: their ranges overlap."
            : "What is known does not tell rows 1 to \(near + 1) apart: their ranges overlap.")
      }
    } else {
      lines.append(
        "Nothing is known of how accurate these models are; the order is that of the findings, and "
          + "'study run' measures it.")
    }
    if benchmarks.count > 1 {
      lines.append(
        "These figures are of different benchmarks (\(benchmarks.joined(separator: ", "))), each for the model beside it."
      )
    }
    let bandwidth = String(format: "%.1f GB/s", speed.bytesPerSecond / 1e9)
    lines.append(
      isRead
        ? "Seconds are those of this machine, whose memory was read with \(bandwidth) just now."
        : "Seconds are those of a machine that reads \(bandwidth).")
    return lines.joined(separator: "\n") + "\n\n"
  }

  private var first: String {
    guard let row = rows.first else { return "" }
    let best = row.advice
    return """
      Why \(best.configuration.model.name) at \(best.configuration.precision.title): \(best.reason)
      Source: \(best.source).
      \(row.draftText.map { $0 + "\n" } ?? "")
      \(ReadyCommand.lines(row).joined(separator: "\n"))

      """
  }

  /// What every finding means for the first, where its bytes go, and what each alternative lacks.
  var explanation: String {
    guard let best = advice.first else { return "" }
    var lines = [heading + "\(best.configuration)", ""]
    lines.append(
      "Weights \(ByteCount(best.memory.weights)), KV cache \(ByteCount(best.memory.kv)), "
        + "rest of the process \(ByteCount(best.memory.working)): total \(ByteCount(best.memory.total))."
    )
    let paper = best.configuration.memory(.paperTable)
    lines.append(
      "As the paper counts: weights \(ByteCount(paper.weights)) (the effective size; 8-bit 4B is "
        + "\(ByteCount(PaperThresholds.eightBit4B)), 8-bit 8B \(ByteCount(PaperThresholds.eightBit8B))), "
        + "KV cache \(ByteCount(paper.kv)).")
    if let text = rows.first?.draftText { lines.append(text) }
    lines.append("Expected: \(best.accuracyText) %, \(best.source).")
    for step in best.expected?.steps ?? [] { lines.append("  \(step)") }
    lines += ["", "What the paper's findings say of it:"]
    for judgement in best.judgements {
      let verdict = judgement.agrees ? "agrees" : "disagrees"
      lines.append("  finding \(judgement.finding) \(verdict): \(judgement.text)")
    }
    lines += ["", "Next:"]
    for item in advice.dropFirst() {
      lines.append("  \(item.configuration), \(ByteCount(item.memory.total)): \(item.reason)")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
