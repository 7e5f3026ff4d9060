import ModelLoader
import Tensors

/// A checkpoint and the family that knows its tensors: the parts of a decoder, one at a time.
///
/// A loader takes all parts; a quantizer takes one block, works on it and lets it go.
public struct DecoderSource: Sendable {
  /// The folder the parts come from.
  public let checkpoint: Checkpoint
  /// What the configuration says.
  public let family: any ModelFamily

  /// Reads the configuration and checks that the checkpoint has exactly as many layers as it says.
  ///
  /// - Parameters:
  ///   - checkpoint: where the tensors are.
  ///   - families: those that may answer for it.
  /// - Throws: `ModelError.unknownFamily`, or `.checkpoint` naming the key or tensor.
  public init(
    _ checkpoint: Checkpoint, families: ModelFamilies = .standard
  ) throws(ModelError) {
    self.checkpoint = checkpoint
    family = try families.family(for: checkpoint.config)
    let layers = family.shape.layers
    let beyond = family.prefix(ofLayer: layers)
    if let extra = checkpoint.tensors.keys.sorted().first(where: { $0.hasPrefix(beyond) }) {
      throw .checkpoint(
        .value(
          file: checkpoint.config.file, key: "number of layers",
          expected: "more than \(layers), as tensor \(extra) exists", found: "\(layers)"))
    }
  }

  /// The sizes that hold for all blocks.
  public var shape: DecoderShape { family.shape }

  private var tensors: CheckpointTensors { CheckpointTensors(checkpoint: checkpoint) }

  /// What tokens become.
  ///
  /// - Throws: `ModelError.checkpoint` naming the tensor.
  public func embedding() throws(ModelError) -> TokenEmbedding {
    let tensors = tensors
    return try reading { () throws(CheckpointError) in try family.embedding(from: tensors) }
  }

  /// Block `layer`.
  ///
  /// - Throws: `ModelError.checkpoint` naming the tensor.
  public func block(_ layer: Int) throws(ModelError) -> DecoderBlock {
    let tensors = tensors
    return try reading { () throws(CheckpointError) in try family.block(layer, from: tensors) }
  }

  /// What makes logits of the last block's output.
  ///
  /// - Throws: `ModelError.checkpoint` naming the tensor.
  public func head() throws(ModelError) -> OutputHead {
    let tensors = tensors
    return try reading { () throws(CheckpointError) in try family.head(from: tensors) }
  }

  /// The linear layers of block `layer` with their names and sizes, without weights, once all of
  /// its tensors have been found and have their shapes.
  ///
  /// - Throws: `ModelError.checkpoint` naming the tensor.
  public func describedBlock(_ layer: Int) throws(ModelError) -> DecoderBlock {
    let tensors = TensorDescriptions(of: checkpoint)
    return try reading { () throws(CheckpointError) in try family.block(layer, from: tensors) }
  }

  /// The names of the tensors before the first block, and behind the last one, all of which have
  /// been found.
  ///
  /// - Throws: `ModelError.checkpoint` naming the tensor.
  public func outerTensors() throws(ModelError) -> (first: [String], last: [String]) {
    try reading { () throws(CheckpointError) in
      let (first, last) = (TensorDescriptions(of: checkpoint), TensorDescriptions(of: checkpoint))
      _ = try family.embedding(from: first)
      _ = try family.head(from: last)
      return (first.asked, last.asked)
    }
  }

  /// The format most weights of the blocks are in; reads one block.
  ///
  /// - Throws: `ModelError.checkpoint` naming the tensor.
  public func formatName() throws(ModelError) -> String { try block(0).formatName }

  private func reading<Part>(
    _ body: () throws(CheckpointError) -> Part
  ) throws(ModelError) -> Part {
    do {
      return try body()
    } catch {
      throw .checkpoint(error)
    }
  }
}
