import DecoderModels
import Foundation
import MemoryPlanner
import Tensors

/// Measures the speed of this machine: a fraction of a second of reading memory, and of multiplying
/// tokens with matrices held as the weights on offer are.
public enum MeasuredMachine {
  /// Tokens of a product, and rows and columns of its matrix.
  private static let (tokens, width) = (256, 1024)

  /// The machine's speed as it is now, by all its processors.
  ///
  /// - Parameter precisions: the weights on offer.
  /// - Returns: the best of three readings each.
  /// - Throws: `TensorError.outOfMemory`.
  public static func speed(with precisions: [WeightPrecision]) throws -> MachineSpeed {
    let pool = try ThreadPool(workers: ProcessInfo.processInfo.activeProcessorCount)
    let bandwidth = try MemoryBandwidth(pool)
    let bytes = (0..<3).map { _ in bandwidth.bytesPerSecond() }.max() ?? 0
    var products: [WeightPrecision: Double] = [:]
    for precision in precisions {
      products[precision] = try multiplyAddsPerSecond(precision, pool)
    }
    return MachineSpeed(bytesPerSecond: bytes, multiplyAddsPerSecond: products)
  }

  private static func multiplyAddsPerSecond(
    _ precision: WeightPrecision, _ pool: ThreadPool
  ) throws -> Double {
    let weights = try SampleWeights.matrix(precision, rows: width, columns: width)
    let input = (0..<tokens * width).map { Float($0 % 251) / 125 - 1 }
    var output = [Float](repeating: 0, count: tokens * width)
    let numerics = ComputePrecision.standard(forWeightsOf: precision.bits).numerics
    var best = Double.infinity
    input.withUnsafeBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        guard let x = input.baseAddress, let y = output.baseAddress else { return }
        for _ in 0..<3 {
          let time = ContinuousClock().measure {
            let rows = LinearInput(x, tokens: tokens, width: width, numerics: numerics)
            weights.multiply(rows, into: y, on: pool)
          }
          best = min(best, time / .seconds(1))
        }
      }
    }
    return Double(tokens * width * width) / best
  }
}
