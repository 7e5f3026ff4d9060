import KVCaches
import ModelLoader
import DecoderModels
import Quantizers
import Tensors

/// Makes a model smaller, one decoder block at a time.
///
/// The inputs of a block come from the already quantized blocks before it, and within a block from
/// the layers quantized before, site by site: q, k and v, then o, then gate and up, then down, say
/// ("true sequential", GPTQ, arXiv:2210.17323). Memory holds the embedding while it is read, one
/// block, and the calibration's activations. Whatever is no linear layer of a block's sites keeps
/// its type.
public struct Compressor {
  /// What `progress` is told, before every block and often in between: `block` of `blocks` is under
  /// work, and this part of it done (0 to 1). Returns whether to go on.
  public typealias Progress = (_ block: Int, _ blocks: Int, _ part: Double) -> Bool

  let source: DecoderSource
  /// The linear layers of each block by the input they multiply, without weights.
  let sites: [[Site]]
  /// The tensors before the first block, and those behind the last.
  let outerTensors: (first: [String], last: [String])
  /// Settings by layer name; layers that are not in it keep their type.
  let settings: [String: QuantizerSettings]
  /// How the weights are changed before they are quantized.
  let smoothing: Smoothing?
  let rotation: Rotation?
  /// How weights meet activations while calibration text is read.
  let numerics: Numerics
  let scaleType: DType
  let pool: ThreadPool

  /// A compressor of `checkpoint` by this plan, which stores scales as `scaleType`. Finds out at
  /// once which tensors are missing or of another shape. Layers that are quantized already are weights
  /// as others are, of F16.
  ///
  /// - Throws: `CompressionError.rule`, or `.checkpoint` or `.model` for what is wrong with the
  ///   model.
  public init(
    _ checkpoint: Checkpoint, families: ModelFamilies = .standard, plan: CompressionPlan,
    scaleType: DType, pool: ThreadPool
  ) throws(CompressionError) {
    let checkpoint = try CompressionError.wrapping { () throws(CheckpointError) in
      try checkpoint.dequantizing()
    }
    (source, outerTensors, sites) = try CompressionError.wrapping(
      model: { () throws(ModelError) in
        let source = try DecoderSource(checkpoint, families: families)
        let sites = try (0..<source.shape.layers).map { (layer) throws(ModelError) in
          try source.describedBlock(layer).sites
        }
        return (source, try source.outerTensors(), sites)
      })
    let names = sites.flatMap { $0.flatMap(\.linears).map(\.name) }
    settings = Dictionary(
      uniqueKeysWithValues: zip(names, try plan.settings(of: names)).compactMap { name, settings in
        settings.map { (name, $0) }
      })
    smoothing = plan.smoothing.map(Smoothing.init)
    if let smoothing { try smoothing.check(source) }
    rotation = plan.rotates ? try Rotation(source) : nil
    numerics = plan.numerics ?? .exact
    self.scaleType = scaleType
    self.pool = pool
  }

  /// Whether weights change that are not quantized.
  var hasTransforms: Bool { smoothing != nil || rotation != nil }

  /// The most inputs that a linear layer of the blocks has.
  public var widestInput: Int { sites.joined().map(\.inFeatures).max() ?? 0 }

  /// Whether any layer is quantized by a method that needs calibration text.
  public var needsCalibration: Bool {
    watchesLargest || settings.values.contains { $0.method == .gptq }
  }

  /// Whether anything depends on the largest activations.
  var watchesLargest: Bool {
    smoothing != nil || settings.values.contains { $0.outliers ?? 0 > 0 }
  }

  /// Makes sure, before any work, that `writer` can hold what the layers will become.
  ///
  /// - Throws: `CheckpointError.unsupported` naming the first layer that it cannot.
  public func check(_ writer: any ModelWriter) throws(CheckpointError) {
    let linears = sites.joined().flatMap(\.linears)
    try writer.check(
      linears.compactMap { linear in
        settings[linear.name].map { own in
          var layer = PlannedLayer(
            name: linear.name, outFeatures: linear.weights.outFeatures,
            inFeatures: linear.weights.inFeatures, bits: own.bits, groupSize: own.groupSize,
            isSymmetric: own.grid != .asymmetric,
            hasWholeZeros: own.method != .hqq || own.grid != .asymmetric)
          (layer.tokenRounding, layer.isFloat8) = (own.activations, own.isFloat8 == true)
          return layer
        }
      })
  }

