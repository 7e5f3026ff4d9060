import Foundation

/// Rotary position embedding with half-split pairs, and its published scalings.
///
/// Source: `modeling_rope_utils.py` of huggingface/transformers; YaRN: arXiv:2309.00071.
public struct RotaryConfig: Sendable, Hashable {
  /// How the frequencies are stretched for longer contexts.
  public enum Scaling: Sendable, Hashable {
    case none
    /// All frequencies divided by `factor`.
    case linear(factor: Double)
    /// Low frequencies divided by `factor`, high ones kept, a ramp between; cosines and sines times
    /// `attentionFactor`.
    case yarn(
      factor: Double, originalContext: Double, betaFast: Double, betaSlow: Double,
      attentionFactor: Double, truncates: Bool)
    /// The three bands of Llama 3.1.
    case llama3(factor: Double, lowFactor: Double, highFactor: Double, originalContext: Double)
    /// Every frequency divided by a factor of its own, `[dimension / 2]`; cosines and sines times
    /// `attentionFactor`.
    case longRope(factors: [Double], attentionFactor: Double)
  }

  /// Base of the frequencies.
  public var theta: Double
  /// Values rotated in each head; even.
  public var dimension: Int
  /// The scaling.
  public var scaling: Scaling

  /// An embedding of these parts.
  public init(theta: Double, dimension: Int, scaling: Scaling = .none) {
    self.theta = theta
    self.dimension = dimension
    self.scaling = scaling
  }

  /// One frequency for each rotated pair, `[dimension / 2]`, in radians a token.
  public var frequencies: [Float] {
    let half = dimension / 2
    let plain = (0..<half).map { 1 / Foundation.pow(theta, Double(2 * $0) / Double(dimension)) }
    switch scaling {
    case .none:
      return plain.map { Float($0) }
    case .linear(let factor):
      return plain.map { Float($0 / factor) }
    case .yarn(let factor, let context, let fast, let slow, _, let truncates):
      let (low, high) = yarnBounds(context: context, fast: fast, slow: slow, truncates: truncates)
      return plain.enumerated().map { index, frequency in
        let ramp = min(max((Double(index) - low) / (high - low), 0), 1)
        return Float(frequency / factor * ramp + frequency * (1 - ramp))
      }
    case .llama3(let factor, let low, let high, let context):
      return plain.map { frequency in
        let wavelength = 2 * Double.pi / frequency
        if wavelength < context / high { return Float(frequency) }
        if wavelength > context / low { return Float(frequency / factor) }
        let smooth = (context / wavelength - low) / (high - low)
        return Float((1 - smooth) * frequency / factor + smooth * frequency)
      }
    case .longRope(let factors, _):
      return zip(plain, factors).map { Float($0 / $1) }
    }
  }

  /// The factor of all cosines and sines.
  public var amplitude: Float {
    switch scaling {
    case .yarn(_, _, _, _, let factor, _), .longRope(_, let factor): Float(factor)
    case .none, .linear, .llama3: 1
    }
  }

  private func yarnBounds(
    context: Double, fast: Double, slow: Double, truncates: Bool
  ) -> (low: Double, high: Double) {
    func correction(_ rotations: Double) -> Double {
      Double(dimension) * Foundation.log(context / (rotations * 2 * Double.pi))
        / (2 * Foundation.log(theta))
    }
    var (low, high) = (correction(fast), correction(slow))
    if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    low = max(low, 0)
    high = min(high, Double(dimension - 1))
    return (low, low == high ? high + 0.001 : high)
  }
}
