import AppSupport
import Compression
import Foundation
import ModelLoader
import DecoderModels
import MemoryPlanner
import TextGeneration
import Tokenizer

/// Lets a model write the text that it is calibrated with.
struct SelfWriter {
  /// Texts written together: a step reads the weights once for all of them.
  private static let concurrency = 16

  private let checkpoint: Checkpoint
  private let amount: SelfCalibration.Amount
  private let threads: Int
  private let quantizing: Double?

  /// A writer for the model of a folder; `quantizing` by its text will take so many seconds, where
  /// that is known.
  init(
    _ checkpoint: Checkpoint, _ amount: SelfCalibration.Amount, threads: Int, quantizing: Double?
  ) {
    self.checkpoint = checkpoint
    self.amount = amount
    self.threads = threads
    self.quantizing = quantizing
  }

  /// Has the texts written that are missing.
  ///
  /// - Parameters:
  ///   - folder: where the file lies: beside the checkpoints that are made with it.
  ///   - digest: of the model's weights.
  /// - Returns: the name of the file that the texts are kept in, and the token sequences in it.
  /// - Throws: `UserError` where the model does not fit into memory, or when interrupted;
  ///   `CompressionError.calibration` for a file that cannot be used.
  func sequences(in folder: URL, digest: String) throws -> (file: String, sequences: [[Int32]]) {
    let tokenizer = try TextTokenizer(files: checkpoint.modelFiles)
    let prompts = PromptBuilder(
      files: checkpoint.modelFiles, tokenizer: tokenizer, thinks: true)
    let context = try DecoderSource(checkpoint, families: Known.families).shape.contextLength
    let usable = SelfCalibration.Amount(
      sequences: amount.sequences, tokens: min(amount.tokens, context - 1))
    let calibration = try SelfCalibration(
      usable ?? amount, model: digest, start: start(tokenizer),
      stopTokens: LoadedModel.stopTokens(of: checkpoint, tokenizer),
      sampling: SamplingFlags.parse([]).options(generationConfig: checkpoint.generationConfig)
    ) { try prompts.ids([ChatMessage(role: "user", content: $0)]) }
    let file = folder.appendingPathComponent(calibration.fileName(of: checkpoint.modelName))
    var sequences = try calibration.sequences(keptIn: file)
    if sequences == nil {
      let writer = try writer(for: usable ?? amount)
      let line = ProgressLine("writing calibration text, tokens")
      sequences = try calibration.sequences(
        keptIn: file, writer: writer, text: { tokenizer.decode($0) }
      ) { done, total in
        line.show(done, of: total)
        return !Interrupts.isPending
      }
    }
    Console.note("calibration \(file.relativePath), written by the model itself")
    return (file.lastPathComponent, sequences ?? [])
  }

  /// The token that begins a text: what the configuration names, or else the tokenizer's.
  private func start(_ tokenizer: TextTokenizer) throws -> Int32? {
    let named = try checkpoint.specialTokenIDs().start
    if let named, (0..<tokenizer.vocabularySize).contains(named) { return Int32(named) }
    return tokenizer.eosTokenID
  }

  /// Loads the model and says how long everything will take, by the time of one step.
  private func writer(for amount: SelfCalibration.Amount) throws -> SelfCalibration.Writer {
    let free = MachineMemory.bytes
    func needed(_ together: Int) throws -> Int {
      let shape = try DecoderSource(checkpoint, families: Known.families).family.memoryShape(
        named: checkpoint.modelName)
      let load = try Load(thinkBudget: amount.tokens, prompt: 0, answer: 0, batch: together)
      return Accounting.actual.memory(shape, .bf16, .full, load).total
    }
    guard
      let together = try [Self.concurrency, 8, 4, 2, 1].first(where: { try needed($0) <= free })
    else {
      throw UserError(
        "to write its own calibration text the model needs \(Text.bytes(try needed(1))) of memory, "
          + "\(Text.bytes(free)) are free; --calibration FILE and --method hqq do with less")
    }
    var flags = try ModelFlags.parse(
      ["--threads", "\(threads)", "--numerics", "exact", "--head-bits", "16"])
    flags.named = checkpoint.directory.path
    let loaded = try LoadedModel(flags, checkpoint)
    let time = try SelfCalibrationForecast(loaded.pass, amount, together: together)
    Console.note(
      "will take   about \(Text.duration(time.writing)) to write \(amount.total) tokens of calibration "
        + "text"
        + (quantizing.map { ", then about \(Text.duration($0)) to quantize" } ?? ""))
    return SelfCalibration.Writer(
      BatchGenerator(loaded.pass, tokenLimit: loaded.tokenLimit), concurrency: together)
  }
}
