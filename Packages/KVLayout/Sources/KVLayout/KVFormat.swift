/// How the keys or the values of a KV cache are stored.
public enum KVFormat: String, Sendable, Hashable, Codable, CaseIterable {
  /// Two bytes a value, as the paper charges it (arXiv:2510.10964, Appendix A).
  case bf16
  /// Four bytes a value; for comparing with references that compute in F32.
  case f32
  /// Codes of 8 bits in groups that share a scale.
  case int8
  /// Codes of 4 bits in groups that share a scale.
  case int4
  /// Codes of 2 bits in groups that share a scale.
  case int2

  /// Bits one stored value takes, scales not counted.
  public var bits: Int {
    switch self {
    case .f32: 32
    case .bf16: 16
    case .int8: 8
    case .int4: 4
    case .int2: 2
    }
  }

  /// Whether values are rounded to codes.
  public var isQuantized: Bool { bits < 16 }

  /// Reads a format's name, which may stand in a longer text.
  ///
  /// - Throws: `KVPolicyError.invalidFormat`, which says what is meant by a name of another program.
  public init(parsing name: String, in text: String? = nil) throws(KVPolicyError) {
    if let format = Self(rawValue: name) {
      self = format
      return
    }
    let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
    let nearest = Self(foreignName: name).map { "; \($0.rawValue) is what comes nearest" } ?? ""
    throw .invalidFormat(
      text: text ?? name, reason: "\"\(name)\" is no format\(nearest); expected \(known)")
  }

  /// The format that comes nearest to what another program calls its own: `q8_0`, `fp8_e4m3`,
  /// `turbo3`, `FP16`; of as many bits or more. Nil for other words.
  init?(foreignName: String) {
    let name = foreignName.lowercased()
    if let own = Self(rawValue: name) {
      self = own
      return
    }
    switch name {
    case "f16", "fp16", "float16", "half", "bfloat16", "auto", "none", "full", "16": self = .bf16
    case "fp32", "float32", "float": self = .f32
    default:
      let families = [
        "q", "iq", "fp", "int", "uint", "turbo", "turboquant", "tq", "nvfp", "mxfp", "nf", "",
      ]
      let digits = name.drop { !$0.isNumber }
      guard families.contains(String(name.prefix(name.count - digits.count))),
        let bits = digits.first?.wholeNumberValue, (1...8).contains(bits),
        digits.dropFirst().first?.isNumber != true
      else { return nil }
      self = bits > 4 ? .int8 : bits > 2 ? .int4 : .int2
    }
  }
}
