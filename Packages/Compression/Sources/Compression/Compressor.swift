import KVCaches
import ModelLoader
import DecoderModels
import Quantizers
import Tensors

/// Makes a model smaller, one decoder block at a time.
///
/// The inputs of a block come from the already quantized blocks before it, and within a block from the layers quantized
/// before: q, k and v, then o, then gate and up, then down ("true sequential", GPTQ, arXiv:2210.17323). Memory holds the
/// embedding while it is read, one block, and the calibration's activations. Embedding, norms, biases and head
/// keep their type.
public struct Compressor {
  /// What `progress` is told, before every block and often in between: `block` of `blocks` is under work, and this part
  /// of it done (0 to 1). What it throws ends the work.
  public typealias Progress = (_ block: Int, _ blocks: Int, _ part: Double) throws -> Void

  let source: DecoderSource
  /// Settings by layer name; layers that are not in it keep their type.
  let settings: [String: QuantizerSettings]
  private let scaleType: DType
  private let pool: ThreadPool

  /// A compressor of `checkpoint` by this plan, which stores scales as `scaleType`.
  ///
  /// - Throws: `CompressionError.alreadyQuantized` or `.rule`, or what is wrong with the configuration.
  public init(
    _ checkpoint: Checkpoint, plan: CompressionPlan, scaleType: DType, pool: ThreadPool
  ) throws {
    guard try checkpoint.quantization() == nil else {
      throw CompressionError.alreadyQuantized(directory: checkpoint.directory.path)
    }
    source = try DecoderSource(checkpoint)
    let names = (0..<source.config.layers).flatMap(Self.names)
    settings = Dictionary(
      uniqueKeysWithValues: zip(names, try plan.settings(of: names)).compactMap { name, settings in
        settings.map { (name, $0) }
      })
    self.scaleType = scaleType
    self.pool = pool
    try checkTensors()
  }

  /// Whether any layer is quantized by a method that needs calibration text.
  public var needsCalibration: Bool { settings.values.contains { $0.method == .gptq } }

  /// Finds out at once what is missing or, of the matrices, of another shape.
  private func checkTensors() throws {
    let head = source.config.tiesEmbeddings ? [] : ["lm_head.weight"]
    for name in ["model.embed_tokens.weight", "model.norm.weight"] + head {
      _ = try source.checkpoint.info(of: name)
    }
    let headNorms =
      source.config.normalizesQueriesAndKeys ? ["self_attn.q_norm", "self_attn.k_norm"] : []
    for layer in 0..<source.config.layers {
      for norm in ["input_layernorm", "post_attention_layernorm"] + headNorms {
        _ = try source.checkpoint.info(of: "model.layers.\(layer).\(norm).weight")
      }
      for role in ProjectionRole.allCases {
        let name = DecoderSource.name(of: role, layer: layer) + ".weight"
        let shape = role.shape(in: source.config)
        let expected = [shape.outFeatures, shape.inFeatures]
        let found = try source.checkpoint.info(of: name).shape
        guard found == expected else {
          throw CheckpointError.shape(tensor: name, expected: expected, found: found)
        }
      }
    }
  }

  /// Quantizes all layers and hands every tensor to `writer`, in the order of the model.
  ///
  /// - Parameters:
  ///   - sequences: calibration tokens; empty for methods that do without.
  ///   - store: keeps finished blocks; blocks already in it are not computed again.
  ///   - writer: takes the tensors; the caller finishes it with the record.
  ///   - record: completed with the layers' reports.
  ///   - progress: told how far the work is; what it throws ends it.
  /// - Returns: where the time of the blocks that were not in the store went.
  /// - Throws: `CompressionError.layer` naming a layer, `CheckpointError`, `TensorError`.
  @discardableResult
  public func run(
    sequences: [[Int32]], store: BlockStore, writer: CheckpointWriter,
    record: inout CompressionRecord, progress: @escaping Progress
  ) throws -> PhaseTimes {
    let config = source.config
    var times = PhaseTimes()
    try quantizeBlocks(
      sequences, store: store, record: &record, times: &times, progress: progress)
    try copy("model.embed_tokens.weight", to: writer)
    for layer in 0..<config.layers {
      try copyVectors(of: layer, to: writer)
      let block = try store.block(layer, names: quantizedNames(of: layer))
      for name in Self.names(of: layer) {
        if let matrix = block.matrices[name] {
          try writer.append(.quantized(matrix), named: name)
        } else {
          try writer.append(.dense(finiteTensor(name + ".weight")), named: name)
        }
      }
    }
    try copy("model.norm.weight", to: writer)
    if !config.tiesEmbeddings { try copy("lm_head.weight", to: writer) }
    try progress(config.layers, config.layers, 0)
    return times
  }

  /// Finishes every block; the activations are gone when it returns, before the embedding is copied.
  private func quantizeBlocks(
    _ sequences: [[Int32]], store: BlockStore, record: inout CompressionRecord,
    times: inout PhaseTimes, progress: @escaping Progress
  ) throws {
    let layers = source.config.layers
    var activations = try times.measure(.reading) {
      try CalibrationActivations(sequences, source: source, pool: pool)
    }
    for layer in 0..<layers {
      try progress(layer, layers, 0)
      activations.startBlock { try progress(layer, layers, $0) }
      let block = try finishedBlock(
        layer, store: store, activations: &activations, times: &times)
      record.layers.append(contentsOf: block.reports)
    }
  }

