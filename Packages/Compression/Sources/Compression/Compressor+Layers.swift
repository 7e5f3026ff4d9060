import DecoderModels
import MemoryPlanner
import ModelLoader
import Quantizers
import Tensors

/// What happens to the layers of one block.
extension Compressor {
  /// Quantizes the layers of a block in place; the activations move on to its last step.
  func quantize(
    _ block: inout DecoderBlock, layer: Int, activations: inout CalibrationActivations,
    times: inout PhaseTimes
  ) throws(CompressionError) -> BlockStore.Block {
    var finished = BlockStore.Block(matrices: [:], reports: [])
    var (step, smoothed) = (0, Set<Int>())
    if let rotation {
      try CompressionError.wrapping(
        tensors: { () throws(TensorError) in try rotation.apply(to: &block) })
    }
    for group in groups(of: layer) {
      while step < sites[layer][group.lowerBound].step {
        try advance(&activations, through: step, of: block, times: &times)
        step += 1
      }
      let parts = group.map { self.parts(of: block.sites[$0]) }
      let norms = Set(group.compactMap { smoothing?.norm(of: $0, in: block) })
        .subtracting(smoothed)
      if parts.allSatisfy(\.isEmpty), norms.isEmpty { continue }
      let site = sites[layer][group.lowerBound]
      let endsStep = block.lastLinear(ofStep: site.step)?.name == site.linears[0].name
      let kept = endsStep ? self.kept(of: group, layer: layer, tokens: activations.tokens) : nil
      var moments = try activations.moments(
        of: group, block: block, keptAs: kept?.scheme, times: &times)
      if let smoothing, let norm = norms.first {
        let divisors = try CompressionError.wrapping(
          tensors: { () throws(TensorError) in
            try smoothing.smooth(
              norm: norm, of: &block, largest: moments[0].largest, storedAs: scaleType)
          })
        let names = Self.names(block.sites[group.lowerBound].linears)
        try CompressionError.wrapping(layer: names) { () throws(QuantizerError) in
          try moments[0].divide(by: divisors)
        }
        smoothed.insert(norm)
      }
      var sites = block.sites
      for (index, site) in group.enumerated() {
        for part in parts[index] {
          try quantize(
            part.linears, of: &sites[site], by: part.settings, moments: moments[index],
            isShown: !activations.isEmpty, into: &finished, times: &times)
        }
      }
      block.sites = sites
    }
    if hasTransforms {
      try CompressionError.wrapping { () throws(CheckpointError) in
        try keepChanges(of: block, in: &finished)
      }
    }
    return finished
  }

  private static func names(_ linears: [Linear]) -> String {
    linears.map(\.name).joined(separator: ", ")
  }

