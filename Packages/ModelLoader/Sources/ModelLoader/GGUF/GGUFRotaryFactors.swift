import Foundation
import JSON
import Tensors

/// The tensor `rope_freqs.weight` of a GGUF file: what each rotary frequency is divided by. Llama
/// 3.1 and later have it instead of keys of their scaling.
///
/// Source: ikawrakow/ik_llama.cpp, convert_hf_to_gguf.py (Llama 3.1: computed in F32 from the keys
/// of `rope_scaling`).
struct GGUFRotaryFactors {
  /// The name of the tensor.
  static let tensorName = "rope_freqs.weight"
  private let values: [Float]

  /// Reads the factors of a file.
  ///
  /// - Throws: `.tensor` for another type or values that cannot divide; `.truncated`, `.changed`.
  init(_ entry: GGUFHeader.Entry, in source: any ByteSource) throws(CheckpointError) {
    func wrong(_ reason: String) -> CheckpointError {
      .tensor(file: source.file, tensor: entry.name, reason: reason)
    }
    guard entry.type == .plain(.f32), entry.shape.count == 1, entry.range.count <= 1 << 20 else {
      throw wrong("\(entry.type.name) \(entry.shape); F32 of one dimension expected")
    }
    let bytes = try source.bytes(entry.range, of: "tensor \(entry.name)")
    values = bytes.withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map {
        Float(
          bitPattern: UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
      }
    }
    if let position = values.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
      throw wrong("element \(position) is \(values[position]); a number above 0 expected")
    }
  }

  /// The factors as `rope_scaling` of `config.json`: as Llama 3.1 names them where they are those
  /// that its keys give, else one by one. `dimension` values are rotated in each head, `theta` is
  /// the base of the frequencies, and `context` the length of the longest text.
  ///
  /// - Throws: `.tensor` where there is not one for each pair.
  func scaling(
    dimension: Int, theta: Double, context: Int, file: String
  ) throws(CheckpointError) -> JSONValue {
    guard values.count == dimension / 2 else {
      throw .tensor(
        file: file, tensor: Self.tensorName,
        reason: "\(values.count) factors; \(dimension / 2) expected, one for each rotated pair")
    }
    if let factor = llama3Factor(dimension: dimension, theta: theta) {
      return .object([
        "rope_type": .string("llama3"), "factor": .number(factor),
        "low_freq_factor": .number(Self.bands.low), "high_freq_factor": .number(Self.bands.high),
        "original_max_position_embeddings": .integer(Int(Self.bands.context)),
      ])
    }
    let factors = JSONValue.array(values.map { .number(Double("\($0)") ?? Double($0)) })
    return .object([
      "rope_type": .string("longrope"), "short_factor": factors, "long_factor": factors,
      "attention_factor": .number(1), "original_max_position_embeddings": .integer(context),
    ])
  }

  /// The bands of all Llama models from 3.1 on, which differ only in the factor.
  private static let bands = (low: 1.0, high: 4.0, context: 8192.0)

  /// The factor of Llama 3.1's scaling that gives these values; nil where none does.
  private func llama3Factor(dimension: Int, theta: Double) -> Double? {
    guard let factor = values.max().map(Double.init) else { return nil }
    let expected = Self.ofBands(
      factor: factor, low: Self.bands.low, high: Self.bands.high, context: Self.bands.context,
      dimension: dimension, theta: theta)
    let isSame = zip(values, expected).allSatisfy { abs(Double($0) / $1 - 1) < 1e-5 }
    return isSame ? factor : nil
  }

  /// What Llama 3.1's scaling divides the frequencies by: 1 for wavelengths below `context / high`,
  /// `factor` above `context / low`, a ramp between.
  static func ofBands(
    factor: Double, low: Double, high: Double, context: Double, dimension: Int, theta: Double
  ) -> [Double] {
    (0..<dimension / 2).map { pair in
      let wavelength = 2 * Double.pi * Foundation.pow(theta, Double(2 * pair) / Double(dimension))
      let smooth = min(max((context / wavelength - low) / (high - low), 0), 1)
      return 1 / ((1 - smooth) / factor + smooth)
    }
  }
}
