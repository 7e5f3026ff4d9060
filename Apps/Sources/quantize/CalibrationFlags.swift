import AppSupport
import ArgumentParser
import Compression
import Foundation
import ModelLoader
import DecoderModels
import NanoModels
import Tensors
import Tokenizer

extension Numerics: ExpressibleByArgument {}

/// The flags that say what a quantizer is shown of the model at work.
struct CalibrationFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Calibration text: self, which the model writes itself (self:64x512 says how many texts of at most how many tokens), or a file: .jsonl of {\"text\": ...} rows, or plain text (default: self; the nano models' own file for these).",
      valueName: "self|file"))
  var calibration: String?
  @Flag(
    help: "Put every text of a calibration file into the model's chat template, as a user's words.")
  var chatTemplate = false
  @Option(help: "Calibration samples (default: 128 of a file, 64 of self).")
  var samples: Int?
  @Option(help: "Most tokens of a calibration sample (default: 2048 of a file, 512 of self).")
  var length: Int?

  @Option(
    name: .customLong("calibration-numerics"),
    help: ArgumentHelp(
      "How the blocks that are finished meet calibration's activations: \(CompressionPlan.usualNumerics.rawValue), or another of generate's --numerics, such as exact, which is slower (default: \(CompressionPlan.usualNumerics.rawValue)).",
      valueName: "numerics"))
  var numerics: Numerics?

  /// Where the text comes from.
  enum Source {
    case file(URL)
    case own(SelfCalibration.Amount)

    /// Whether the model writes it.
    var isOwn: Bool {
      if case .own = self { true } else { false }
    }
  }

  /// Whether a flag says that something is to be shown at all.
  var isGiven: Bool {
    calibration != nil || chatTemplate || numerics != nil || samples != nil || length != nil
  }

  func validate() throws {
    for (name, value) in [("samples", samples), ("length", length)] {
      if let value, !(1...1 << 20).contains(value) {
        throw ValidationError("--\(name) \(value): expected 1 to \(1 << 20)")
      }
    }
    guard let own else { return }
    if chatTemplate {
      throw ValidationError(
        "--calibration self uses the model's template; it excludes --chat-template")
    }
    guard own.count == 2 else { return }
    guard SelfCalibration.Amount(parsing: own[1]) != nil else {
      throw ValidationError(
        "--calibration \(calibration ?? ""): expected self, or self:64x512 for 64 texts of 512 tokens"
      )
    }
    if samples != nil || length != nil {
      throw ValidationError(
        "--calibration \(calibration ?? "") says all; it excludes --samples and --length")
    }
  }

  /// The parts of `self` or `self:64x512`; nil for a file.
  private var own: [Substring]? {
    let parts = calibration?.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    return parts?.first == "self" ? parts : nil
  }

  /// Where the text of a model comes from.
  ///
  /// - Throws: `UserError` where the nano models' file is not installed.
  func source(for model: String) throws -> Source {
    if let own {
      if own.count == 2, let amount = SelfCalibration.Amount(parsing: own[1]) {
        return .own(amount)
      }
      return .own(usual)
    }
    if let calibration { return .file(URL(fileURLWithPath: calibration)) }
    guard let family = NanoModels.family(of: model) else {
      if chatTemplate {
        throw UserError(
          "--chat-template is about a calibration file, which --calibration names; self uses the template by itself"
        )
      }
      return .own(usual)
    }
    guard let file = NanoModels.calibration(for: family, in: Resources.search) else {
      throw UserError(
        "the nano models' calibration text is not installed; give --calibration self or a file")
    }
    return .file(file)
  }

  private var usual: SelfCalibration.Amount {
    let usual = SelfCalibration.Amount.usual
    return SelfCalibration.Amount(
      sequences: samples ?? usual.sequences, tokens: length ?? usual.tokens) ?? usual
  }

  /// Token sequences of a file.
  ///
  /// - Throws: `CompressionError.calibration`, or `TokenizerError` for a template that is missing.
  func sequences(of file: URL, _ checkpoint: Checkpoint) throws -> [[Int32]] {
    var text = try CalibrationText(contentsOf: file)
    let tokenizer = try TextTokenizer(files: checkpoint.modelFiles)
    if chatTemplate {
      let template = try ChatTemplate.load(files: checkpoint.modelFiles)
      text = try text.mapped {
        try tokenizer.prompt(
          ChatConversation(messages: [ChatMessage(role: "user", content: $0)]), template,
          specialText: .isToken
        ).text
      }
    }
    let context = try DecoderSource(checkpoint, families: Known.families).shape.contextLength
    return try text.sequences(
      samples: samples ?? 128, length: min(length ?? 2048, context), file: file.path,
      encode: { tokenizer.encode($0, addSpecialTokens: !chatTemplate) })
  }
}
