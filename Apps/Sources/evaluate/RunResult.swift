import AppSupport
import Evaluation
import Foundation

/// The outcome of a run, as printed and as stored beside the journal.
struct RunResult: Codable {
  let model: String
  /// The format of the weights.
  let weights: String
  let summary: Summary
  /// Tokens generated a second in the session that computed most recently; nil when nothing was left to compute.
  var rate: Double?

  /// This result with the rate of an earlier session where this one generated nothing.
  func keepingRate(of file: URL) -> RunResult {
    guard rate == nil, let earlier = try? RunResult(contentsOf: file) else { return self }
    var result = self
    result.rate = earlier.rate
    return result
  }

  init(model: String, weights: String, summary: Summary, rate: Double?) {
    self.model = model
    self.weights = weights
    self.summary = summary
    self.rate = rate
  }

  init(contentsOf file: URL) throws {
    do {
      self = try JSONDecoder().decode(RunResult.self, from: Data(contentsOf: file))
    } catch {
      throw UserError("\(file.path): is no result of 'evaluate'")
    }
  }

  func write(to file: URL) throws {
    do {
      try Data((try json() + "\n").utf8).write(to: file, options: .atomic)
    } catch {
      throw UserError("\(file.path): cannot be written: \(error)")
    }
  }

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  var accuracy: String {
    guard let accuracy = summary.accuracy else { return "none" }
    let error = accuracy.standardError.map { String(format: " ± %.1f", 100 * $0) } ?? ""
    return String(format: "%.1f", 100 * accuracy.value) + error + " %"
  }

  func text(journal: String) -> String {
    let flags = summary.flags
    let tokens = summary.tokens
    let mean = summary.replies > 0 ? tokens.generated / summary.replies : 0
    var lines = [
      "accuracy    \(accuracy)  (\(summary.correct) of \(summary.replies) replies to \(summary.items) problems)",
      "truncated   \(flags.truncated), unparsed \(flags.unparsed), without answer \(flags.unanswered)",
      "tokens      \(tokens.generated) generated, \(mean) a reply",
      "speed       \(rate.map { String(format: "%.0f tokens/s", $0) } ?? "nothing new generated")",
      "memory      weights \(bytes(summary.cost.weightsBytes)), KV \(bytes(summary.cost.kvBytes)) a reply at most, "
        + "peak \(bytes(summary.cost.peakBytes))",
      "journal     \(journal)",
    ]
    if flags.truncated * 20 > summary.replies {
      lines.append("warning     more than 5 % of the replies were cut off: the score is biased")
    }
    return lines.joined(separator: "\n")
  }

  func bytes(_ count: Int64?) -> String { count.map { Text.bytes(Int($0)) } ?? "unknown" }
}
