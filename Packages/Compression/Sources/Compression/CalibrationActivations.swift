import DecoderModels
import KVCaches
import ModelLoader
import Quantizers
import Tensors

/// The residual streams of all calibration sequences at the step of a block that is under work.
struct CalibrationActivations {
  /// The place of one sequence in `hidden`.
  private struct Stream {
    let first: Int
    /// Rows and rotary angles; sequences of one length share them.
    let layout: RowLayout
  }

  private let shape: DecoderShape
  private let pool: ThreadPool
  private let pass: BlockPass
  /// How keys and values are kept: as floats where nothing is rounded, else as the engine does.
  private let cachePolicy: KVPolicy
  private var streams: [Stream] = []
  /// All sequences one after the other, each `[tokens, hidden]`: one block of memory, which goes
  /// back to the system when it is freed.
  private var hidden: [Float] = []
  /// Whether the largest magnitude of each input is found beside the second moments.
  var watchesLargest = false
  /// What the last layer of the step under work multiplies in every sequence, prepared for its
  /// product.
  private var kept: (step: Int, scheme: ActivationScheme, inputs: [LinearInput])?
  /// Told before every sequence what part of the block's work is done; says whether to go on.
  private var progress: (Double) -> Bool = { _ in true }
  /// Multiplications for a token of each sequence so far in this block, and in the whole of it.
  private var work = (done: 0, whole: 1)

  /// Embeds the sequences.
  ///
  /// - Throws: `ModelError` for a token outside the vocabulary, a sequence beyond the context or a
  ///   missing tensor.
  init(
    _ sequences: [[Int32]], source: DecoderSource, numerics: Numerics, pool: ThreadPool
  ) throws(ModelError) {
    shape = source.shape
    self.pool = pool
    pass = BlockPass(width: shape.hiddenSize, pool: pool, numerics: numerics)
    cachePolicy = KVPolicy(format: numerics == .exact ? .f32 : .bf16)
    if sequences.isEmpty { return }
    let embedding = try source.embedding()
    let places = takeStreams(of: sequences.map(\.count))
    for (sequence, first) in zip(sequences, places) {
      if let id = sequence.first(where: { $0 < 0 || $0 >= shape.vocabularySize }) {
        throw .tokenOutOfRange(id: id, vocabulary: shape.vocabularySize)
      }
      guard sequence.count <= shape.contextLength else {
        throw .contextExceeded(tokens: sequence.count, limit: shape.contextLength)
      }
      hidden.withUnsafeMutableBufferPointer { [pass] buffer in
        guard let base = buffer.baseAddress else { return }
        embedding.embed(sequence, at: Array(sequence.indices), into: base + first, in: pass)
      }
    }
  }

  /// One stream of made-up values, which takes as long as one of a text.
  init(tokens: Int, source: DecoderSource, numerics: Numerics, pool: ThreadPool)
    throws(ModelError)
  {
    try self.init([], source: source, numerics: numerics, pool: pool)
    _ = takeStreams(of: [tokens])
    for index in hidden.indices { hidden[index] = Float(index &* 7919 % 2003) / 1001 - 1 }
  }

  /// Takes memory for streams of so many tokens each; returns where each begins.
  private mutating func takeStreams(of counts: [Int]) -> [Int] {
    hidden = [Float](repeating: 0, count: counts.reduce(0, +) * shape.hiddenSize)
    var layouts: [Int: RowLayout] = [:]
    var first = 0
    for count in counts {
      let layout = layouts[count] ?? RowLayout([(0, 0, count)], rotary: shape.rotary)
      layouts[count] = layout
      streams.append(Stream(first: first, layout: layout))
      first += count * shape.hiddenSize
    }
    return streams.map(\.first)
  }

  /// Whether there are no sequences.
  var isEmpty: Bool { streams.isEmpty }
  /// Tokens of all sequences.
  var tokens: Int { hidden.count / shape.hiddenSize }

  /// Rotates the residual streams, for blocks that are rotated too.
  mutating func rotate(by rotation: Hadamard) { rotation.rotate(rowsOf: &hidden) }

