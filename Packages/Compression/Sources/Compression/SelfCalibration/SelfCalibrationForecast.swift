import DecoderModels
import KVCaches

/// How long writing a calibration text will take on this machine, found out by running two short
/// passes.
public struct SelfCalibrationForecast: Sendable, Hashable {
  /// Seconds to write the text.
  public let writing: Double

  /// A forecast for texts of `amount`, of which `together` are written at a time.
  ///
  /// A step of writing passes one token of every text through the model.
  ///
  /// - Throws: `CompressionError.model` for what the pass objects to.
  public init(
    _ pass: ForwardPass, _ amount: SelfCalibration.Amount, together: Int
  ) throws(CompressionError) {
    let tokens = Double(amount.total)
    writing = try Self.seconds(pass, tokens: together) * tokens / Double(together)
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
