import ModelLoader

/// One family of models, as the `config.json` of one of them describes it: names the tensors and
/// assembles the parts of the decoder. A family is one file; see `ModelFamilies` for how it becomes
/// known.
public protocol ModelFamily: Sendable {
  /// The values of `model_type` this family answers for.
  static var modelTypes: [String] { get }
  /// What people call its models.
  static var title: String { get }

  /// Reads what a configuration says.
  ///
  /// - Throws: `CheckpointError.value` naming the key that is absent, out of range or
  ///   contradictory.
  init(_ config: JSONObject) throws(CheckpointError)

  /// The sizes that hold for all blocks.
  var shape: DecoderShape { get }

  /// What the names of all tensors of a layer begin with, such as `model.layers.3.`.
  func prefix(ofLayer layer: Int) -> String

  /// What tokens become.
  ///
  /// - Throws: what `source` throws.
  func embedding(from source: any TensorSource) throws(CheckpointError) -> TokenEmbedding

  /// Block `layer`.
  ///
  /// - Throws: what `source` throws.
  func block(_ layer: Int, from source: any TensorSource) throws(CheckpointError) -> DecoderBlock

  /// What makes logits of the last block's output.
  ///
  /// - Throws: what `source` throws.
  func head(from source: any TensorSource) throws(CheckpointError) -> OutputHead
}

extension ModelFamily {
  /// The names in the configuration, where there are no better ones.
  public static var title: String { modelTypes.joined(separator: ", ") }
}

/// The families that a program knows: a value, to which a project can add its own.
public struct ModelFamilies: Sendable {
  /// The families, in the order their names are listed in messages; of two for one model type the
  /// first answers.
  public var families: [any ModelFamily.Type]

  /// These families.
  public init(_ families: [any ModelFamily.Type]) { self.families = families }

  /// Those of this package.
  public static let standard = ModelFamilies([
    Qwen3.self, Qwen3MoE.self, Qwen3Next.self, Qwen35.self, Qwen35MoE.self, Qwen2.self, Llama.self,
    Mistral.self, OPT.self, Falcon.self,
  ])

  /// The values of `model_type` that are known.
  public var modelTypes: [String] { families.flatMap { $0.modelTypes } }
  /// What people call the models of these families.
  public var titles: [String] { families.map { $0.title } }

  /// The family of the model that `config` describes.
  ///
  /// - Throws: `ModelError.unknownFamily`, or `.checkpoint` naming a key.
  public func family(for config: JSONObject) throws(ModelError) -> any ModelFamily {
    do {
      let type = try config.string("model_type")
      if let family = families.first(where: { $0.modelTypes.contains(type) }) {
        try config.refuseOtherKinds()
        return try family.init(config)
      }
      throw ModelError.unknownFamily(
        file: config.file, found: type, reason: RefusedFamily.reason(of: type), known: titles)
    } catch let error as CheckpointError {
      throw .checkpoint(error)
    } catch let error as ModelError {
      throw error
    } catch {
      throw .unknownFamily(file: config.file, found: "\(error)", reason: nil, known: titles)
    }
  }
}

/// The largest values that are believed; anything beyond is a damaged file, not a model.
public enum SaneLimits {
  /// Widths of the residual stream, a head, a feed-forward layer.
  public static let width = 1...1_048_576
  /// Numbers in a head whose state is a matrix.
  public static let headDimension = 1...8_192
  /// Heads, and experts.
  public static let heads = 1...65_536
  /// Blocks.
  public static let layers = 1...4_096
  /// Tokens of a vocabulary.
  public static let vocabulary = 1...16_777_216
  /// Positions.
  public static let context = 1...1_073_741_824
  /// What norms add.
  public static let epsilon = 0.0...1.0
}
