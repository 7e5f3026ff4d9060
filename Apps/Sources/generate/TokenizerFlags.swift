import AppSupport
import ArgumentParser
import Foundation
import JSON
import Tokenizer

/// The flags that only look at the tokenizer.
struct TokenizerFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Print the ids and pieces of a text.", valueName: "text"))
  var tokenize: String?
  @Flag(
    help: "Read one JSON string a line from standard input; print one JSON array of ids a line.")
  var tokenizeJsonl = false
  @Flag(
    help: "Read one JSON array of ids a line from standard input; print one JSON string a line.")
  var detokenizeJsonl = false

  @Flag(help: "Add what the model wants around a text, such as its first token.")
  var addSpecialTokens = false

  var isGiven: Bool { tokenize != nil || tokenizeJsonl || detokenizeJsonl }

  func validate() throws {
    if addSpecialTokens && tokenize == nil && !tokenizeJsonl {
      throw ValidationError("--add-special-tokens needs --tokenize or --tokenize-jsonl")
    }
    if [tokenize != nil, tokenizeJsonl, detokenizeJsonl].filter({ $0 }).count > 1 {
      throw ValidationError(
        "--tokenize, --tokenize-jsonl and --detokenize-jsonl exclude each other")
    }
  }

  func run(_ files: ModelFiles) throws {
    let tokenizer = try TextTokenizer(files: files)
    if let tokenize {
      let ids = tokenizer.encode(tokenize, addSpecialTokens: addSpecialTokens)
      print(ids.map(String.init).joined(separator: ","))
      for id in ids { print("\(id)\t\(tokenizer.decode([id]).debugDescription)") }
    } else {
      try convertLines(tokenizer)
    }
  }

  private func convertLines(_ tokenizer: TextTokenizer) throws {
    var number = 0
    var lines = InputLines()
    while let line = lines.next() {
      number += 1
      if line.allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) }) { continue }
      let value = try JSONValue(parsing: line, file: "standard input, line \(number)")
      if tokenizeJsonl {
        guard let text = value.string else {
          throw UserError("standard input, line \(number): expected a JSON string")
        }
        print(
          "[\(tokenizer.encode(text, addSpecialTokens: addSpecialTokens).map(String.init).joined(separator: ","))]"
        )
      } else {
        guard let ids = value.array?.map({ $0.integer.flatMap { Int32(exactly: $0) } }),
          !ids.contains(nil)
        else {
          throw UserError("standard input, line \(number): expected a JSON array of token ids")
        }
        if let id = ids.lazy.compactMap(\.self).first(where: { tokenizer.piece(of: $0) == nil }) {
          throw UserError(
            "standard input, line \(number): \(id) is no token; ids go from 0 to "
              + "\(tokenizer.vocabularySize - 1)")
        }
        let text = tokenizer.decode(ids.compactMap { $0 })
        let data = try JSONEncoder().encode(text)
        print(String(decoding: data, as: UTF8.self))
      }
    }
  }
}

/// The lines of standard input as bytes, nothing repaired, each as soon as it is there.
private struct InputLines {
  private var pending: [UInt8] = []
  private var isAtEnd = false

  /// The next line without its line break; nil at the end.
  mutating func next() -> [UInt8]? {
    var searched = 0
    while true {
      if let end = pending[searched...].firstIndex(of: 0x0A) {
        defer { pending.removeFirst(end + 1) }
        return Array(pending[..<end])
      }
      searched = pending.count
      if isAtEnd {
        defer { pending = [] }
        return pending.isEmpty ? nil : pending
      }
      let more = FileHandle.standardInput.availableData
      isAtEnd = more.isEmpty
      pending += more
    }
  }
}
