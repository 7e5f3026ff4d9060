import DecoderModels
import ModelLoader
import Tensors

/// A weight format of one's own: codes of 6 bits, 4 in 3 bytes, with a scale for each 32 inputs of
/// a row. Products are F32.
struct SixBitWeights: LinearWeights {
  private static let group = 32
  private static let groupBytes = 24

  let outFeatures: Int
  let inFeatures: Int
  /// `[out][groups][24]`.
  private var codes: [UInt8]
  /// `[out][groups]`.
  private var scales: [Float]

  var byteCount: Int { codes.count + scales.count * 4 }
  var formatName: String { "6-bit group \(Self.group)" }
  var bits: Int { 6 }
  private var groups: Int { (inFeatures + Self.group - 1) / Self.group }

  /// Quantizes a matrix, to nearest: scale = largest magnitude / 31.
  init(_ weights: any LinearWeights) {
    (outFeatures, inFeatures) = (weights.outFeatures, weights.inFeatures)
    (codes, scales) = ([], [])
    let values = weights.dequantized()
    for row in 0..<outFeatures {
      for first in stride(from: 0, to: inFeatures, by: Self.group) {
        let some = values[
          row * inFeatures + first..<row * inFeatures + min(first + Self.group, inFeatures)]
        let scale = (some.map(abs).max() ?? 0) / 31
        var bytes = [UInt8](repeating: 0, count: Self.groupBytes + 1)
        for (index, value) in some.enumerated() {
          let code = UInt16(scale > 0 ? Int((value / scale).rounded()) + 32 : 32)
          let shifted = code << (index * 6 % 8)
          bytes[index * 6 / 8] |= UInt8(truncatingIfNeeded: shifted)
          bytes[index * 6 / 8 + 1] |= UInt8(truncatingIfNeeded: shifted >> 8)
        }
        codes += bytes.dropLast()
        scales.append(scale)
      }
    }
  }

  func activations(for numerics: Numerics) -> ActivationScheme { .float }

  func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct {
    let (x, y) = (ReadOnlyMemory(input.rows(on: pool)), DisjointMemory(y))
    let tokens = input.tokens
    return LinearProduct(
      features: outFeatures, tokens: tokens, cost: outFeatures * inFeatures * tokens
    ) { features in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: inFeatures) { buffer in
        guard let row = buffer.baseAddress else { return }
        for feature in features {
          copyRow(feature, into: row)
          for token in 0..<tokens {
            let activations = x + token * inFeatures
            var sum: Float = 0
            for index in 0..<inFeatures { sum += row[index] * activations[index] }
            y[token * outFeatures + feature] = sum
          }
        }
      }
    }
  }

  func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void) { codes.withUnsafeBytes(body) }

  func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    codes.withUnsafeBufferPointer { codes in
      for input in 0..<inFeatures {
        let group = index * groups + input / Self.group
        let bit = input % Self.group * 6
        let byte = group * Self.groupBytes + bit / 8
        let high = bit % 8 > 2 ? UInt16(codes[byte + 1]) << 8 : 0
        let code = (UInt16(codes[byte]) | high) >> (bit % 8) & 63
        target[input] = (Float(code) - 32) * scales[group]
      }
    }
  }
}

/// A checkpoint whose matrices come in that format: where a weight format of one's own is put in.
struct SixBitSource: TensorSource {
  let tensors: CheckpointTensors

  func contains(_ name: String) -> Bool { tensors.contains(name) }

  func matrix(
    _ name: String, rows: Int, columns: Int
  ) throws(CheckpointError) -> any LinearWeights {
    SixBitWeights(try tensors.matrix(name, rows: rows, columns: columns))
  }

  func vector(_ name: String, count: Int) throws(CheckpointError) -> [Float] {
    try tensors.vector(name, count: count)
  }
}
