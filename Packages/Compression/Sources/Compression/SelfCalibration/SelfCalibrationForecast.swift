import DecoderModels
import KVCaches

/// How long writing a calibration text and quantizing by it will take on this machine, found out by
/// running two short passes.
public struct SelfCalibrationForecast: Sendable, Hashable {
  /// Seconds to write the text.
  public let writing: Double
  /// Seconds to quantize by it.
  public let quantizing: Double

  /// Tokens of a pass that stands for reading a text.
  private static let chunk = 128

  /// A forecast for texts of `amount`, of which `together` are written at a time.
  ///
  /// A step of writing passes one token of every text through the model. Quantizing passes every
  /// token through each block one and two thirds times, and spends about a third of that on second
  /// moments (docs/quantization.md, "Time and memory").
  ///
  /// - Throws: `CompressionError.model` for what the pass objects to.
  public init(
    _ pass: ForwardPass, _ amount: SelfCalibration.Amount, together: Int
  ) throws(CompressionError) {
    let tokens = Double(amount.total)
    writing = try Self.seconds(pass, tokens: together) * tokens / Double(together)
    quantizing =
      try Self.seconds(pass, tokens: Self.chunk) * tokens / Double(Self.chunk) * 5 / 3 * 4 / 3
  }

  private static func seconds(
    _ pass: ForwardPass, tokens: Int
  ) throws(CompressionError) -> Double {
    var best = Double.infinity
    for _ in 0..<2 {
      var caches: [KVCache]
      do throws(KVPolicyError) {
        caches = [try pass.makeCache(meter: KVMeter())]
      } catch {
        throw .cache(error)
      }
      let run = TokenRun(cache: 0, tokens: [Int32](repeating: 0, count: tokens))
      let start = ContinuousClock.now
      try CompressionError.wrapping(
        model: { () throws(ModelError) in
          try pass.run([run], caches: &caches, rows: .all) { _, _, _ in }
        })
      best = min(best, start.duration(to: .now) / .seconds(1))
    }
    return best
  }
}
