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
    while let line = readLine() {
      number += 1
      if line.allSatisfy(\.isWhitespace) { continue }
      let value = try JSONValue(parsing: line.utf8, file: "standard input, line \(number)")
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
        let text = tokenizer.decode(ids.compactMap { $0 })
        let data = try JSONEncoder().encode(text)
        print(String(decoding: data, as: UTF8.self))
      }
    }
  }
}
