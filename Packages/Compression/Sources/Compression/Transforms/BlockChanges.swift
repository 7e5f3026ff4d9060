import DecoderModels
import ModelLoader
import Quantizers
import Tensors

extension Smoothing {
  /// Makes sure that a model has norms whose outputs can be divided.
  ///
  /// - Throws: `CompressionError.transform` where there is none.
  func check(_ source: DecoderSource) throws(CompressionError) {
    guard strength >= 0, strength <= 1 else {
      throw .transform(
        name: "smoothing", reason: "a strength of \(strength); expected 0 to 1")
    }
    let block = try CompressionError.wrapping(
      model: { () throws(ModelError) in try source.describedBlock(0) })
    guard block.sites.indices.contains(where: { norm(of: $0, in: block) != nil }) else {
      throw .transform(
        name: "smoothing", reason: "no norm of this model stands before linear layers alone")
    }
  }

  /// The norm that gives the input of a site, where nothing but linear layers reads it that can be
  /// changed with it: neither a router nor gates, and no experts, which one divisor for all would
  /// harm.
  func norm(of site: Int, in block: DecoderBlock) -> Int? {
    guard let norm = block.sites[site].norm, block.norms[norm].name != nil else { return nil }
    let readers = block.sites.indices.filter { block.sites[$0].norm == norm }
    let count = block.mixer.sites.count
    let isFree = readers.allSatisfy { reader in
      block.sites[reader].share == 1
        && (reader < count ? block.mixer.keptLinears : block.feedForward.keptLinears).isEmpty
    }
    return isFree ? norm : nil
  }
}

extension CalibrationActivations.Moments {
  /// Those of inputs that are each divided by a number.
  ///
  /// - Throws: `QuantizerError` where the second moments are not finite then.
  mutating func divide(by divisors: [Float]) throws(QuantizerError) {
    hessian = try hessian?.divided(by: divisors)
    largest = zip(largest, divisors).map { $0 / $1 }
  }
}

extension BlockStore.Block {
  /// Gives a block the norms that are stored.
  ///
  /// - Throws: `TensorError` for a tensor that is no vector of floats.
  func changeNorms(of block: inout DecoderBlock) throws(TensorError) {
    for index in block.norms.indices {
      guard let name = block.norms[index].name else { continue }
      if let weight = norms[name + ".weight"] {
        let offset = block.norms[index].offset
        block.norms[index].weight = try weight.floats().map { $0 + offset }
      }
      if let bias = norms[name + ".bias"] { block.norms[index].bias = try bias.floats() }
    }
  }
}

extension Compressor {
  /// Writes the embedding rotated; one that serves as the head too is so no longer.
  func append(
    _ embedding: any LinearWeights, by rotation: Rotation, to writer: any ModelWriter
  ) throws(CompressionError) {
    try append(rotation.embedding(embedding.dequantized()), like: embedding, to: writer, as: 0)
    if source.shape.tiesEmbeddings {
      try CompressionError.wrapping { () throws(CheckpointError) in
        try writer.setConfiguration("tie_word_embeddings", to: .bool(false))
      }
    }
  }

  /// Writes the head with the last norm's weights in it, rotated, and that norm as ones.
  func append(
    _ head: OutputHead, by rotation: Rotation, to writer: any ModelWriter
  ) throws(CompressionError) {
    guard let norm = head.norm, let name = norm.name else {
      throw .transform(name: "rotation", reason: "the head has no norm")
    }
    var weights = head.weights
    if weights == nil { weights = try embedding().tokens }
    guard let weights else { return }
    try CompressionError.wrapping { () throws(CheckpointError) in
      try writer.append(
        Tensor(
          rounding: norm.weight.map { _ in 1 - norm.offset }, to: scaleType,
          shape: [norm.weight.count], name: name), named: name + ".weight")
    }
    try append(
      rotation.head(weights.dequantized(), norm: norm.weight), like: weights, to: writer, as: 1)
  }

  private func append(
    _ values: [Float], like weights: any LinearWeights, to writer: any ModelWriter, as place: Int
  ) throws(CompressionError) {
    let name = place == 0 ? "model.embed_tokens" : "lm_head"
    try CompressionError.wrapping { () throws(CheckpointError) in
      try writer.append(
        .dense(
          Tensor(
            rounding: values, to: scaleType, shape: [weights.outFeatures, weights.inFeatures],
            name: name)), named: name)
    }
  }
}
