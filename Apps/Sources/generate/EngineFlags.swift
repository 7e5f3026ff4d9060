import AppSupport
import ArgumentParser
import Foundation
import SystemCalls
import TextGeneration
import KVCaches
import ModelLoader

/// The flags for people who compare engines; they need no tokenizer.
struct EngineFlags: ParsableArguments {
  @Option(help: "Token ids as the prompt, separated by commas.")
  var ids: String?
  @Option(
    help: ArgumentHelp(
      "Write the logits of every position of --ids, [tokens, vocabulary] in float32, to this .npy file and stop; the KV cache is f32 unless --kv says otherwise.",
      valueName: "file"))
  var logits: String?
  @Flag(name: .customLong("print-ids"), help: "Print the new token ids instead of text.")
  var printIDs = false

  func validate() throws {
    if logits != nil && ids == nil { throw ValidationError("--logits needs --ids") }
  }

  func parsedIDs() throws -> [Int32]? {
    guard let ids else { return nil }
    let parts = ids.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.map { Int32($0.trimmingCharacters(in: .whitespaces)) }
    guard !numbers.contains(nil) else {
      throw UsageError("--ids \(ids): expected token ids separated by commas")
    }
    return numbers.compactMap { $0 }
  }
}

extension EngineFlags {
  /// Runs `ids` and writes the logits of every position, `[tokens, vocabulary]`.
  func writeLogits(of ids: [Int32], to path: String, loaded: LoadedModel, kv: KVPolicy) throws {
    var text = try TextLogits(loaded.pass, of: ids, kv: kv)
    do {
      let columns = loaded.decoder.shape.vocabularySize
      let file = try NumPyFile(path, rows: ids.count, columns: columns)
      while text.position < ids.count {
        let first = text.position
        let rows = try text.next()
        if let wrong = rows.firstIndex(where: { !$0.isFinite }) {
          throw GenerationError.nonFiniteLogits(step: first + wrong / columns)
        }
        try Interrupts.check()
        try file.append(rows)
      }
      try file.finish()
    } catch let error as FileError {
      throw UserError("\(path): cannot be written: \(error.reason)")
    }
  }
}
