import ArgumentParser
import Foundation
import KVCaches
import DecoderModels
import ModelLoader
import Tensors

/// The flags that say which model to run and how; the same in every command.
public struct ModelFlags: ParsableArguments {
  /// A model's name or folder, where one was given.
  @Option(
    name: [.customShort("m"), .customLong("model")],
    help: ArgumentHelp(
      "Model folder, GGUF file, or a name: nano, nano-0.15m, nano-0.5m, nano-1.5m, nano-4m, 0.6b ... 32b, org/name (default: nano; with --memory what 'plan' advises).",
      valueName: "model"))
  public var named: String?

  /// The model's name or folder.
  public var model: String { named ?? "nano" }

  /// Threads; nil for the default.
  @Option(
    name: .shortAndLong,
    help: "Threads to compute with (default: the job's processors under Slurm, else all).")
  public var threads: Int?

  /// How weights meet activations.
  @Option(
    help:
      "How weights meet activations: auto (by the bits of the weights), fast (what this processor does fastest), exact, int16 (activations quantized to 16 bits for integer weights), int8 (to 8 bits for integer weights and caches, to BF16 for BF16 ones), bf16 (the latter alone), or int8-tiles and bf16-tiles (the same in the order of AMX)."
  )
  public var numerics = NumericsChoice.auto

  /// How the output head is held.
  @Option(
    name: .customLong("head-bits"),
    help:
      "Hold the output head, and an embedding that serves as one, in 16 bits as stored or quantized to 12 or 8 (less memory, faster); auto takes 12 beside weights of 8 bits, 8 beside fewer."
  )
  public var headBits = Automatic<HeadBits>.auto

  /// Whether what is absent is fetched.
  @OptionGroup(title: "Hub")
  public var hub: HubFlags

  /// How the KV cache is stored.
  @OptionGroup(title: "KV cache")
  public var cache: CacheFlags

  /// For ArgumentParser.
  public init() {}

  /// Checks what can be checked without a model.
  public func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads \(threads): expected 1 to 1024")
    }
  }

  /// How the model is computed: what the flags say, and else `standard`.
  public func precision(
    standard: @autoclosure () throws -> ComputePrecision
  ) rethrows -> ComputePrecision {
    if let numerics = numerics.value, let headBits = headBits.value {
      return ComputePrecision(numerics: numerics, headBits: headBits)
    }
    let standard = try standard()
    return ComputePrecision(
      numerics: numerics.value ?? standard.numerics, headBits: headBits.value ?? standard.headBits)
  }

  /// How the model of a folder is computed: what the flags say, and else the default for its
  /// weights.
  ///
  /// - Throws: `ModelError` naming the key or tensor.
  public func precision(of checkpoint: Checkpoint) throws -> ComputePrecision {
    let source = try DecoderSource(checkpoint, families: Known.families)
    guard case .fast = numerics else { return try precision(standard: source.standardPrecision()) }
    let bits = try source.storedBits()
    return ComputePrecision(
      numerics: .fastest(forWeightsOf: bits),
      headBits: headBits.value ?? ComputePrecision.standard(forWeightsOf: bits).headBits)
  }

  /// What the KV cache keeps and how; `format` is for where no flag says another.
  public func kvPolicy(format: KVFormat = .bf16) throws(KVPolicyError) -> KVPolicy {
    try cache.policy(format: format)
  }

  /// The number of threads to use: those asked for, those of the Slurm job (`SLURM_CPUS_ON_NODE`),
  /// or one a processor.
  public var threadCount: Int {
    let job = ProcessInfo.processInfo.environment["SLURM_CPUS_ON_NODE"].flatMap { Int($0) }
    let processors = ProcessInfo.processInfo.activeProcessorCount
    return threads ?? job.map { min(max($0, 1), processors) } ?? processors
  }
}
