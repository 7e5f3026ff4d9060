import ArgumentParser
import Foundation
import KVCaches

extension KVFormat: ExpressibleByArgument {}

/// The flags that say which model to run and how; the same in every command.
public struct ModelFlags: ParsableArguments {
  /// A model's name or folder.
  @Option(
    help: "Model folder, or a name: nano, nano-0.15m, nano-0.5m, nano-1.5m, nano-4m, 0.6b ... 32b.")
  public var model = "nano"

  /// Threads; nil for all processors.
  @Option(help: "Threads to compute with (default: all processors).")
  public var threads: Int?

  /// Format of the KV cache.
  @Option(help: "Format of the KV cache: bf16, or f32 to compare with references (default: bf16).")
  public var kv: KVFormat?

  /// For ArgumentParser.
  public init() {}

  /// Checks what can be checked without a model.
  public func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads \(threads): expected 1 to 1024")
    }
  }

  /// The number of threads to use.
  public var threadCount: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }
}
