import Foundation
import TextGeneration
import KVCaches
import ModelLoader
import DecoderModels
import NanoModels
import SystemCalls
import Tensors
import Tokenizer

/// A model in memory with everything a command needs to talk to it.
public struct LoadedModel {
  /// The folder as opened.
  public let checkpoint: Checkpoint
  /// The weights.
  public let decoder: Decoder
  /// How it is computed.
  public let precision: ComputePrecision
  /// The forward pass on the threads asked for.
  public let pass: ForwardPass
  let pool: ThreadPool
  /// Nil where the folder has no tokenizer files.
  public let tokenizer: TextTokenizer?
  /// Seconds it took to read everything.
  public let loadSeconds: Double

  /// Opens and reads a model, to be computed on the threads of `pool`, or else on as many of its
  /// own as the flags say.
  ///
  /// - Throws: what is wrong, naming the file, tensor or key.
  public init(_ flags: ModelFlags, on pool: ThreadPool? = nil) throws {
    try self.init(flags, Checkpoint(flags), on: pool)
  }

  /// Reads the model of a folder that is open, to be computed as `precision` says, or else the
  /// flags.
  ///
  /// - Throws: what is wrong, naming the file, tensor or key.
  public init(
    _ flags: ModelFlags, _ checkpoint: Checkpoint, precision: ComputePrecision? = nil,
    on pool: ThreadPool? = nil
  ) throws {
    let started = Date()
    self.checkpoint = checkpoint
    let limits = MemoryLimits.now()
    guard checkpoint.storedBytes <= limits.bytes else {
      throw UserError(
        "\(checkpoint.modelName): the weights take \(Text.bytes(checkpoint.storedBytes)); \(Text.bytes(limits.bytes)) are left, by the \(limits.bound.rawValue)"
      )
    }
    tokenizer = try Self.tokenizer(of: checkpoint)
    let special = try checkpoint.specialTokenIDs()
    for setting in tokenizer?.configuration.unapplied ?? [] {
      Console.note("warning: tokenizer_config.json: not applied: \(setting)")
    }
    for setting in try checkpoint.unappliedQuantization() + checkpoint.config.unappliedKeys {
      Console.note("warning: config.json: not applied: \(setting)")
    }
    let size = Text.bytes(checkpoint.storedBytes)
    let progress = ProgressLine("loading \(size), block")
    // Short waits need no words; the embedding, which is read first, has no parts to be counted.
    let words = DispatchWorkItem { Console.note("loading \(size)") }
    DispatchQueue.global().asyncAfter(deadline: .now() + 1, execute: words)
    defer { words.cancel() }
    let precision = try precision ?? flags.precision(of: checkpoint)
    self.precision = precision
    decoder = try Decoder(checkpoint, families: Known.families, headBits: precision.headBits) {
      done, total in
      guard done > 0 else { return }
      words.cancel()
      if -started.timeIntervalSinceNow > 1 { progress.show(done, of: total) }
    }
    try Interrupts.check()
    let tokens = min(decoder.shape.vocabularySize, tokenizer?.vocabularySize ?? .max)
    for stranger in special.strangers(vocabulary: tokens) { Console.note("warning: \(stranger)") }
    self.pool = try pool ?? ThreadPool(workers: flags.threadCount)
    pass = ForwardPass(decoder, pool: self.pool, numerics: precision.numerics)
    // What reading took; the tokenizer's file alone is larger than all that is kept of it.
    ProcessHeap.giveBack()
    loadSeconds = Date().timeIntervalSince(started)
  }

  /// The tokenizer of a model that need not be loaded; nil where its folder has none.
  ///
  /// - Throws: what is wrong with its files.
  public static func tokenizer(of checkpoint: Checkpoint) throws -> TextTokenizer? {
    let files = checkpoint.modelFiles
    return files.hasAny(of: TextTokenizer.vocabularyFiles) ? try TextTokenizer(files: files) : nil
  }

  /// The tokenizer.
  ///
  /// - Throws: `UserError` where the folder has none.
  public func requireTokenizer() throws -> TextTokenizer {
    guard let tokenizer else {
      throw UserError(
        "\(checkpoint.directory.path): has no tokenizer files; only --ids can be used")
    }
    return tokenizer
  }

  /// The tokens that end a text, by `generation_config.json`, `config.json` and the tokenizer.
  ///
  /// - Throws: `CheckpointError.value` for a bad file.
  public func stopTokens() throws -> Set<Int32> {
    try Self.stopTokens(of: checkpoint, tokenizer)
  }

  /// The same for a model that is not loaded.
  ///
  /// - Throws: `CheckpointError.value` for a bad file.
  public static func stopTokens(
    of checkpoint: Checkpoint, _ tokenizer: TextTokenizer?
  ) throws -> Set<Int32> {
    let ends = try checkpoint.specialTokenIDs().ends
    // Ids that are no tokens end nothing, as was said when the model was loaded.
    if !ends.isEmpty { return Set(ends.compactMap { Int32(exactly: $0) }) }
    return tokenizer?.eosTokenID.map { [$0] } ?? []
  }

  /// The model's thinking tags, where its tokenizer has them.
  public var thinkingTags: ThinkingTags? {
    guard let open = tokenizer?.id(of: "<think>"), let close = tokenizer?.id(of: "</think>") else {
      return nil
    }
    return ThinkingTags(open: open, close: close)
  }

  /// The formats of blocks and head and the numerics, for messages.
  public var storage: String {
    "\(decoder.formatName), head \(decoder.head.formatName), \(precision.numerics.rawValue)"
  }

  /// The model's name.
  public var name: String { checkpoint.modelName }

  /// Ids from here on have no token: padding rows of the head.
  public var tokenLimit: Int { tokenizer?.vocabularySize ?? Int.max }
}

extension Checkpoint {
  /// Opens the folder that flags name.
  ///
  /// - Throws: what is wrong, naming the file or key.
  public init(_ flags: ModelFlags) throws {
    try self.init(
      directory: ModelFolder.resolve(flags.model, flags.hub.use), workers: flags.threadCount)
  }

  /// The files of the tokenizer and the chat template.
  public var modelFiles: ModelFiles {
    ModelFiles(place: directory.path, exists: hasCompanionFile) { name throws(TokenizerError) in
      do { return try companionFile(name) } catch {
        let file = "\(directory.path)/\(name)"
        throw .unreadable(file: file, reason: "\(error)".replacing("\(file): ", with: ""))
      }
    }
  }

  /// The model's name: see `ModelFolder.name(of:)`.
  public var modelName: String { ModelFolder.name(of: directory) }
}
