import KVCaches
import ModelLoader
import DecoderModels
import Quantizers
import Tensors

/// The residual streams of all calibration sequences at the half of a block that is under work.
struct CalibrationActivations {
  /// The place of one sequence in `hidden`.
  private struct Stream {
    let first: Int
    /// Rows and rotary angles; sequences of one length share them.
    let layout: RowLayout
  }

  private let config: DecoderConfig
  private let pool: ThreadPool
  private let passage: Passage
  private var streams: [Stream] = []
  /// All sequences one after the other, each `[tokens, hidden]`: one block of memory, which goes back to the system
  /// when it is freed.
  private var hidden: [Float] = []
  /// Told before every sequence what part of the block's work is done; what it throws ends the work.
  private var progress: (Double) throws -> Void = { _ in }
  /// Multiplications for a token of each sequence so far in this block.
  private var done = 0

  /// Embeds the sequences.
  ///
  /// - Throws: `ModelError` for a token outside the vocabulary or a sequence beyond the context, `CheckpointError`.
  init(_ sequences: [[Int32]], source: DecoderSource, pool: ThreadPool) throws {
    config = source.config
    self.pool = pool
    passage = Passage(config: config, forward: BlockForward(config: config, pool: pool))
    if sequences.isEmpty { return }
    let embedding = try source.embeddingTensor()
    let tokens = sequences.reduce(0) { $0 + $1.count }
    hidden = [Float](repeating: 0, count: tokens * config.hiddenSize)
    var layouts: [Int: RowLayout] = [:]
    var first = 0
    for sequence in sequences {
      if let id = sequence.first(where: { $0 < 0 || $0 >= config.vocabularySize }) {
        throw ModelError.tokenOutOfRange(id: id, vocabulary: config.vocabularySize)
      }
      guard sequence.count <= config.contextLength else {
        throw ModelError.contextExceeded(tokens: sequence.count, limit: config.contextLength)
      }
      try hidden.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        for (row, id) in sequence.enumerated() {
          try embedding.copyRow(Int(id), into: base + first + row * config.hiddenSize)
        }
      }
      let layout =
        layouts[sequence.count]
        ?? RowLayout([(0, 0, 0, sequence.count)], rotary: config.rotary)
      layouts[sequence.count] = layout
      streams.append(Stream(first: first, layout: layout))
      first += sequence.count * config.hiddenSize
    }
  }

  /// Begins the work on a block, which reports to `progress`.
  mutating func startBlock(_ progress: @escaping (Double) throws -> Void) {
    self.progress = progress
    done = 0
  }

  /// Multiplications for a token on its way through `half` to `input`, or to its end.
  private func work(in half: Half, to input: ProjectionInput?) -> Int {
    half.inputs.prefix { $0 != input }.flatMap(\.roles).map { $0.shape(in: config) }
      .reduce(0) { $0 + $1.outFeatures * $1.inFeatures }
  }

  /// Multiplications for a token on its way to `input` and in its second moments, of which half are computed.
  private func momentWork(_ input: ProjectionInput) -> Int {
    let width = input.roles[0].shape(in: config).inFeatures
    return work(in: Half(of: input), to: input) + width * width / 2
  }

  /// Counts `work` more for a token of one sequence.
  private mutating func report(_ work: Int) throws {
    let moments = ProjectionInput.allCases.reduce(0) { $0 + momentWork($1) }
    let whole = Half.allCases.reduce(moments) { $0 + self.work(in: $1, to: nil) }
    try progress(Double(done) / Double(whole * streams.count))
    done += work
  }

  /// Second moments of one input of the block over all sequences, or nil without calibration.
  ///
  /// - Throws: `QuantizerError` when the activations cannot serve, `TensorError`.
  mutating func hessian(
    of input: ProjectionInput, block: DecoderBlock, times: inout PhaseTimes
  ) throws -> Hessian? {
    if streams.isEmpty { return nil }
    let width = input.roles[0].shape(in: config).inFeatures
    var accumulator = try HessianAccumulator(order: width, on: pool)
    for stream in streams {
      try report(momentWork(input))
      let rows = try times.measure(.forward) { try self.rows(of: input, stream, block) }
      try times.measure(.hessian) {
        try rows.withUnsafeBufferPointer { try accumulator.add($0) }
      }
    }
    return try times.measure(.hessian) { try accumulator.finish() }
  }

  /// What the layers of `input` multiply in one sequence: `[tokens, width]`.
  private func rows(
    of input: ProjectionInput, _ stream: Stream, _ block: DecoderBlock
  ) throws -> [Float] {
    let count = stream.layout.count * input.roles[0].shape(in: config).inFeatures
    let width = config.hiddenSize
    var own = Array(hidden[stream.first..<stream.first + stream.layout.count * width])
    var rows: [Float] = []
    try passage.run(Half(of: input), of: block, stream.layout, &own, first: 0) { found, first in
      guard found == input else { return true }
      rows = Array(UnsafeBufferPointer(start: first, count: count))
      return false
    }
    return rows
  }

  /// Moves every stream from the beginning of `half` of the block to its end.
  mutating func advance(through half: Half, of block: DecoderBlock) throws {
    for stream in streams {
      try report(work(in: half, to: nil))
      try passage.run(half, of: block, stream.layout, &hidden, first: stream.first) { _, _ in true }
    }
  }
}

extension CalibrationActivations {
  /// The two parts of a block, each of which adds to the residual stream. Streams wait at the beginning of one of them,
  /// so that nothing before it is computed again.
  enum Half: CaseIterable {
    case attention
    case feedForward

    /// The half that computes `input`.
    init(of input: ProjectionInput) {
      switch input {
      case .attention, .attentionOutput: self = .attention
      case .feedForward, .feedForwardHidden: self = .feedForward
      }
    }

    /// What its linear layers multiply, in order.
    var inputs: [ProjectionInput] { ProjectionInput.allCases.filter { Half(of: $0) == self } }
  }
}

/// Runs one sequence at a time through half a block.
private struct Passage {
  let config: DecoderConfig
  let forward: BlockForward

  /// Replaces the residual stream that begins at `values[first]`; see `BlockForward`.
  func run(
    _ half: CalibrationActivations.Half, of block: DecoderBlock, _ layout: RowLayout,
    _ values: inout [Float], first: Int,
    observe: @escaping BlockForward.Observer
  ) throws {
    try values.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      switch half {
      case .attention:
        let shape = KVShape(
          layers: 1, kvHeads: config.kvHeads, headDimension: config.headDimension)
        var caches = [
          try KVCache(
            shape: shape, policy: KVPolicy(format: .f32), meter: KVMeter())
        ]
        _ = try forward.runAttention(
          block, layer: 0, layout: layout, x: base + first, caches: &caches, observe: observe)
      case .feedForward:
        forward.runFeedForward(block, rows: layout.count, x: base + first, observe: observe)
      }
    }
  }
}
