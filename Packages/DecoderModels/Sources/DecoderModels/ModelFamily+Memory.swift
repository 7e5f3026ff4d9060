import MemoryPlanner
import ModelLoader
import Tensors

extension ModelFamily {
  /// The sizes that decide the memory of a model, under a name for messages; no tensor is read.
  ///
  /// - Throws: `ModelError.shape` for a size that the planner's equations cannot hold,
  ///   `.checkpoint` for what the family refuses.
  public func memoryShape(named name: String) throws(ModelError) -> ModelShape {
    do {
      let source = TensorDescriptions(of: nil)
      let (embedding, head) = (try self.embedding(from: source), try self.head(from: source))
      var blocks: [BlockShape] = []
      var isRotatable =
        [shape.hiddenSize, shape.heads.dimension].allSatisfy { Hadamard(width: $0) != nil }
      for layer in 0..<shape.layers {
        let block = try block(layer, from: source)
        isRotatable = isRotatable && block.rotationObstacle("layer \(layer)") == nil
        blocks.append(block.memoryShape)
      }
      var outer = [embedding.projection, head.projection].compactMap { $0?.memoryShape() }
      if let table = embedding.positions?.table {
        outer.append(.init(rows: table.outFeatures, columns: table.inFeatures))
      }
      return try ModelShape(
        name: name, hiddenSize: shape.hiddenSize, embeddingSize: embedding.tokens.inFeatures,
        blocks: blocks, outerLinears: outer, lastNormParameters: head.norm?.parameters ?? 0,
        vocabularySize: shape.vocabularySize, contextLength: shape.contextLength,
        tiesEmbeddings: head.weights == nil, isRotatable: isRotatable && outer.isEmpty)
    } catch let error as CheckpointError {
      throw .checkpoint(error)
    } catch let error as PlannerError {
      throw .shape(error)
    } catch {
      throw .checkpoint(.tensors("\(error)"))
    }
  }
}

extension Linear {
  fileprivate func memoryShape(share: Double = 1) -> BlockShape.Linear {
    .init(
      rows: weights.outFeatures, columns: weights.inFeatures, hasBias: bias != nil, share: share,
      isWide: WeightScheme.wideLayers.contains { name.hasSuffix($0) })
  }
}

extension DecoderBlock {
  fileprivate var memoryShape: BlockShape {
    let state: BlockShape.State =
      switch mixer.state {
      case .keyValues(let heads, let window):
        .keyValues(
          heads: heads.queries, kvHeads: heads.keyValues, dimension: heads.dimension,
          window: window)
      case .fixed(let floats): .fixed(floats: floats)
      }
    // Experts are alike.
    var counts: [BlockShape.Linear: Int] = [:]
    var kinds: [BlockShape.Linear] = []
    for site in sites {
      for linear in site.linears.map({ $0.memoryShape(share: site.share) }) {
        if counts.updateValue((counts[linear] ?? 0) + 1, forKey: linear) == nil {
          kinds.append(linear)
        }
      }
    }
    return BlockShape(
      linears: kinds.map {
        .init(
          rows: $0.rows, columns: $0.columns, hasBias: $0.hasBias, share: $0.share,
          count: counts[$0] ?? 1, isWide: $0.isWide)
      },
      keptLinears: keptLinears.map { $0.memoryShape() }, otherParameters: otherParameters,
      state: state, scratchWidth: mixer.scratchWidth + feedForward.scratchWidth)
  }
}
