import AppSupport
import Foundation
import MemoryPlanner

extension Advice {
  /// Where its place comes from.
  var source: String {
    measurement.map { "measured: \($0.study)" } ?? "findings of arXiv:2510.10964"
  }

  /// Why it stands there, in a sentence that names the findings.
  var reason: String {
    var parts: [String] = []
    if let measurement {
      let error = measurement.standardError.map { String(format: " ± %.1f", 100 * $0) } ?? ""
      parts.append(
        String(format: "measured at %.1f", 100 * measurement.accuracy) + error + " %")
    } else {
      let against = judgements.filter { !$0.agrees }
      parts += against.map { "against finding \($0.finding): \($0.text)" }
      parts += judgements.filter(\.agrees).map { "\($0.text) (finding \($0.finding))" }
    }
    let sentence = parts.joined(separator: "; ")
    return sentence.prefix(1).uppercased() + sentence.dropFirst() + "."
  }

  /// The accuracy as people read it.
  var accuracyText: String {
    guard let measurement else { return "not measured" }
    let error = measurement.standardError.map { String(format: " ± %.1f", 100 * $0) } ?? ""
    return String(format: "%.1f", 100 * measurement.accuracy) + error + " %"
  }
}

/// The plan as people read it.
struct PlanText {
  private let advice: [Advice]
  private let request: PlanRequest

  init(_ advice: [Advice], request: PlanRequest) {
    self.advice = advice
    self.request = request
  }

  private var heading: String {
    let batch = request.batch > 1 ? ", \(request.batch) questions at a time" : ""
    return
      "For \(ByteCount(request.memory)) (\(request.memory) bytes), \(request.task.rawValue)\(batch):\n\n"
  }

  /// Configurations a row, then why the first is first and how to run it.
  var table: String {
    var rows = [
      ["", "model", "bits", "KV", "thought", "samples", "weights", "KV cache", "total", "accuracy"]
    ]
    for (place, item) in advice.enumerated() {
      let configuration = item.configuration
      rows.append([
        "\(place + 1)", configuration.model.name, "\(configuration.precision.bits)",
        "\(configuration.kv)", "\(configuration.load.thinkBudget)",
        "\(configuration.load.samples)", "\(ByteCount(item.memory.weights))",
        "\(ByteCount(item.memory.kv))", "\(ByteCount(item.memory.total))", item.accuracyText,
      ])
    }
    return heading + Text.table(rows) + "\n\n" + first
  }

  private var first: String {
    guard let best = advice.first else { return "" }
    return """
      Why \(best.configuration.model.name) at \(best.configuration.precision.bits) bits: \(best.reason)
      Source: \(best.source).

      \(ReadyCommand.text(best.configuration).replacingOccurrences(of: " && ", with: "\n"))

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
    lines.append("")
    if let measurement = best.measurement {
      lines.append("It comes first because \(measurement.study) measured it: \(best.accuracyText).")
      lines.append("What the paper's findings say of it:")
    }
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
