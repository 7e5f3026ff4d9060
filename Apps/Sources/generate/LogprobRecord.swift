import AppSupport
import Foundation
import TextGeneration
import Tokenizer

/// A token's log-probability as programs and people read it.
struct LogprobRecord: Encodable {
  /// A token with its text.
  struct Choice: Encodable {
    let id: Int32
    let text: String
    let logprob: Double
  }

  let id: Int32
  let text: String
  let logprob: Double
  let top: [Choice]

  init(_ token: TokenLogprob, _ tokenizer: TextTokenizer) {
    id = token.chosen.id
    text = tokenizer.decode([token.chosen.id])
    logprob = token.chosen.logprob
    top = token.top.map {
      Choice(id: $0.id, text: tokenizer.decode([$0.id]), logprob: $0.logprob)
    }
  }

  /// A line a token.
  static func table(_ records: [LogprobRecord]) -> String {
    let rows = records.map { record in
      [record.text.debugDescription, String(format: "%.4f", record.logprob)]
        + record.top.map { "\($0.text.debugDescription) \(String(format: "%.4f", $0.logprob))" }
    }
    let most = records.map(\.top.count).max() ?? 0
    return Text.table([["token", "logprob"] + (0..<most).map { "top \($0 + 1)" }] + rows)
  }
}
