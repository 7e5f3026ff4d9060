import AppSupport
import Foundation

/// The votes of samples that answer the same question. Their order makes no difference.
struct Tally {
  /// How many samples gave each answer.
  let votes: [String: Int]
  /// Samples without an answer; they have no vote.
  let missing: Int

  init(_ answers: [String?]) {
    votes = Dictionary(answers.compactMap { $0 }.map { ($0, 1) }, uniquingKeysWith: +)
    missing = answers.filter { $0 == nil }.count
  }

  /// Answers by votes; among equals the shorter first, then by their characters.
  var ranking: [(answer: String, votes: Int)] {
    votes.map { (answer: $0.key, votes: $0.value) }.sorted {
      ($1.votes, $0.answer.count, $0.answer) < ($0.votes, $1.answer.count, $1.answer)
    }
  }

  /// The answers with the most votes: one, several in a tie, or none where no sample answered.
  var leaders: [String] {
    let most = votes.values.max()
    return ranking.filter { $0.votes == most }.map(\.answer)
  }

  /// The answer with the most votes; nil in a tie and without votes.
  var winner: String? { leaders.count == 1 ? leaders[0] : nil }

  /// A table of the votes, and the outcome in words.
  var text: String {
    var rows = [["answer", "votes"]] + ranking.map { [$0.answer, "\($0.votes)"] }
    if missing > 0 { rows.append(["(no answer)", "\(missing)"]) }
    let outcome =
      if let winner {
        "the vote: \(winner)"
      } else if leaders.isEmpty {
        "the vote: no sample gave an answer"
      } else {
        "the vote: a tie of \(leaders.joined(separator: ", ")); each counts 1/\(leaders.count)"
      }
    return Text.table(rows) + "\n" + outcome
  }
}

/// The text that a box of LaTeX holds.
enum BoxedText {
  private static let command = Array("\\boxed".utf8)

  /// What the last complete `\boxed{...}` of `text` holds, or where none is complete the rest of the line of one left
  /// open; without blanks around it, and nil for nothing. Linear in the length of the text.
  static func last(in text: String) -> String? {
    let bytes = Array(text.utf8)
    // Where each open brace's content begins; nil for braces that open no box.
    var open: [Int?] = []
    var found: Range<Int>?
    var isEscaped = false
    for (index, byte) in bytes.enumerated() {
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "{") {
        let isBox = bytes[..<index].suffix(command.count).elementsEqual(command)
        open.append(isBox ? index + 1 : nil)
      } else if byte == UInt8(ascii: "}"), let start = open.popLast(), let start {
        found = start..<index
      }
    }
    if found == nil, let start = open.compactMap({ $0 }).last {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      found = start..<end
    }
    guard let found else { return nil }
    let content = String(decoding: bytes[found], as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    return content.isEmpty ? nil : content
  }
}
