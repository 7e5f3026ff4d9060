import Foundation
import DecoderModels
import Tensors

/// SmoothQuant: channels whose activations are large are divided by a number each, in the norm that
/// gives them, and the weights that read them multiplied by it, so that both are easy to round. The
/// model computes what it did.
///
/// Source: arXiv:2211.10438, eq. 4, with the largest magnitudes of both sides; smoothed are the
/// inputs of q, k, v and of gate, up (or of what a family has in their place), where one norm gives
/// them. Inputs that a router or a gate reads too stay.
public struct Smoothing: Sendable, Hashable {
  /// What part of the difficulty moves to the weights, 0 to 1.
  public let strength: Float

  /// Smoothing of this strength.
  public init(strength: Float) { self.strength = strength }

  private static let least: Float = 1e-5

  /// Divisors of the channels: `max|x|^strength / max|w|^(1 - strength)`, at least 1e-5.
  ///
  /// - Parameters:
  ///   - activations: the largest magnitude of each channel.
  ///   - weights: the largest magnitude of the weights that read it.
  /// - Returns: one for each channel.
  public func divisors(activations: [Float], weights: [Float]) -> [Float] {
    zip(activations, weights).map { x, w in
      let (x, w) = (Double(x), Double(max(w, Self.least)))
      let exact = pow(x, Double(strength)) / pow(w, 1 - Double(strength))
      return max(Float(exact), Self.least)
    }
  }

  /// Smooths the channels that a norm of a block gives, in all layers that read them.
  ///
  /// The norm's new weights are rounded to the type that they will be stored in first; what the
  /// layers are multiplied by is what has truly become of them, so that rounding costs nothing.
  ///
  /// - Parameters:
  ///   - norm: its index.
  ///   - block: changed in place.
  ///   - largest: of each channel the largest magnitude that calibration met.
  ///   - type: that norms are stored in.
  /// - Returns: what the channels were divided by.
  /// - Throws: `TensorError` when memory is short.
  func smooth(
    norm: Int, of block: inout DecoderBlock, largest: [Float], storedAs type: DType
  ) throws(TensorError) -> [Float] {
    var sites = block.sites
    let readers = sites.indices.filter { sites[$0].norm == norm }
    var weights = [Float](repeating: 0, count: largest.count)
    for linear in readers.flatMap({ sites[$0].linears }) {
      for (index, value) in linear.weights.dequantized().enumerated() {
        weights[index % largest.count] = max(weights[index % largest.count], abs(value))
      }
    }
    let wanted = divisors(activations: largest, weights: weights)
    let old = block.norms[norm]
    let new = zip(old.weight, wanted).map { weight, divisor in
      Self.rounded(weight / divisor - old.offset, to: type) + old.offset
    }
    let divisors = zip(old.weight, new).map { old, new in
      let divisor = old / new
      return divisor.isFinite && divisor > 0 ? divisor : 1
    }
    block.norms[norm].weight = zip(zip(old.weight, new), divisors).map { pair, divisor in
      divisor == 1 ? pair.0 : pair.1
    }
    block.norms[norm].bias = old.bias.map { bias in zip(bias, divisors).map { $0 / $1 } }
    for site in readers {
      for index in sites[site].linears.indices {
        try sites[site].linears[index].change { values, width in
          for at in values.indices { values[at] *= divisors[at % width] }
        }
      }
    }
    block.sites = sites
    return divisors
  }

  /// A number as a type holds it.
  private static func rounded(_ value: Float, to type: DType) -> Float {
    switch type {
    case .f16: return Float(Float16(value))
    case .bf16:
      let bits = value.bitPattern
      return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
    default: return value
    }
  }
}

extension Linear {
  /// Changes the weights, `[out, in]` row-major with `in` of a row; they are F32 then.
  ///
  /// - Throws: `TensorError` when memory is short.
  mutating func change(_ body: (inout [Float], Int) -> Void) throws(TensorError) {
    var values = weights.dequantized()
    body(&values, weights.inFeatures)
    weights = try WeightPacking.pack(
      Tensor(values, shape: [weights.outFeatures, weights.inFeatures]), name: name)
  }
}
