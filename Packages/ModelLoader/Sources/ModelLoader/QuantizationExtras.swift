import JSON
import Tensors

/// What a `quantization_config` asks for beyond the weights of linear layers.
enum QuantizationExtras {
  /// Makes sure that nothing is asked for without which the weights are wrong.
  ///
  /// - Throws: `.unsupported` naming the key.
  static func refuse(in description: JSONObject) throws(CheckpointError) {
    // Rotations of activations while the model runs (compressed-tensors, `transform/`).
    if let transforms = description.members["transform_config"]?["config_groups"]?.object,
      !transforms.isEmpty
    {
      throw .unsupported(
        file: description.file, feature: "transform_config, which rotates activations,")
    }
    // Low-rank matrices that are added to the weights (GPTQModel, `adapter/`).
    if description.has("adapter") {
      throw .unsupported(file: description.file, feature: "an adapter beside quantized weights")
    }
    let layout = description.members["sparsity_config"]?["format"]?.string ?? "dense"
    guard layout == "dense" else {
      throw .unsupported(file: description.file, feature: "weights stored as \(layout)")
    }
    for (name, group) in groups(of: description) where isPresent(group["output_activations"]) {
      throw .unsupported(
        file: description.file, feature: "config_groups.\(name).output_activations")
    }
  }

  /// What is asked for and not done, though the model works without: values that stay more exact
  /// than they would be elsewhere.
  static func unapplied(in description: JSONObject, followed: TokenRounding?) -> [String] {
    var found: [String] = []
    if isPresent(description.members["kv_cache_scheme"]) {
      found.append("kv_cache_scheme: the cache is kept as --kv says")
    }
    let asks =
      groups(of: description).contains { isPresent($0.group["input_activations"]) }
      || description.members["activation_scheme"]?.string != nil
    if asks, followed == nil {
      found.append("the rounding of activations: they stay as they are")
    }
    return found
  }

  private static func groups(of description: JSONObject) -> [(name: String, group: JSONValue)] {
    let groups = description.members["config_groups"]?.object ?? [:]
    return groups.keys.map { ($0, groups[$0] ?? .null) }
  }

  private static func isPresent(_ value: JSONValue?) -> Bool { value.map { !$0.isNull } ?? false }
}

extension Checkpoint {
  /// What the configuration of the quantization asks for and is not done, in words, for warnings.
  ///
  /// - Throws: as `quantization()`.
  public func unappliedQuantization() throws(CheckpointError) -> [String] {
    let key = quantizationKey(of: config)
    guard let summary = try quantization(), let description = try config.objectIfPresent(key) else {
      return []
    }
    let followed = summary.schemes.lazy.compactMap(\.activations).first
    return QuantizationExtras.unapplied(in: description, followed: followed).map { "\(key): \($0)" }
  }
}
