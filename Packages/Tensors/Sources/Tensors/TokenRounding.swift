/// What a model wants done to the activations of a matrix while it runs: each token is rounded by
/// itself, with a scale for the whole row that is found at that moment ("dynamic, per token").
///
/// It is part of a matrix as its weights are; `Numerics.exact` alone leaves activations as they
/// are.
public enum TokenRounding: String, Sendable, Hashable, Codable, CaseIterable {
  /// Integers of 8 bits: scale = max magnitude / 127.
  case int8
  /// Floats of 8 bits (E4M3): scale = max magnitude / 448.
  case float8
  /// Codes of 8 bits between the least and the largest of the row: scale = (max - min) / 255.
  case between8
  /// Codes of 4 bits between the least and the largest of the row: scale = (max - min) / 15.
  case between4

  /// Bits of the codes between least and largest; nil for other forms.
  public var codeBits: Int? {
    switch self {
    case .int8, .float8: nil
    case .between8: 8
    case .between4: 4
    }
  }

  /// Words for the form of a matrix.
  var title: String {
    switch self {
    case .int8, .between8: "8-bit activations"
    case .float8: "FP8 activations"
    case .between4: "4-bit activations"
    }
  }

  /// What activations become for integer codes with one scale a row.
  ///
  /// - Parameter inputs: the length of a row.
  /// - Returns: the form in which kernels take the activations.
  func activations(forRowsOf inputs: Int) -> ActivationScheme {
    switch self {
    case .int8: .int8(group: inputs)
    case .float8: .float8
    case .between8: .between(bits: 8)
    case .between4: .between(bits: 4)
    }
  }
}
