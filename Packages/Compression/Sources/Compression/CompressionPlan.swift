import MemoryPlanner
import ModelLoader
import Quantizers
import Tensors

/// What becomes of each layer: the settings of the whole run, and rules for single layers.
///
/// A file of rules is JSON; the first rule whose regular expression is found in a layer's name
/// decides, and what it does not say stays as for the whole run:
///
///     {"rules": [
///       {"layers": "layers\\.0\\.", "keep": true},
///       {"layers": "down_proj$", "bits": 8, "group_size": 64}
///     ]}
public struct CompressionPlan: Sendable, Hashable, Codable {
  /// One rule.
  public struct Rule: Sendable, Hashable, Codable {
    /// Regular expression, looked for in names such as `model.layers.3.mlp.down_proj`.
    public let layers: String
    /// Settings of the layers it is found in; nil when they keep their type.
    public let settings: QuantizerSettings?
    /// True for rules of a named scheme, which may decide for no layer.
    public var isOptional: Bool?
  }

  /// Settings of layers that no rule names.
  public let settings: QuantizerSettings
  /// The rules, first to last.
  public let rules: [Rule]
  /// SmoothQuant's strength, 0 to 1; nil for none.
  public var smoothing: Float?
  /// How weights meet activations while calibration text is read; nil for `exact`.
  public var numerics: Numerics? = Self.usualNumerics
  /// As fast as the result allows: `docs/quantization.md` has the measurements.
  public static let usualNumerics = Numerics.int8
  /// Whether residual stream and heads are rotated: where any layer's inputs are.
  public var rotates: Bool {
    ([settings] + rules.compactMap(\.settings)).contains { $0.rotatesInputs == true }
  }

  /// Whether layers may get zero points of their own.
  public var hasZeroPoints: Bool {
    ([settings] + rules.compactMap(\.settings)).contains { $0.grid == .asymmetric }
  }

  /// The form of files that holds what the plan makes.
  public var storage: QuantizationSummary.Method {
    let all = [settings] + rules.compactMap(\.settings)
    if all.contains(where: { $0.activations?.codeBits != nil }) { return .bitbudget }
    if all.allSatisfy({ $0.isFloat8 == true }) { return .floatQuantized }
    if all.allSatisfy({ $0.activations == .int8 }) { return .intQuantized }
    return .packQuantized
  }

  /// One treatment for all layers.
  public init(_ settings: QuantizerSettings) {
    self.settings = settings
    rules = []
  }

  /// A named scheme, on top of settings for order, damping and outliers.
  public init(_ preset: WeightScheme, from base: QuantizerSettings) {
    settings = preset.settings(from: base)
    rules =
      preset.wideSettings(from: base).map {
        let layers = "(\(WeightScheme.wideLayers.joined(separator: "|")))$"
        return [Rule(layers: layers, settings: $0, isOptional: true)]
      } ?? []
  }

  /// All layers keep their type: the files alone are written in another form.
  public static let unchanged = CompressionPlan(
    QuantizerSettings(), rules: [Rule(layers: ".", settings: nil)])

  private init(_ settings: QuantizerSettings, rules: [Rule]) {
    self.settings = settings
    self.rules = rules
  }

  /// Reads a file of rules.
  ///
  /// - Throws: `CompressionError.checkpoint` naming the file and the key; `.rule` for an expression
  ///   that is none.
  public init(
    _ settings: QuantizerSettings, rulesFile bytes: [UInt8], file: String
  ) throws(CompressionError) {
    let objects = try CompressionError.wrapping { () throws(CheckpointError) in
      let object = try JSONObject(parsing: bytes, file: file)
      try Self.refuseUnknown(object, known: ["rules"])
      guard let objects = try object.objectsIfPresent("rules"), !objects.isEmpty else {
        throw object.wrong("rules", expected: "at least one rule")
      }
      return objects
    }
    var rules: [Rule] = []
    for object in objects { rules.append(try Self.rule(object, default: settings)) }
    self.settings = settings
    self.rules = rules
  }