  /// Begins the work on a block with these sites, of which `groups` are observed together; it is
  /// reported to `progress`.
  mutating func startBlock(
    _ sites: [Site], groups: [Range<Int>], _ progress: @escaping (Double) -> Bool
  ) {
    self.progress = progress
    let moments = groups.reduce(0) { $0 + Self.momentWork($1, in: sites) }
    work = (0, max(1, sites.reduce(moments) { $0 + Self.products($1) } * streams.count))
  }

  private static func products(_ site: Site) -> Int { Int(Double(site.products) * site.share) }

  /// Multiplications for a token on its way to some sites and in their second moments, of which
  /// half are computed.
  private static func momentWork(_ group: Range<Int>, in sites: [Site]) -> Int {
    let step = sites[group.lowerBound].step
    return sites[..<group.lowerBound].reduce(0) { $0 + ($1.step == step ? products($1) : 0) }
      + sites[group].reduce(0) {
        $0 + Int(Double($1.inFeatures * $1.inFeatures / 2) * $1.share)
      }
  }

  /// Counts `amount` more for a token of one sequence.
  private mutating func report(_ amount: Int) throws(CompressionError) {
    guard progress(Double(work.done) / Double(work.whole)) else { throw .stopped }
    work.done += amount
  }

  /// What calibration says of the inputs of a site.
  struct Moments {
    /// Their second moments; nil without calibration, and for an expert that it hardly reached.
    var hessian: Hessian?
    /// The largest magnitude of each input; empty where nobody watches.
    var largest: [Float] = []
    /// Rows that reached the site.
    let rows: Int
    /// Whether they are those of an expert that too few rows reached.
    let areTooFew: Bool

    /// An expert's second moments count from this many rows for each of its inputs on: fewer
    /// describe so few directions that what a quantizer moves elsewhere is left to chance.
    static let leastRowsOfInput = 0.25
  }

  /// Second moments of the inputs of some sites of the block over all sequences.
  ///
  /// - Parameters:
  ///   - group: the sites.
  ///   - block: the block, as far as it is finished.
  ///   - scheme: how the inputs of the last site of a step are kept, so that `advance` need not
  ///     compute them again; nil where they are not.
  ///   - times: where the time went.
  /// - Returns: those of each site.
  /// - Throws: `CompressionError.layer` when the activations of a site cannot serve, `.tensors`,
  ///   `.stopped`.
  mutating func moments(
    of group: Range<Int>, block: DecoderBlock, keptAs scheme: ActivationScheme? = nil,
    times: inout PhaseTimes
  ) throws(CompressionError) -> [Moments] {
    kept = nil
    if streams.isEmpty {
      return group.map { _ in Moments(hessian: nil, rows: 0, areTooFew: false) }
    }
    let sites = block.sites
    var accumulators: [HessianAccumulator] = []
    var largest = sites[group].map {
      [Float](repeating: 0, count: watchesLargest ? $0.inFeatures : 0)
    }
    for site in sites[group] {
      accumulators.append(
        try serving(site) { () throws(QuantizerError) in
          try HessianAccumulator(
            order: site.inFeatures, isRounded: pass.input.numerics != .exact, on: pool)
        })
    }
    var inputs: [LinearInput] = []
    for stream in streams {
      try report(Self.momentWork(group, in: sites))
      let found = try times.measure(.forward) { () throws(CompressionError) in
        let found = try rows(of: group, sites, stream, block)
        if let scheme { inputs.append(preparedInput(scheme)) }
        return found
      }
      try times.measure(.hessian) { () throws(CompressionError) in
        for (site, rows) in found {
          let index = site - group.lowerBound
          try serving(sites[site]) { () throws(QuantizerError) in
            try rows.withUnsafeBufferPointer { (rows) throws(QuantizerError) in
              try accumulators[index].add(rows)
            }
          }
          if watchesLargest { Self.raise(&largest[index], to: rows) }
        }
      }
    }
    if let scheme { kept = (sites[group.lowerBound].step, scheme, inputs) }
    return try times.measure(.hessian) { () throws(CompressionError) in
      var moments: [Moments] = []
      for (site, largest) in zip(sites[group], largest) {
        let accumulator = accumulators.removeFirst()
        let rows = accumulator.samples
        guard site.share == 1 || Double(rows) >= Moments.leastRowsOfInput * Double(site.inFeatures)
        else {
          moments.append(Moments(hessian: nil, rows: rows, areTooFew: true))
          continue
        }
        do throws(QuantizerError) {
          moments.append(
            Moments(
              hessian: try accumulator.finish(), largest: largest, rows: rows, areTooFew: false))
        } catch {
          throw .layer(name: site.linears.map(\.name).joined(separator: ", "), reason: error)
        }
      }
      return moments
    }
  }

