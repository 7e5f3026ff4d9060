import DecoderModels
import KVLayout

/// The model families and evictions that the commands know by name: the one place to add to them.
public enum Known {
  /// What may answer for a `model_type`.
  public static let families = ModelFamilies.standard
  /// What texts of KV policies may name.
  public static let evictions = EvictionCatalog.standard
}
