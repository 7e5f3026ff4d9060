import AppSupport
import ArgumentParser
import Foundation
import SystemCalls
import TextGeneration
import KVCaches
import DecoderModels

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
  @Flag(
    help:
      "Propose what followed the last tokens when they stood in the prompt or the text before, and verify several in one pass. The text stays the same; it comes faster where it repeats itself."
  )
  var speculate = false

  func validate() throws {
    if logits != nil && ids == nil { throw ValidationError("--logits needs --ids") }
  }

  /// Proposals that are wrong are cut off again, which states of a fixed size cannot be.
  ///
  /// - Throws: `UsageError` for a model whose layers do not all attend.
  func checkSpeculation(_ shape: KVShape) throws {
    guard shape.hasFixedStates else { return }
    throw UsageError(
      "--speculate: \(shape.layers - shape.attendingLayers) of the model's \(shape.layers) layers hold a state that "
        + "cannot be cut back to earlier tokens; leave it out")
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

/// Logits as a NumPy array file.
enum LogitsFile {
  /// Runs `ids` and writes the logits of every position, F32 `[tokens, vocabulary]`; the file appears when complete.
  static func write(ids: [Int32], to path: String, loaded: LoadedModel, kv: KVPolicy) throws {
    var caches = [try loaded.pass.makeCache(kv, meter: KVMeter())]
    do {
      let file = try AtomicFile(path)
      try file.write(header(rows: ids.count, columns: loaded.decoder.shape.vocabularySize))
      try loaded.pass.run([TokenRun(cache: 0, tokens: ids)], caches: &caches, rows: .all) {
        _, token, logits in
        guard logits.allSatisfy(\.isFinite) else {
          throw GenerationError.nonFiniteLogits(step: token)
        }
        try Interrupts.check()
        try file.write(Data(buffer: logits))
      }
      try file.finish()
    } catch let error as FileError {
      throw UserError("\(path): cannot be written: \(error.reason)")
    }
  }

  /// NumPy format 1.0: magic, version, header length, a Python dictionary padded to 64 bytes.
  private static func header(rows: Int, columns: Int) -> Data {
    var text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
    while (10 + text.utf8.count + 1) % 64 != 0 { text += " " }
    text += "\n"
    var data = Data([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0])
    data.append(contentsOf: [UInt8(text.utf8.count & 255), UInt8(text.utf8.count >> 8)])
    data.append(Data(text.utf8))
    return data
  }
}
