import KVCaches
import ModelLoader
import DecoderModels
import Quantizers
import Tensors

/// Makes a model smaller, one decoder block at a time.
///
/// The inputs of a block come from the already quantized blocks before it, and within a block from the layers quantized
/// before, site by site: q, k and v, then o, then gate and up, then down, say ("true sequential", GPTQ, arXiv:2210.17323).
/// Memory holds the embedding while it is read, one block, and the calibration's activations. Whatever is no linear layer of
/// a block's sites keeps its type.
public struct Compressor {
  /// What `progress` is told, before every block and often in between: `block` of `blocks` is under work, and this part
  /// of it done (0 to 1). What it throws ends the work.
  public typealias Progress = (_ block: Int, _ blocks: Int, _ part: Double) throws -> Void

  let source: DecoderSource
  /// The linear layers of each block by the input they multiply, without weights.
  let sites: [[Site]]
  /// The tensors before the first block, and those behind the last.
  let outerTensors: (first: [String], last: [String])
  /// Settings by layer name; layers that are not in it keep their type.
  let settings: [String: QuantizerSettings]
  private let scaleType: DType
  private let pool: ThreadPool

  /// A compressor of `checkpoint` by this plan, which stores scales as `scaleType`. Finds out at once which tensors are
  /// missing or of another shape.
  ///
  /// - Throws: `CompressionError.alreadyQuantized` or `.rule`, or what is wrong with the model.
  public init(
    _ checkpoint: Checkpoint, families: ModelFamilies = .standard, plan: CompressionPlan,
    scaleType: DType, pool: ThreadPool
  ) throws {
    guard try checkpoint.quantization() == nil else {
      throw CompressionError.alreadyQuantized(directory: checkpoint.directory.path)
    }
    let source = try DecoderSource(checkpoint, families: families)
    outerTensors = try source.outerTensors()
    sites = try (0..<source.shape.layers).map { try source.describedBlock($0).sites }
    let names = sites.flatMap { $0.flatMap(\.linears).map(\.name) }
    settings = Dictionary(
      uniqueKeysWithValues: zip(names, try plan.settings(of: names)).compactMap { name, settings in
        settings.map { (name, $0) }
      })
    self.source = source
    self.scaleType = scaleType
    self.pool = pool
  }

  /// The most inputs that a linear layer of the blocks has.
  public var widestInput: Int { sites.joined().map(\.inFeatures).max() ?? 0 }

  /// Whether any layer is quantized by a method that needs calibration text.
  public var needsCalibration: Bool { settings.values.contains { $0.method == .gptq } }

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
  ///   - progress: told how far the work is; what it throws ends it.
  /// - Returns: where the time of the blocks that were not in the store went.
  /// - Throws: `CompressionError.layer` naming a layer, `CheckpointError`, `TensorError`.
  @discardableResult
  public func run(
    sequences: [[Int32]], store: BlockStore, writer: any ModelWriter,
    record: inout CompressionRecord, progress: @escaping Progress
  ) throws -> PhaseTimes {
    let layers = sites.count
    var times = PhaseTimes()
    if !settings.isEmpty {
      try quantizeBlocks(
        sequences, store: store, record: &record, times: &times, progress: progress)
    }
    for name in outerTensors.first { try copy(name, to: writer) }
    for layer in 0..<layers {
      try copyOthers(of: layer, to: writer)
      let quantized = quantizedNames(of: layer)
      let block =
        quantized.isEmpty
        ? BlockStore.Block(matrices: [:], reports: []) : try store.block(layer, names: quantized)
      for linear in sites[layer].flatMap(\.linears) {
        if let matrix = block.matrices[linear.name] {
          try writer.append(matrix, named: linear.name)
        } else {
          try writer.append(.dense(storedTensor(of: linear)), named: linear.name)
        }
      }
    }
    for name in outerTensors.last { try copy(name, to: writer) }
    try progress(layers, layers, 0)
    return times
  }