  /// Puts what was changed and not quantized beside what was.
  private func keepChanges(
    of block: DecoderBlock, in finished: inout BlockStore.Block
  ) throws(CheckpointError) {
    for linear in block.sites.flatMap(\.linears) where finished.matrices[linear.name] == nil {
      finished.matrices[linear.name] = .dense(
        try Tensor(
          rounding: linear.weights.dequantized(), to: scaleType,
          shape: [linear.weights.outFeatures, linear.weights.inFeatures], name: linear.name))
    }
    for norm in block.norms {
      guard let name = norm.name else { continue }
      finished.norms[name + ".weight"] = try Tensor(
        rounding: norm.weight.map { $0 - norm.offset }, to: scaleType,
        shape: [norm.weight.count], name: name)
      if let bias = norm.bias {
        finished.norms[name + ".bias"] = try Tensor(
          rounding: bias, to: scaleType, shape: [bias.count], name: name)
      }
    }
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

  /// Quantizes some layers of a site together; those of an expert that calibration hardly reached
  /// are rounded to nearest. They take the place of the source's where calibration text `isShown` to
  /// what follows.
  private func quantize(
    _ indices: [Int], of site: inout Site, by settings: QuantizerSettings,
    moments: CalibrationActivations.Moments, isShown: Bool,
    into finished: inout BlockStore.Block, times: inout PhaseTimes
  ) throws(CompressionError) {
    var settings = settings
    if settings.method == .gptq && moments.areTooFew { settings.method = .rtn }
    let quantized = try quantize(
      indices.map { site.linears[$0] }, by: settings, moments: moments,
      isInner: !site.isPartInput && site.step > 0, times: &times)
    for (index, layer) in zip(indices, quantized) {
      let name = site.linears[index].name
      finished.matrices[name] = layer.stored
      times.add(layer.times)
      if isShown {
        site.linears[index].weights = try times.measure(.storing) { () throws(CompressionError) in
          try packed(layer.stored, name: name)
        }
      }
      finished.reports.append(
        .init(
          name: name, scheme: layer.scheme, report: layer.report,
          reached: site.share < 1 ? moments.rows : nil,
          isRounded: moments.areTooFew ? true : nil))
    }
  }

  /// What became of a layer.
  struct Result {
    let stored: StoredLinear
    let scheme: QuantizationScheme
    let report: QuantizationReport
    let times: PhaseTimes
  }

  private func quantize(
    _ linears: [Linear], by settings: QuantizerSettings,
    moments: CalibrationActivations.Moments, isInner: Bool, times: inout PhaseTimes
  ) throws(CompressionError) -> [Result] {
    if settings.isFloat8 == true {
      return try linears.map { (linear) throws(CompressionError) in
        try rounded(linear, settings, hessian: moments.hessian, times: &times)
      }
    }
    if settings.activations?.codeBits != nil {
      let rotates = isInner && settings.rotatesInputs == true
      return try besidesOutliers(
        linears, settings, moments: moments, rotates: rotates, times: &times)
    }
    let quantizer = try CompressionError.wrapping(layer: Self.names(linears)) {
      () throws(QuantizerError) in try settings.quantizer(scaleType: scaleType)
    }
    let layers = try quantize(linears, by: quantizer, hessian: moments.hessian, times: &times)
    return layers.map { layer in
      var matrix = layer.matrix
      matrix.tokenRounding = settings.activations
      return Result(
        stored: .quantized(matrix), scheme: quantizer.scheme, report: layer.report,
        times: layer.times)
    }
  }

  /// A layer as 8-bit floats.
  private func rounded(
    _ linear: Linear, _ settings: QuantizerSettings, hessian: Hessian?, times: inout PhaseTimes
  ) throws(CompressionError) -> Result {
    do throws(QuantizerError) {
      let rounding = Float8Rounding(scaleType: scaleType)
      let weights = try floats(of: linear, times: &times)
      var (matrix, report) = try times.measure(.rounding) { () throws(QuantizerError) in
        try rounding.quantize(weights, hessian: hessian, on: pool)
      }
      matrix.tokenRounding = settings.activations
      return Result(
        stored: .float8(matrix), scheme: try rounding.scheme, report: report, times: PhaseTimes())
    } catch {
      throw CompressionError.layer(name: linear.name, reason: error)
    }
  }

  /// Layers that are not rounded in some inputs, and whose activations are rounded in all others.
  private func besidesOutliers(
    _ linears: [Linear], _ settings: QuantizerSettings, moments: CalibrationActivations.Moments,
    rotates: Bool, times: inout PhaseTimes
  ) throws(CompressionError) -> [Result] {
    let names = Self.names(linears)
    let width = linears[0].weights.inFeatures
    let rotation = rotates ? Hadamard(width: width) : nil
    let count = WeightScheme.outliers(
      inputs: width, width: source.shape.hiddenSize, usual: settings.outliers ?? 0)
    let outliers = OutlierChoice(count: count, threshold: settings.outlierThreshold ?? 0)
      .columns(for: moments.largest)
    let (layers, scheme) = try CompressionError.wrapping(layer: names) {
      () throws(QuantizerError) in
      var hessian = moments.hessian
      if let rotation { hessian = try hessian?.rotated(by: rotation) }
      var matrices: [WeightMatrix] = []
      for linear in linears {
        matrices.append(try floats(of: linear, rotatedBy: rotation, times: &times))
      }
      let quantizer = try settings.quantizer(scaleType: scaleType)
      let layers: [OutlierLayer]
      switch quantizer {
      case let gptq as GPTQ:
        layers = try gptq.quantize(matrices, besides: outliers, hessian: hessian, on: pool)
      case let rounding as RoundToNearest:
        layers = try rounding.quantize(matrices, besides: outliers, hessian: hessian, on: pool)
      default:
        throw .invalidSetting(
          name: "method", found: settings.method.rawValue, expected: "gptq or rtn beside outliers")
      }
      return (layers, quantizer.scheme)
    }
    return try layers.map { (layer) throws(CompressionError) in
      var codes = layer.codes
      codes.tokenRounding = settings.activations
      var kept: Tensor?
      if !outliers.isEmpty {
        kept = try CompressionError.wrapping { () throws(CheckpointError) in
          try Tensor(
            rounding: layer.outliers, to: scaleType,
            shape: [codes.outFeatures, outliers.count], name: names)
        }
      }
      do throws(TensorError) {
        return Result(
          stored: .outliers(
            try OutlierMatrix(
              rest: codes, columns: outliers.map(Int32.init), outliers: kept, rotation: rotation)),
          scheme: scheme, report: layer.report, times: layer.times)
      } catch {
        throw .layer(name: names, reason: .tensor(error))
      }
    }
  }

  private func quantize(
    _ linears: [Linear], by quantizer: any WeightQuantizer, hessian: Hessian?,
    times: inout PhaseTimes
  ) throws(CompressionError) -> [QuantizedLayer] {
    var name = ""
    do throws(QuantizerError) {
      var matrices: [WeightMatrix] = []
      for linear in linears {
        name = linear.name
        matrices.append(try floats(of: linear, times: &times))
      }
      name = linears.map(\.name).joined(separator: ", ")
      return try quantizer.quantize(matrices, hessian: hessian, on: pool)
    } catch {
      throw CompressionError.layer(name: name, reason: error)
    }
  }

  /// The weights of a layer for a quantizer.
  private func floats(
    of linear: Linear, rotatedBy rotation: Hadamard? = nil, times: inout PhaseTimes
  ) throws(QuantizerError) -> WeightMatrix {
    try times.measure(.preparing) { () throws(QuantizerError) in
      var values = linear.weights.dequantized(on: pool)
      rotation?.rotate(rowsOf: &values)
      return try WeightMatrix(
        values, outFeatures: linear.weights.outFeatures, inFeatures: linear.weights.inFeatures)
    }
  }
}
