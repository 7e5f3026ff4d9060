import AppSupport
import ArgumentParser
import Compression
import Evaluation
import Foundation
import KVCaches
import ModelLoader
import TextGeneration

/// The flags of `evaluate --compare A B --text FILE`.
struct ComparisonFlags: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Compare the predictions of two models on a text instead; flags of the engine hold for the second.",
      valueName: "model model"))
  var compare: [String] = []
  @Option(help: "The text: a .jsonl file of {\"text\": ...} rows, or plain text.")
  var text: String?
  @Option(help: "Tokens of text that are read from an empty context (default: 512).")
  var window: Int?

  /// Tokens of text that are read from an empty context.
  var tokens: Int { window ?? 512 }

  func validate() throws {
    if compare.isEmpty {
      if text != nil { throw ValidationError("--text needs --compare") }
      if window != nil { throw ValidationError("--window needs --compare") }
      return
    }
    guard compare.count == 2 else {
      throw ValidationError("--compare \(compare.joined(separator: " ")): expected two models")
    }
    guard text != nil else { throw ValidationError("--compare needs --text FILE") }
    guard tokens >= 2 else { throw ValidationError("--window \(tokens): expected at least 2") }
  }
}

/// Two models that read the same text side by side. The first, the reference, is computed exactly.
struct CompareModels {
  private let reference: LoadedModel
  private let candidate: LoadedModel
  private let kv: KVPolicy

  /// Loads both models; `flags` but for the model hold for the second.
  init(_ names: [String], _ flags: ModelFlags) throws {
    var (first, second) = (flags, flags)
    (first.named, second.named) = (names[0], names[1])
    (first.numerics, first.headBits) = (.given(.exact), .given(.stored))
    reference = try LoadedModel(first)
    let checkpoint = try Checkpoint(second)
    try second.takePolicyFile(for: checkpoint)
    candidate = try LoadedModel(second, checkpoint)
    kv = try second.kvPolicy()
  }

  /// The result, and the models' names.
  func table(_ text: URL, window: Int) throws -> SummaryTable {
    let sequences = try sequences(text, window: window)
    var comparison = LogitComparison()
    let total = sequences.reduce(0) { $0 + $1.count }
    var done = 0
    let line = ProgressLine("comparing tokens")
    for sequence in sequences {
      comparison.beginWindow()
      try compare(sequence, into: &comparison) { count in
        try Interrupts.check()
        done += count
        line.show(done, of: total)
      }
    }
    return SummaryTable(
      try comparison.result(), reference: reference.name, candidate: candidate.name)
  }

  private func sequences(_ file: URL, window: Int) throws -> [[Int32]] {
    let text = try CalibrationText(contentsOf: file)
    func ids(_ loaded: LoadedModel) throws -> [[Int32]] {
      let tokenizer = try loaded.requireTokenizer()
      return try text.sequences(
        samples: .max, length: min(window, loaded.decoder.shape.contextLength), file: file.path
      ) { tokenizer.encode($0, addSpecialTokens: true) }
    }
    let sequences = try ids(reference)
    guard try sequences == ids(candidate) else {
      throw UserError(
        "\(reference.name) and \(candidate.name) read \(file.path) as different tokens; "
          + "only models with one tokenizer and context can be compared")
    }
    return sequences
  }

  /// Runs both models over one window; `step` is told the tokens that were read.
  private func compare(
    _ tokens: [Int32], into comparison: inout LogitComparison, step: (Int) throws -> Void
  ) throws {
    var first = try TextLogits(reference.pass, of: tokens)
    var second = try TextLogits(candidate.pass, of: tokens, kv: kv)
    while first.position < tokens.count {
      let start = first.position
      let (one, other) = (try first.next(), try second.next())
      let count = first.position - start
      let (width, otherWidth) = (one.count / count, other.count / count)
      try one.withUnsafeBufferPointer { one in
        try other.withUnsafeBufferPointer { other in
          for row in 0..<count where start + row + 1 < tokens.count {
            try comparison.add(
              reference: UnsafeBufferPointer(rebasing: one[row * width..<(row + 1) * width]),
              candidate: UnsafeBufferPointer(
                rebasing: other[row * otherWidth..<(row + 1) * otherWidth]),
              next: Int(tokens[start + row + 1]))
          }
        }
      }
      try step(count)
    }
  }
}