  /// Finishes every block; the activations are gone when it returns, before the embedding is copied.
  private func quantizeBlocks(
    _ sequences: [[Int32]], store: BlockStore, record: inout CompressionRecord,
    times: inout PhaseTimes, progress: @escaping Progress
  ) throws {
    let layers = sites.count
    var activations = try times.measure(.reading) {
      try CalibrationActivations(sequences, source: source, pool: pool)
    }
    for layer in 0..<layers {
      try progress(layer, layers, 0)
      activations.startBlock(sites[layer], groups: groups(of: layer)) {
        try progress(layer, layers, $0)
      }
      let block = try finishedBlock(
        layer, store: store, activations: &activations, times: &times)
      record.layers.append(contentsOf: block.reports)
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
  ) throws -> BlockStore.Block {
    let isLast = layer == sites.count - 1
    var block = try times.measure(.reading) { try source.block(layer) }
    if store.isFinished(layer) {
      let stored = try store.block(layer, names: quantizedNames(of: layer))
      var sites = block.sites
      for site in sites.indices {
        for index in sites[site].linears.indices {
          let name = sites[site].linears[index].name
          guard let matrix = stored.matrices[name] else { continue }
          sites[site].linears[index].weights = try matrix.packed(name: name)
        }
      }
      block.sites = sites
      if !isLast {
        for step in 0..<block.stepCount {
          try times.measure(.forward) { try activations.advance(through: step, of: block) }
        }
      }
      return stored
    }
    let computed = try quantize(
      &block, layer: layer, activations: &activations, times: &times)
    try times.measure(.storing) { try store.save(layer, computed) }
    if !isLast {
      try times.measure(.forward) {
        try activations.advance(through: block.stepCount - 1, of: block)
      }
    }
    return computed
  }

  /// Sites of a block whose inputs are observed together: one, or those of experts, of which a token reaches few, as long as
  /// their second moments take no more than half of what the block does.
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

  /// What second moments may take of any block.
  private static let momentBytes = 256 << 20

  /// Quantizes the layers of a block in place; the activations move on to its last step.
  private func quantize(
    _ block: inout DecoderBlock, layer: Int, activations: inout CalibrationActivations,
    times: inout PhaseTimes
  ) throws -> BlockStore.Block {
    var finished = BlockStore.Block(matrices: [:], reports: [])
    var step = 0
    for group in groups(of: layer) {
      while step < sites[layer][group.lowerBound].step {
        try times.measure(.forward) { try activations.advance(through: step, of: block) }
        step += 1
      }
      let parts = group.map { self.parts(of: block.sites[$0]) }
      if parts.allSatisfy(\.isEmpty) { continue }
      let moments = try activations.moments(of: group, block: block, times: &times)
      var sites = block.sites
      for (index, site) in group.enumerated() {
        for part in parts[index] {
          try quantize(
            part.linears, of: &sites[site], by: part.settings, moments: moments[index],
            into: &finished, times: &times)
        }
      }
      block.sites = sites
    }
    return finished
  }

  /// Which layers of a site are quantized, by their index; those of the same settings together.
  private func parts(of site: Site) -> [(settings: QuantizerSettings, linears: [Int])] {
    var parts: [(settings: QuantizerSettings, linears: [Int])] = []
    for (index, linear) in site.linears.enumerated() {
      guard let own = settings[linear.name] else { continue }
      if let part = parts.firstIndex(where: { $0.settings == own }) {
        parts[part].linears.append(index)
      } else {
        parts.append((own, [index]))
      }
    }
    return parts
  }

  /// Quantizes some layers of a site together; those of an expert that calibration hardly reached are rounded to nearest.
  private func quantize(
    _ indices: [Int], of site: inout Site, by settings: QuantizerSettings,
    moments: CalibrationActivations.Moments, into finished: inout BlockStore.Block,
    times: inout PhaseTimes
  ) throws {
    var settings = settings
    if settings.method == .gptq && moments.areTooFew { settings.method = .rtn }
    let quantized = try quantize(
      indices.map { site.linears[$0] }, by: settings, hessian: moments.hessian)
    for (index, layer) in zip(indices, quantized) {
      let name = site.linears[index].name
      finished.matrices[name] = layer.stored
      times.add(layer.times)
      site.linears[index].weights = try times.measure(.storing) {
        try layer.stored.packed(name: name)
      }
      finished.reports.append(
        .init(
          name: name, scheme: layer.scheme, report: layer.report,
          reached: site.share < 1 ? moments.rows : nil,
          isRounded: moments.areTooFew ? true : nil))
    }
  }

  /// What became of a layer.
  private struct Result {
    let stored: StoredLinear
    let scheme: QuantizationScheme
    let report: QuantizationReport
    let times: PhaseTimes
  }

  private func quantize(
    _ linears: [Linear], by settings: QuantizerSettings, hessian: Hessian?
  ) throws -> [Result] {
    if settings.isFloat8 == true {
      return try linears.map { try rounded($0, settings, hessian: hessian) }
    }
    let quantizer = try settings.quantizer(scaleType: scaleType)
    return try quantize(linears, by: quantizer, hessian: hessian).map { layer in
      var matrix = layer.matrix
      matrix.tokenRounding = settings.activations
      return Result(
        stored: .quantized(matrix), scheme: quantizer.scheme, report: layer.report,
        times: layer.times)
    }
  }

  /// A layer as 8-bit floats.
  private func rounded(
    _ linear: Linear, _ settings: QuantizerSettings, hessian: Hessian?
  ) throws -> Result {
    do throws(QuantizerError) {
      let rounding = Float8Rounding(scaleType: scaleType)
      var (matrix, report) = try rounding.quantize(
        WeightMatrix(
          linear.weights.dequantized(), outFeatures: linear.weights.outFeatures,
          inFeatures: linear.weights.inFeatures), hessian: hessian, on: pool)
      matrix.tokenRounding = settings.activations
      return Result(
        stored: .float8(matrix), scheme: try rounding.scheme, report: report, times: PhaseTimes())
    } catch {
      throw CompressionError.layer(name: linear.name, reason: error)
    }
  }

  private func quantize(
    _ linears: [Linear], by quantizer: any WeightQuantizer, hessian: Hessian?
  ) throws -> [QuantizedLayer] {
    var name = ""
    do throws(QuantizerError) {
      var matrices: [WeightMatrix] = []
      for linear in linears {
        name = linear.name
        matrices.append(
          try WeightMatrix(
            linear.weights.dequantized(), outFeatures: linear.weights.outFeatures,
            inFeatures: linear.weights.inFeatures))
      }
      name = linears.map(\.name).joined(separator: ", ")
      return try quantizer.quantize(matrices, hessian: hessian, on: pool)
    } catch {
      throw CompressionError.layer(name: name, reason: error)
    }
  }

  /// Norms and biases: everything of a layer that is no matrix of a linear layer.
  private func copyOthers(of layer: Int, to writer: any ModelWriter) throws {
    let prefix = source.family.prefix(ofLayer: layer)
    let matrices = Set(sites[layer].flatMap(\.linears).map(\.storedName))
    for name in source.checkpoint.tensors.keys.sorted()
    where name.hasPrefix(prefix) && !matrices.contains(name) {
      try copy(name, to: writer)
    }
  }

  private func copy(_ name: String, to writer: any ModelWriter) throws {
    try writer.append(finiteTensor(name), named: name)
  }

  /// The weights of a linear layer as the source has them.
  private func storedTensor(of linear: Linear) throws -> Tensor {
    guard let part = linear.part else { return try finiteTensor(linear.storedName) }
    return try finite(source.checkpoint.tensor(part), name: part.tensor)
  }

  private func finiteTensor(_ name: String) throws -> Tensor {
    try finite(source.checkpoint.tensor(named: name), name: name)
  }

  private func finite(_ tensor: Tensor, name: String) throws -> Tensor {
    if let position = tensor.firstNonFinite {
      throw CompressionError.nonFiniteTensor(name: name, position: position)
    }
    return tensor
  }
}
