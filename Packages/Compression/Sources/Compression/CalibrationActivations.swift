import KVCaches
import ModelLoader
import Models
import Quantizers
import Tensors

/// The residual streams of all calibration sequences at the block under work.
struct CalibrationActivations {
  /// One sequence: `[tokens, hidden]`, row-major.
  private struct Stream {
    var hidden: [Float]
    let layout: RowLayout
  }

  private let config: DecoderConfig
  private let pool: ThreadPool
  private let forward: BlockForward
  private var streams: [Stream] = []
  /// Called before every sequence; what it throws ends the work.
  var tick: () throws -> Void = {}

  /// Embeds the sequences.
  ///
  /// - Throws: `ModelError` for a token outside the vocabulary or a sequence beyond the context, `CheckpointError`.
  init(_ sequences: [[Int32]], source: DecoderSource, pool: ThreadPool) throws {
    config = source.config
    self.pool = pool
    forward = BlockForward(config: config, pool: pool)
    if sequences.isEmpty { return }
    let embedding = try source.embeddingTensor()
    for sequence in sequences {
      if let id = sequence.first(where: { $0 < 0 || $0 >= config.vocabularySize }) {
        throw ModelError.tokenOutOfRange(id: id, vocabulary: config.vocabularySize)
      }
      guard sequence.count <= config.contextLength else {
        throw ModelError.contextExceeded(tokens: sequence.count, limit: config.contextLength)
      }
      var hidden = [Float](repeating: 0, count: sequence.count * config.hiddenSize)
      try hidden.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        for (row, id) in sequence.enumerated() {
          try embedding.copyRow(Int(id), into: base + row * config.hiddenSize)
        }
      }
      streams.append(
        Stream(
          hidden: hidden, layout: RowLayout([(0, 0, 0, sequence.count)], rotary: config.rotary)))
    }
  }

  /// Second moments of one input of the block over all sequences, or nil without calibration.
  ///
  /// - Throws: `CompressionError.layer` when the activations cannot serve, `TensorError`.
  func hessian(of input: ProjectionInput, block: DecoderBlock) throws -> Hessian? {
    if streams.isEmpty { return nil }
    let width = input.roles[0].shape(in: config).inFeatures
    var accumulator = try HessianAccumulator(order: width, on: pool)
    for stream in streams {
      try tick()
      var hidden = stream.hidden
      var failure: QuantizerError?
      try run(block, stream.layout, &hidden) { found, rows in
        guard found == input else { return true }
        do throws(QuantizerError) {
          try accumulator.add(
            UnsafeBufferPointer(start: rows, count: stream.layout.count * width))
        } catch {
          failure = error
        }
        return false
      }
      if let failure { throw failure }
    }
    return try accumulator.finish()
  }

  /// Replaces every stream by the block's output.
  mutating func advance(through block: DecoderBlock) throws {
    for index in streams.indices {
      try tick()
      try run(block, streams[index].layout, &streams[index].hidden) { _, _ in true }
    }
  }

  private func run(
    _ block: DecoderBlock, _ layout: RowLayout, _ hidden: inout [Float],
    observe: (ProjectionInput, UnsafePointer<Float>) -> Bool
  ) throws {
    let shape = KVShape(
      layers: 1, kvHeads: config.kvHeads, headDimension: config.headDimension)
    var caches = [
      try KVCache(shape: shape, configuration: KVConfiguration(format: .f32), meter: KVMeter())
    ]
    try hidden.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      try forward.run(
        block, layer: 0, layout: layout, x: base, caches: &caches, observe: observe)
    }
  }
}