  /// Quantizes all layers and hands every tensor to `writer`, in the order of the model.
  ///
  /// - Parameters:
  ///   - sequences: calibration tokens; empty for methods that do without.
  ///   - store: keeps finished blocks; blocks already in it are not computed again.
  ///   - writer: takes the tensors; the caller finishes it with the record.
  ///   - record: completed with the layers' reports.
  ///   - progress: told how far the work is, and says whether to go on.
  /// - Returns: where the time of the blocks that were not in the store went.
  /// - Throws: `CompressionError.layer` naming a layer, `.checkpoint`, `.model` or `.tensors`;
  ///   `.stopped` where `progress` said so.
  @discardableResult
  public func run(
    sequences: [[Int32]], store: BlockStore, writer: any ModelWriter,
    record: inout CompressionRecord, progress: @escaping Progress
  ) throws(CompressionError) -> PhaseTimes {
    var times = PhaseTimes()
    try times.measure(.writing) { () throws(CompressionError) in
      if let rotation {
        try append(try embedding().tokens, by: rotation, to: writer)
      } else {
        for name in outerTensors.first { try copy(name, to: writer) }
      }
    }
    try quantizeBlocks(
      sequences, store: store, writer: writer, record: &record, times: &times, progress: progress)
    try times.measure(.writing) { () throws(CompressionError) in
      if let rotation {
        let head = try CompressionError.wrapping(
          model: { () throws(ModelError) in try source.head() })
        try append(head, by: rotation, to: writer)
      } else {
        for name in outerTensors.last { try copy(name, to: writer) }
      }
    }
    guard progress(sites.count, sites.count, 0) else { throw .stopped }
    return times
  }

  /// Finishes every block and hands its tensors to `writer`; the activations are gone when it
  /// returns, before the tensors behind the blocks are copied.
  private func quantizeBlocks(
    _ sequences: [[Int32]], store: BlockStore, writer: any ModelWriter,
    record: inout CompressionRecord, times: inout PhaseTimes, progress: @escaping Progress
  ) throws(CompressionError) {
    let layers = sites.count
    let isWork = !settings.isEmpty || hasTransforms
    var activations = try times.measure(.reading) { () throws(CompressionError) in
      try CompressionError.wrapping(
        model: { () throws(ModelError) in
          try CalibrationActivations(
            isWork ? sequences : [], source: source, numerics: numerics, pool: pool)
        })
    }
    if let rotation { activations.rotate(by: rotation.residual) }
    activations.watchesLargest = watchesLargest
    for layer in 0..<layers {
      guard progress(layer, layers, 0) else { throw .stopped }
      activations.startBlock(sites[layer], groups: groups(of: layer)) {
        progress(layer, layers, $0)
      }
      var block = BlockStore.Block(matrices: [:], reports: [])
      if isWork {
        block = try finishedBlock(
          layer, store: store, activations: &activations, times: &times)
      }
      record.layers.append(contentsOf: block.reports)
      try times.measure(.writing) { () throws(CompressionError) in
        try append(block, layer: layer, to: writer)
      }
    }
  }

  /// Hands the tensors of a finished block to `writer`, in the order of the model.
  private func append(
    _ block: BlockStore.Block, layer: Int, to writer: any ModelWriter
  ) throws(CompressionError) {
    try copyOthers(of: layer, changed: block.norms, to: writer)
    for linear in sites[layer].flatMap(\.linears) {
      let stored: StoredLinear
      if let matrix = block.matrices[linear.name] {
        stored = matrix
      } else {
        stored = .dense(try storedTensor(of: linear))
      }
      try CompressionError.wrapping { () throws(CheckpointError) in
        try writer.append(stored, named: linear.name)
      }
    }
  }

  private func names(of layer: Int) -> [String] {
    sites[layer].flatMap(\.linears).map(\.name)
  }

  private func quantizedNames(of layer: Int) -> [String] {
    names(of: layer).filter { settings[$0] != nil }
  }

  /// Block `layer` from the store, or computed and stored; the activations move on to its output.
  private func finishedBlock(
    _ layer: Int, store: BlockStore, activations: inout CalibrationActivations,
    times: inout PhaseTimes
  ) throws(CompressionError) -> BlockStore.Block {
    let isLast = layer == sites.count - 1
    if store.isFinished(layer) {
      let stored = try store.block(layer, names: quantizedNames(of: layer))
      if !isLast, !activations.isEmpty {
        let block = try self.block(layer, changedBy: stored, times: &times)
        for step in 0..<block.stepCount {
          try advance(&activations, through: step, of: block, times: &times)
        }
      }
      return stored
    }
    var block = try self.block(layer, times: &times)
    let computed = try quantize(
      &block, layer: layer, activations: &activations, times: &times)
    try times.measure(.storing) { () throws(CompressionError) in try store.save(layer, computed) }
    if !isLast {
      try advance(&activations, through: block.stepCount - 1, of: block, times: &times)
    }
    return computed
  }

  /// Block `layer` of the source, with what is stored of it where it was finished before.
  func block(
    _ layer: Int, changedBy stored: BlockStore.Block? = nil, times: inout PhaseTimes
  ) throws(CompressionError) -> DecoderBlock {
    try times.measure(.reading) { () throws(CompressionError) in
      var block = try CompressionError.wrapping(
        model: { () throws(ModelError) in try source.block(layer) })
      guard let stored else { return block }
      var sites = block.sites
      for site in sites.indices {
        for index in sites[site].linears.indices {
          let name = sites[site].linears[index].name
          guard let matrix = stored.matrices[name] else { continue }
          sites[site].linears[index].weights = try packed(matrix, name: name)
        }
      }
      block.sites = sites
      try CompressionError.wrapping(
        tensors: { () throws(TensorError) in try stored.changeNorms(of: &block) })
      return block
    }
  }

