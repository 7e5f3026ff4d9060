import Foundation
import ModelLoader

extension RotaryConfig {
  /// Reads `rope_theta` and `rope_scaling`, or `rope_parameters` as newer files nest them.
  ///
  /// - Throws: `CheckpointError.value` naming the key; `.unsupported` for a kind that is not known.
  init(
    config: JSONObject, dimension: Int, defaultTheta: Double, contextLength: Int
  ) throws(CheckpointError) {
    let nested = try config.objectIfPresent("rope_parameters")
    let outer = try config.objectIfPresent("rope_scaling")
    let nestedTheta = try nested?.numberIfPresent("rope_theta", in: 1...1e12)
    let outerTheta = try config.numberIfPresent("rope_theta", in: 1...1e12)
    var scaling = Scaling.none
    if let object = nested ?? outer {
      scaling = try Self.scaling(object, contextLength: contextLength)
    }
    self.init(
      theta: nestedTheta ?? outerTheta ?? defaultTheta, dimension: dimension, scaling: scaling)
  }

  private static func scaling(
    _ object: JSONObject, contextLength: Int
  ) throws(CheckpointError) -> Scaling {
    let (newKey, oldKey) = (
      try object.stringIfPresent("rope_type"), try object.stringIfPresent("type")
    )
    let kind = newKey ?? oldKey ?? "default"
    let positive = Double.leastNonzeroMagnitude...1e12
    func factor() throws(CheckpointError) -> Double { try object.number("factor", in: 1...1e6) }
    func originalContext() throws(CheckpointError) -> Double {
      try object.numberIfPresent("original_max_position_embeddings", in: positive)
        ?? Double(contextLength)
    }
    switch kind {
    case "default":
      return .none
    case "linear":
      return .linear(factor: try factor())
    case "yarn":
      let factor = try factor()
      return .yarn(
        factor: factor, originalContext: try originalContext(),
        betaFast: try object.numberIfPresent("beta_fast", in: positive) ?? 32,
        betaSlow: try object.numberIfPresent("beta_slow", in: positive) ?? 1,
        attentionFactor: try object.numberIfPresent("attention_factor", in: positive)
          ?? 0.1 * log(factor) + 1,
        truncates: try object.boolIfPresent("truncate") ?? true)
    case "llama3":
      return .llama3(
        factor: try factor(),
        lowFactor: try object.number("low_freq_factor", in: positive),
        highFactor: try object.number("high_freq_factor", in: positive),
        originalContext: try originalContext())
    default:
      throw .unsupported(file: object.file, feature: "rope_scaling of type \(kind)")
    }
  }
}