  private static func names(of layer: Int) -> [String] {
    ProjectionInput.allCases.flatMap(\.roles).map { DecoderSource.name(of: $0, layer: layer) }
  }

  private func quantizedNames(of layer: Int) -> [String] {
    Self.names(of: layer).filter { settings[$0] != nil }
  }

  /// Block `layer` from the store, or computed and stored; the activations move on to its output.
  private func finishedBlock(
    _ layer: Int, store: BlockStore, activations: inout CalibrationActivations,
    times: inout PhaseTimes
  ) throws -> BlockStore.Block {
    let isLast = layer == source.config.layers - 1
    var block = try times.measure(.reading) { try source.block(layer) }
    if store.isFinished(layer) {
      let stored = try store.block(layer, names: quantizedNames(of: layer))
      for role in ProjectionRole.allCases {
        guard let matrix = stored.matrices[DecoderSource.name(of: role, layer: layer)] else {
          continue
        }
        block[role].weights = try WeightPacking.pack(matrix)
      }
      if !isLast {
        for half in CalibrationActivations.Half.allCases {
          try times.measure(.forward) { try activations.advance(through: half, of: block) }
        }
      }
      return stored
    }
    let computed = try quantize(
      &block, layer: layer, activations: &activations, times: &times)
    try times.measure(.storing) { try store.save(layer, computed) }
    if !isLast {
      try times.measure(.forward) { try activations.advance(through: .feedForward, of: block) }
    }
    return computed
  }

  /// Quantizes the layers of a block in place; the activations move on to its second half.
  private func quantize(
    _ block: inout DecoderBlock, layer: Int, activations: inout CalibrationActivations,
    times: inout PhaseTimes
  ) throws -> BlockStore.Block {
    var matrices: [String: QuantizedMatrix] = [:]
    var reports: [CompressionRecord.Layer] = []
    for input in ProjectionInput.allCases {
      if input == .feedForward {
        try times.measure(.forward) { try activations.advance(through: .attention, of: block) }
      }
      let parts = parts(of: input, layer: layer)
      if parts.isEmpty { continue }
      let hessian: Hessian?
      do {
        hessian = try activations.hessian(of: input, block: block, times: &times)
      } catch let error as QuantizerError {
        let names = parts.flatMap(\.roles).map { DecoderSource.name(of: $0, layer: layer) }
        throw CompressionError.layer(name: names.joined(separator: ", "), reason: error)
      }
      for part in parts {
        let names = part.roles.map { DecoderSource.name(of: $0, layer: layer) }
        let quantizer = try part.settings.quantizer(scaleType: scaleType)
        let layers = try quantize(
          part.roles, names: names, in: block, by: quantizer, hessian: hessian)
        for (index, role) in part.roles.enumerated() {
          let matrix = layers[index].matrix
          matrices[names[index]] = matrix
          times.add(layers[index].times)
          block[role].weights = try times.measure(.storing) {
            try WeightPacking.pack(matrix)
          }
          reports.append(
            .init(name: names[index], scheme: quantizer.scheme, report: layers[index].report))
        }
      }
    }
    return BlockStore.Block(matrices: matrices, reports: reports)
  }

  /// The layers that multiply `input`, those of the same settings together.
  private func parts(
    of input: ProjectionInput, layer: Int
  ) -> [(settings: QuantizerSettings, roles: [ProjectionRole])] {
    var parts: [(settings: QuantizerSettings, roles: [ProjectionRole])] = []
    for role in input.roles {
      guard let own = settings[DecoderSource.name(of: role, layer: layer)] else { continue }
      if let index = parts.firstIndex(where: { $0.settings == own }) {
        parts[index].roles.append(role)
      } else {
        parts.append((own, [role]))
      }
    }
    return parts
  }

  private func quantize(
    _ roles: [ProjectionRole], names: [String], in block: DecoderBlock,
    by quantizer: any WeightQuantizer, hessian: Hessian?
  ) throws -> [QuantizedLayer] {
    var name = names[0]
    do throws(QuantizerError) {
      var matrices: [WeightMatrix] = []
      for (index, role) in roles.enumerated() {
        name = names[index]
        let weights = block[role].weights
        matrices.append(
          try WeightMatrix(
            weights.dequantized(), outFeatures: weights.outFeatures,
            inFeatures: weights.inFeatures))
      }
      name = names.joined(separator: ", ")
      return try quantizer.quantize(matrices, hessian: hessian, on: pool)
    } catch {
      throw CompressionError.layer(name: name, reason: error)
    }
  }

  /// Norms and biases: everything of a layer that is no matrix of a projection.
  private func copyVectors(of layer: Int, to writer: CheckpointWriter) throws {
    let prefix = "model.layers.\(layer)."
    let matrices = Set(Self.names(of: layer).map { $0 + ".weight" })
    for name in source.checkpoint.tensors.keys.sorted()
    where name.hasPrefix(prefix) && !matrices.contains(name) {
      try copy(name, to: writer)
    }
  }

  private func copy(_ name: String, to writer: CheckpointWriter) throws {
    try writer.append(finiteTensor(name), named: name)
  }

  private func finiteTensor(_ name: String) throws -> Tensor {
    let tensor = try source.checkpoint.tensor(named: name)
    if let position = tensor.firstNonFinite {
      throw CompressionError.nonFiniteTensor(name: name, position: position)
    }
    return tensor
  }
}
