import Foundation
import ModelLoader

extension RotaryConfig {
  /// Reads `rope_theta` and `rope_scaling`, or `rope_parameters` as newer files nest them.
  ///
  /// - Parameters:
  ///   - config: `config.json`, or its part on the text model.
  ///   - dimension: numbers in a head.
  ///   - defaultTheta: base of the frequencies where the file names none.
  ///   - partialFactor: the part of a head that is rotated where the file names none; nil for
  ///     families that rotate all of it.
  ///   - contextLength: what scalings refer to where the file names nothing else.
  /// - Throws: `CheckpointError.value` naming the key; `.unsupported` for a kind that is not known.
  init(
    config: JSONObject, dimension: Int, defaultTheta: Double, partialFactor: Double? = nil,
    contextLength: Int
  ) throws(CheckpointError) {
    let nested = try Self.parameters(config)
    let outer = try config.objectIfPresent("rope_scaling")
    let nestedTheta = try nested?.numberIfPresent("rope_theta", in: 1...1e12)
    let outerTheta = try config.numberIfPresent("rope_theta", in: 1...1e12)
    var scaling = Scaling.none
    if let object = nested ?? outer {
      scaling = try Self.scaling(object, dimension: dimension, contextLength: contextLength)
    }
    var factor = partialFactor ?? 1
    for object in [config, nested ?? outer].compactMap({ $0 }) {
      let found = try object.numberIfPresent("partial_rotary_factor", in: 0...1)
      guard partialFactor != nil || found ?? 1 == 1 else {
        throw .unsupported(file: object.file, feature: "partial_rotary_factor other than 1")
      }
      factor = found ?? factor
    }
    let rotated = Int(Double(dimension) * factor)
    guard rotated >= 2, rotated % 2 == 0 else {
      throw (nested ?? outer ?? config).wrong(
        "partial_rotary_factor", expected: "an even number of the \(dimension) values of a head")
    }
    self.init(
      theta: nestedTheta ?? outerTheta ?? defaultTheta, dimension: rotated, scaling: scaling)
  }

  /// `rope_parameters`, or those of full attention where the file has some for each kind of layer,
  /// which have to be the same for all kinds that it has.
  private static func parameters(
    _ config: JSONObject
  ) throws(CheckpointError) -> JSONObject? {
    guard let object = try config.objectIfPresent("rope_parameters") else { return nil }
    let isByKind = object.members.values.contains { if case .object = $0 { true } else { false } }
    guard isByKind else { return object }
    let full = try object.object("full_attention")
    for kind in Set(try config.stringsIfPresent("layer_types") ?? []).sorted() {
      guard let own = object.members[kind]?.object, own != full.members else { continue }
      throw .unsupported(
        file: object.file, feature: "\(object.path).\(kind) other than that of full_attention")
    }
    return full
  }

  /// What YaRN multiplies cosines and sines with: as given, or by the `mscale` keys of DeepSeek, of
  /// which both have to be there and not 0.
  private static func attentionFactor(
    _ object: JSONObject, factor: Double
  ) throws(CheckpointError) -> Double {
    let range = 0.0...1e12
    if let given = try object.numberIfPresent("attention_factor", in: range) { return given }
    func magnitude(_ scale: Double) -> Double {
      factor <= 1 ? 1 : 0.1 * scale * Foundation.log(factor) + 1
    }
    let scale = try object.numberIfPresent("mscale", in: range) ?? 0
    let scaleAll = try object.numberIfPresent("mscale_all_dim", in: range) ?? 0
    return scale > 0 && scaleAll > 0 ? magnitude(scale) / magnitude(scaleAll) : magnitude(1)
  }

  private static func scaling(
    _ object: JSONObject, dimension: Int, contextLength: Int
  ) throws(CheckpointError) -> Scaling {
    let (newKey, oldKey) = (
      try object.stringIfPresent("rope_type"), try object.stringIfPresent("type")
    )
    if newKey == nil, oldKey == nil, object.has("factor") {
      throw object.wrong("rope_type", expected: "the kind of scaling that factor belongs to")
    }
    if object.has("llama_4_scaling_beta") {
      throw .unsupported(file: object.file, feature: "\(object.path).llama_4_scaling_beta")
    }
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
        attentionFactor: try attentionFactor(object, factor: factor),
        truncates: try object.boolIfPresent("truncate") ?? true)
    case "llama3":
      return .llama3(
        factor: try factor(),
        lowFactor: try object.number("low_freq_factor", in: positive),
        highFactor: try object.number("high_freq_factor", in: positive),
        originalContext: try originalContext())
    case "longrope":
      return try longRope(
        object, dimension: dimension, contextLength: contextLength,
        originalContext: try originalContext())
    default:
      throw .unsupported(file: object.file, feature: "rope_scaling of type \(kind)")
    }
  }

  /// One list of factors for short texts and one for long ones. A text that grows from one to the
  /// other would have to be computed again, so both have to be the same.
  private static func longRope(
    _ object: JSONObject, dimension: Int, contextLength: Int, originalContext: Double
  ) throws(CheckpointError) -> Scaling {
    func factors(_ key: String) throws(CheckpointError) -> [Double] {
      let values = (try object.arrayIfPresent(key) ?? []).compactMap { value -> Double? in
        switch value {
        case .integer(let number) where number > 0: Double(number)
        case .number(let number) where number > 0 && number.isFinite: number
        default: nil
        }
      }
      guard values.count == dimension / 2 else {
        throw object.wrong(key, expected: "\(dimension / 2) numbers above 0")
      }
      return values
    }
    let (short, long) = (try factors("short_factor"), try factors("long_factor"))
    guard short == long else {
      throw .unsupported(
        file: object.file,
        feature:
          "rope_scaling of type longrope with other factors for long texts than for short ones")
    }
    let given = try object.numberIfPresent("attention_factor", in: 0...1e12)
    let stretch = Double(contextLength) / originalContext
    let usual =
      stretch <= 1
      ? 1 : (1 + Foundation.log(stretch) / Foundation.log(originalContext)).squareRoot()
    return .longRope(factors: short, attentionFactor: given ?? usual)
  }
}