  /// A copy of the input that was shown last, in the form in which it is multiplied.
  private func preparedInput(_ scheme: ActivationScheme) -> LinearInput {
    let input = LinearInput(numerics: pass.input.numerics)
    input.reset(rows: Array(0..<pass.input.tokens), of: pass.input)
    _ = input.prepared(for: scheme, on: pool)
    return input
  }

  /// Raises the largest magnitudes of inputs to those of some rows.
  private static func raise(_ largest: inout [Float], to rows: [Float]) {
    let width = largest.count
    largest.withUnsafeMutableBufferPointer { largest in
      rows.withUnsafeBufferPointer { rows in
        for first in stride(from: 0, to: rows.count, by: width) {
          for at in 0..<width { largest[at] = max(largest[at], abs(rows[first + at])) }
        }
      }
    }
  }

  /// Runs what second moments of a site need; what fails names its layers.
  private func serving<Result>(
    _ site: Site, _ body: () throws(QuantizerError) -> Result
  ) throws(CompressionError) -> Result {
    try CompressionError.wrapping(
      layer: site.linears.map(\.name).joined(separator: ", "), body)
  }

  /// What the linear layers of some sites multiply in one sequence, each `[rows, width]`.
  private func rows(
    of group: Range<Int>, _ sites: [Site], _ stream: Stream, _ block: DecoderBlock
  ) throws(CompressionError) -> [(site: Int, rows: [Float])] {
    let width = shape.hiddenSize
    var own = Array(hidden[stream.first..<stream.first + stream.layout.count * width])
    var found: [(site: Int, rows: [Float])] = []
    try run(block, step: sites[group.lowerBound].step, stream.layout, &own, first: 0) {
      site, first, count in
      if group.contains(site) {
        found.append(
          (site, Array(UnsafeBufferPointer(start: first, count: count * sites[site].inFeatures))))
      }
      return site < group.upperBound - 1
    }
    return found
  }

  /// Moves every stream from the beginning of a step of the block to its end.
  mutating func advance(through step: Int, of block: DecoderBlock) throws(CompressionError) {
    let amount = block.sites.reduce(0) { $0 + ($1.step == step ? Self.products($1) : 0) }
    if let kept, kept.step == step, let linear = block.lastLinear(ofStep: step),
      linear.weights.activations(for: pass.input.numerics) == kept.scheme
    {
      self.kept = nil
      for (stream, input) in zip(streams, kept.inputs) {
        try report(amount)
        hidden.withUnsafeMutableBufferPointer { [pass] buffer in
          guard let base = buffer.baseAddress else { return }
          pass.addProduct(linear, of: input, to: base + stream.first, through: 0)
        }
      }
      return
    }
    kept = nil
    for stream in streams {
      try report(amount)
      try run(block, step: step, stream.layout, &hidden, first: stream.first, observe: nil)
    }
  }

  /// Runs one sequence through a step; replaces the residual stream that begins at `values[first]`.
  private func run(
    _ block: DecoderBlock, step: Int, _ layout: RowLayout, _ values: inout [Float], first: Int,
    observe: BlockPass.Observer?
  ) throws(CompressionError) {
    var caches: [KVCache]
    do throws(KVPolicyError) {
      caches = [
        try KVCache(
          shape: block.mixer.state.cacheShape, policy: cachePolicy, meter: KVMeter())
      ]
    } catch {
      throw .cache(error)
    }
    do throws(TensorError) {
      try values.withUnsafeMutableBufferPointer { (buffer) throws(TensorError) in
        guard let base = buffer.baseAddress else { return }
        try block.run(
          BlockRows(layout, layer: 0), x: base + first, caches: &caches, in: pass,
          step: block.stepCount == 1 ? nil : step, observe: observe)
      }
    } catch {
      throw .tensors(error)
    }
  }
}
