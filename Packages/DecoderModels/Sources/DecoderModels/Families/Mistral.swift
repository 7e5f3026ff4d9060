import ModelLoader

/// Mistral 7B and those like it (arXiv:2310.06825): Llama without biases, whose layers see a
/// window.
public struct Mistral: StyledFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["mistral"]
  /// What people call its models.
  public static let title = "Mistral"
  let style: LlamaStyle

  /// Reads what a configuration says; see `ModelFamily`.
  public init(_ config: JSONObject) throws(CheckpointError) {
    style = try LlamaStyle(config, theta: 10_000, window: .mistral)
  }
}