  func embedding() throws(CompressionError) -> TokenEmbedding {
    try CompressionError.wrapping(model: { () throws(ModelError) in try source.embedding() })
  }

  func advance(
    _ activations: inout CalibrationActivations, through step: Int, of block: DecoderBlock,
    times: inout PhaseTimes
  ) throws(CompressionError) {
    try times.measure(.forward) { () throws(CompressionError) in
      try activations.advance(through: step, of: block)
    }
  }

  func packed(
    _ matrix: StoredLinear, name: String
  ) throws(CompressionError) -> any LinearWeights {
    try CompressionError.wrapping(
      tensors: { () throws(TensorError) in try matrix.packed(name: name) })
  }

  /// Sites of a block whose inputs are observed together: one, or those of experts, of which a
  /// token reaches few, as long as their second moments take no more than half of what the block
  /// does.
  func groups(of layer: Int) -> [Range<Int>] {
    let sites = sites[layer]
    let most = max(
      Self.momentBytes,
      sites.flatMap(\.linears).reduce(0) { $0 + $1.weights.outFeatures * $1.weights.inFeatures })
    var groups: [Range<Int>] = []
    var held = 0
    for (index, site) in sites.enumerated() {
      let bytes = 8 * site.inFeatures * site.inFeatures
      if let last = groups.last, site.share < 1, sites[last.lowerBound].share < 1,
        site.isPartInput == sites[last.lowerBound].isPartInput, held + bytes <= most
      {
        groups[groups.count - 1] = last.lowerBound..<index + 1
        held += bytes
      } else {
        groups.append(index..<index + 1)
        held = bytes
      }
    }
    return groups
  }

  /// How the inputs of the last layer of a step are kept while it is quantized, and the bytes that
  /// they take: without them the step would be computed once more. None where another layer or none
  /// ends the step, where nothing follows, or where they take more than half of what the embedding
  /// took before.
  func kept(
    of group: Range<Int>, layer: Int, tokens: Int
  ) -> (scheme: ActivationScheme, bytes: Int)? {
    let all = sites[layer]
    let site = all[group.lowerBound]
    let endsStep = group.upperBound == all.count || all[group.upperBound].step > site.step
    let endsRun = layer == sites.count - 1 && group.upperBound == all.count
    guard group.count == 1, endsStep, !endsRun, !site.isPartInput, site.share == 1,
      site.linears.count == 1, let own = settings[site.linears[0].name], own.activations == nil,
      own.isFloat8 != true, own.groupGrids == .fixed || own.columnOrder == .natural
    else { return nil }
    let scheme = numerics.activations(
      forCodesSharingScalesBy: own.groupSize ?? site.inFeatures, of: site.inFeatures)
    // Codes come with scales and sums of groups, and rows an odd number of lines apart.
    let bytes = tokens * (site.inFeatures * scheme.elementBytes * 9 / 8 + 128)
    return bytes <= embeddingBytes / 2 ? (scheme, bytes) : nil
  }

  /// What the tensors before the first block take as they are stored.
  private var embeddingBytes: Int {
    outerTensors.first.reduce(0) { $0 + (source.checkpoint.tensors[$1]?.byteCount ?? 0) }
  }

  /// What second moments may take of any block.
  private static let momentBytes = 256 << 20

  /// Norms and biases: everything of a layer that is no matrix of a linear layer.
  private func copyOthers(
    of layer: Int, changed: [String: Tensor], to writer: any ModelWriter
  ) throws(CompressionError) {
    let prefix = source.family.prefix(ofLayer: layer)
    let matrices = Set(sites[layer].flatMap(\.linears).map(\.storedName))
    for name in source.checkpoint.tensors.keys.sorted()
    where name.hasPrefix(prefix) && !matrices.contains(name) {
      if let tensor = changed[name] {
        try append(tensor, named: name, to: writer)
      } else {
        try copy(name, to: writer)
      }
    }
  }

  private func copy(_ name: String, to writer: any ModelWriter) throws(CompressionError) {
    try append(finiteTensor(name), named: name, to: writer)
  }

  private func append(
    _ tensor: Tensor, named name: String, to writer: any ModelWriter
  ) throws(CompressionError) {
    try CompressionError.wrapping { () throws(CheckpointError) in
      try writer.append(tensor, named: name)
    }
  }

  /// The weights of a linear layer as the source has them.
  private func storedTensor(of linear: Linear) throws(CompressionError) -> Tensor {
    guard let part = linear.part else { return try finiteTensor(linear.storedName) }
    return try finite(part.tensor) { () throws(CheckpointError) in
      try source.checkpoint.tensor(part)
    }
  }

  private func finiteTensor(_ name: String) throws(CompressionError) -> Tensor {
    try finite(name) { () throws(CheckpointError) in try source.checkpoint.tensor(named: name) }
  }

  private func finite(
    _ name: String, _ read: () throws(CheckpointError) -> Tensor
  ) throws(CompressionError) -> Tensor {
    let tensor = try CompressionError.wrapping(read)
    if let position = tensor.firstNonFinite {
      throw .nonFiniteTensor(name: name, position: position)
    }
    return tensor
  }
}