  private static func rule(
    _ object: JSONObject, default settings: QuantizerSettings
  ) throws(CompressionError) -> Rule {
    let (layers, own) = try CompressionError.wrapping { () throws(CheckpointError) in
      try parsed(object, default: settings)
    }
    do throws(LayerPattern.Fault) {
      _ = try LayerPattern(layers)
    } catch {
      throw .rule(
        file: object.file, rule: object.path,
        reason: "'\(layers.prefix(80))' is no regular expression for layers: \(error.reason)")
    }
    do throws(QuantizerError) {
      _ = try own?.quantizer(scaleType: .bf16)
    } catch {
      throw .rule(file: object.file, rule: object.path, reason: "\(error)")
    }
    return Rule(layers: layers, settings: own)
  }

  /// What a rule says: the expression, and the settings, which are none for layers that are kept.
  private static func parsed(
    _ object: JSONObject, default settings: QuantizerSettings
  ) throws(CheckpointError) -> (layers: String, settings: QuantizerSettings?) {
    try refuseUnknown(
      object,
      known: [
        "layers", "keep", "method", "bits", "group_size", "grid", "scales", "damping", "scheme",
        "outliers",
      ])
    let layers = try object.string("layers")
    if try object.boolIfPresent("keep") ?? false {
      try refuseUnknown(object, known: ["layers", "keep"])
      return (layers, nil)
    }
    var own = settings
    if let preset: WeightScheme = try choice("scheme", in: object) {
      own = preset.settings(from: own)
    }
    own.method = try choice("method", in: object) ?? own.method
    own.bits = try object.integerIfPresent("bits", in: 2...8) ?? own.bits
    if let size = try object.integerIfPresent("group_size", in: 0...1 << 20) {
      own.groupSize = size == 0 ? nil : size
    }
    own.grid = try choice("grid", in: object) ?? own.grid
    own.scaleSearch = try choice("scales", in: object) ?? own.scaleSearch
    if let outliers = try object.integerIfPresent("outliers", in: 0...1 << 20) {
      own.outliers = outliers
    }
    if let damping = try object.numberIfPresent("damping", in: 0...1) {
      own.damping = Float(damping)
    }
    return (layers, own)
  }

  private static func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, in object: JSONObject
  ) throws(CheckpointError) -> Choice? where Choice.RawValue == String {
    guard let text = try object.stringIfPresent(key) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      throw object.wrong(
        key, expected: Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return choice
  }

  private static func refuseUnknown(
    _ object: JSONObject, known: Set<String>
  ) throws(CheckpointError) {
    guard let key = object.members.keys.sorted().first(where: { !known.contains($0) }) else {
      return
    }
    throw .value(
      file: object.file, key: object.path.isEmpty ? key : object.path + "." + key,
      expected: "only " + known.sorted().joined(separator: ", "), found: key)
  }

  /// Settings of every layer of `names`, in their order; nil for those that keep their type.
  ///
  /// - Throws: `CompressionError.rule` for a rule that is found in no name: it would be a mistake.
  public func settings(of names: [String]) throws(CompressionError) -> [QuantizerSettings?] {
    var patterns: [LayerPattern] = []
    for (index, rule) in rules.enumerated() {
      do throws(LayerPattern.Fault) {
        patterns.append(try LayerPattern(rule.layers))
      } catch {
        throw .rule(file: nil, rule: "rules[\(index)]", reason: error.reason)
      }
    }
    var used = Set<Int>()
    let chosen: [QuantizerSettings?] = names.map { name in
      guard let index = patterns.firstIndex(where: { $0.isFound(in: name) }) else {
        return settings
      }
      used.insert(index)
      return rules[index].settings
    }
    if let unused = rules.indices.first(where: {
      !used.contains($0) && rules[$0].isOptional != true
    }) {
      throw .rule(
        file: nil, rule: "rules[\(unused)]",
        reason: "'\(rules[unused].layers)' decides for no layer of this model")
    }
    return chosen
  }
}
