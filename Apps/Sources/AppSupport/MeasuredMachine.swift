import DecoderModels
import Foundation
import KVCaches
import MemoryPlanner
import ModelLoader
import NanoModels
import Tensors

/// Measures the speed of this machine: a fraction of a second of reading memory, and of passing
/// tokens through the largest shipped model.
public enum MeasuredMachine {
  /// Tokens of a pass.
  private static let tokens = 256

  /// The machine's speed as it is now, by all its processors.
  ///
  /// - Throws: `TensorError.outOfMemory`, or what is wrong with the shipped model's files.
  public static func speed() throws -> MachineSpeed {
    let pool = try ThreadPool(workers: ProcessInfo.processInfo.activeProcessorCount)
    let bandwidth = try MemoryBandwidth(pool)
    let bytes = (0..<3).map { _ in bandwidth.bytesPerSecond() }.max() ?? 0
    return MachineSpeed(
      bytesPerSecond: bytes, multiplyAddsPerSecond: try multiplyAddsPerSecond(pool))
  }

  private static func multiplyAddsPerSecond(_ pool: ThreadPool) throws -> Double? {
    guard let folder = NanoModels.directory(of: NanoModels.defaultName, in: Resources.search) else {
      return nil
    }
    let decoder = try Decoder(Checkpoint(directory: folder, workers: pool.workers))
    let shape = try decoder.family.memoryShape(named: NanoModels.defaultName)
    let pass = ForwardPass(decoder, pool: pool)
    var best = Double.infinity
    for _ in 0..<3 {
      var caches = [try pass.makeCache(meter: KVMeter())]
      let run = TokenRun(cache: 0, tokens: [Int32](repeating: 1, count: tokens), endsPrompt: false)
      let time = try ContinuousClock().measure {
        try pass.run([run], caches: &caches, rows: .last) { _, _, _ in }
      }
      best = min(best, time / .seconds(1))
    }
    return Double(shape.linearParameters * tokens) / best
  }
}
