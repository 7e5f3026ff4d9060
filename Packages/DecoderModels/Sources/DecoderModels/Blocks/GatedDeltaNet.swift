import KVCaches
import Kernels
import Tensors

/// Linear attention by a gated delta rule (Gated DeltaNet, arXiv:2412.06464), as Qwen3-Next and
/// Qwen3.5 have it: what is kept of a sequence has a fixed size, whatever its length.
///
/// Queries, keys and values pass a short causal convolution. The state S of a head then forgets a
/// part of itself, is corrected by what it gave for the token's key, and answers the query: `S =
/// decay S; S = S + key (strength (value - S^T key))^T; output = S^T query`. A norm and a gate
/// follow. Prompts take the same steps as single tokens, so a prompt may be cut anywhere: the
/// recurrence needs fewer multiplications than its form by chunks (docs/kernels.md).
public struct GatedDeltaNet: Mixer {
  /// The layers before the recurrence.
  public enum Inputs: Sendable {
    /// All queries, all keys and all values from one, `[channels, hidden]`; the gates `[value
    /// width, hidden]`; for each value head a strength and a decay, `[value heads, hidden]`.
    case separate(mixed: Linear, gate: Linear, strength: Linear, decay: Linear)
    /// For each key head its query, its key, its values and their gates; for each key head its
    /// strengths and decays.
    case grouped(mixed: Linear, strengthAndDecay: Linear)
  }

  /// Sizes.
  public let heads: DeltaHeads
  /// The layers before the recurrence. Those of strengths and decays are small and decide much:
  /// they are no `sites`.
  public private(set) var inputs: Inputs
  /// `[hidden, value width]`.
  public private(set) var output: Linear
  /// Of each value head's output, `[value dimension]`.
  public let norm: Norm
  /// `[taps, channels]`, the tap of the token itself last.
  private let convolution: [Float]
  /// `exp(A_log)`, `[value heads]`.
  private let rates: [Float]
  /// Added before the softplus of the decay, `[value heads]`.
  private let biases: [Float]
  /// Weights of the norms that queries and keys are divided by, `[key dimension]` each.
  private let queryScale: [Float]
  private let keyScale: [Float]

  /// Added to the sum of squares that queries and keys are divided by the root of.
  private static let lengthEpsilon: Float = 1e-6

  /// A mixer of these parts.
  ///
  /// - Parameters:
  ///   - heads: sizes.
  ///   - inputs: the layers before the recurrence.
  ///   - convolution: `[channels, taps]`, as files have it.
  ///   - logRates: `A_log`, `[value heads]`.
  ///   - biases: `dt_bias`, `[value heads]`.
  ///   - norm: of each value head's output.
  ///   - output: the layer behind.
  public init(
    _ heads: DeltaHeads, inputs: Inputs, convolution: [Float], logRates: [Float], biases: [Float],
    norm: Norm, output: Linear
  ) {
    precondition(convolution.count == heads.channels * heads.taps, "taps of every channel")
    self.heads = heads
    self.inputs = inputs
    self.output = output
    self.norm = norm
    self.biases = biases
    self.convolution = (0..<heads.taps).flatMap { tap in
      (0..<heads.channels).map { convolution[$0 * heads.taps + tap] }
    }
    // By the kernels' exponential, which gives the same bits on every machine.
    var rates = logRates
    _ = bb_kernels().pointee.exp_sum(logRates, 0, &rates, rates.count)
    self.rates = rates
    // x / sqrt(sum(x^2) + e) is a root-mean-square norm with e / n and a weight of 1 / sqrt(n).
    let count = heads.keyDimension
    queryScale = [Float](repeating: 1 / Float(count), count: count)
    keyScale = [Float](repeating: 1 / Float(count).squareRoot(), count: count)
  }

  /// See `BlockPart`.
  public var sites: [Site] {
    get {
      let first =
        switch inputs {
        case .separate(let mixed, let gate, _, _): [mixed, gate]
        case .grouped(let mixed, _): [mixed]
        }
      return [Site(first, isPartInput: true), Site([output], isPartInput: false)]
    }
    set {
      let first = newValue[0].linears
      switch inputs {
      case .separate(_, _, let strength, let decay):
        inputs = .separate(mixed: first[0], gate: first[1], strength: strength, decay: decay)
      case .grouped(_, let both): inputs = .grouped(mixed: first[0], strengthAndDecay: both)
      }
      output = newValue[1].linears[0]
    }
  }

  /// See `BlockPart`.
  public var firstWeights: any LinearWeights {
    switch inputs {
    case .separate(let mixed, _, _, _), .grouped(let mixed, _): mixed.weights
    }
  }

  /// See `BlockPart`.
  public var keptLinears: [Linear] {
    switch inputs {
    case .separate(_, _, let strength, let decay): [strength, decay]
    case .grouped(_, let both): [both]
    }
  }

  /// See `BlockPart`.
  public var lastLinear: Linear? { output }
  /// See `BlockPart`.
  public var otherParameters: Int {
    convolution.count + rates.count + biases.count + norm.parameters
  }

  /// See `Mixer`.
  public var state: LayerState { .fixed(floats: heads.stateFloats) }

  /// See `Mixer` and `FeedForward`.
  public var scratchWidth: Int { heads.channels + 2 * heads.valueWidth + 2 * heads.values }

  /// See `Mixer` and `FeedForward`.
  public func run(
    _ rows: BlockRows, caches: inout [KVCache], in pass: BlockPass, next: any LinearWeights
  ) throws(TensorError) {
    guard pass.shows(0) else { return }
    let (layout, width) = (rows.layout, heads.valueWidth)
    var opened: [DisjointMemory<Float>?] = []
    for run in layout.runs {
      let state = try caches[run.cache].openFixedState(of: rows.layer, tokens: run.rows.count)
      opened.append(state.baseAddress.map { DisjointMemory($0) })
    }
    let states = opened
    let projected = project(in: pass)
    let mixed = DisjointMemory(pass.scratch(4, layout.count * width))
    pass.pool.prefetchWeights(output.weights)
    let cost = layout.count * heads.values * heads.keyDimension * heads.valueDimension * 4
    pass.pool.split(layout.runs.count * heads.keys, cost: cost) { [kernels = pass.kernels] part in
      for item in part {
        let (index, keyHead) = item.quotientAndRemainder(dividingBy: heads.keys)
        guard let state = states[index] else { continue }
        mix(
          keyHead, projected, layout.runs[index].rows, state: state.base, into: mixed.base,
          by: kernels)
      }
    }
    var count = layout.count
    if let wanted = rows.wanted {
      moveToFront(wanted, of: mixed.base, width: width)
      pass.select(wanted)
      count = wanted.count
    }
    guard count > 0 else { return }
    pass.input.reset(mixed.base, tokens: count, width: width)
    guard pass.shows(1) else { return }
    pass.pool.prefetchWeights(next)
    pass.addProduct(output, through: 0)
  }

  // MARK: Projections

  /// What the layers before the recurrence gave, row after row.
  private struct Projections: Sendable {
    let mixed: DisjointMemory<Float>
    let mixedStride: Int
    let gate: DisjointMemory<Float>
    let gateStride: Int
    let strength: DisjointMemory<Float>
    let decay: DisjointMemory<Float>
    /// Of strengths and of decays.
    let stride: Int
  }

  /// Where a key head and the value heads that share it stand in a row.
  private struct Places {
    let query: Int
    let key: Int
    let value: Int
    let gate: Int
    /// Of strength and decay.
    let gates: Int
  }

  private func project(in pass: BlockPass) -> Projections {
    let rows = pass.input.tokens
    func scratch(_ slot: Int, _ linear: Linear) -> DisjointMemory<Float> {
      DisjointMemory(pass.scratch(slot, rows * linear.weights.outFeatures))
    }
    switch inputs {
    case .separate(let mixed, let gate, let strength, let decay):
      let all = [mixed, gate, strength, decay]
      let targets = all.enumerated().map { scratch($0, $1) }
      pass.pool.run(zip(all, targets).map { pass.product($0, into: $1.base) })
      return Projections(
        mixed: targets[0], mixedStride: heads.channels, gate: targets[1],
        gateStride: heads.valueWidth, strength: targets[2], decay: targets[3], stride: heads.values)
    case .grouped(let mixed, let both):
      let targets = [scratch(0, mixed), scratch(2, both)]
      pass.pool.run(zip([mixed, both], targets).map { pass.product($0, into: $1.base) })
      let stride = heads.channels + heads.valueWidth
      return Projections(
        mixed: targets[0], mixedStride: stride, gate: targets[0], gateStride: stride,
        strength: targets[1], decay: DisjointMemory(targets[1] + heads.group),
        stride: 2 * heads.values)
    }
  }

  private func places(of keyHead: Int) -> Places {
    let (width, values) = (heads.keyDimension, heads.group * heads.valueDimension)
    switch inputs {
    case .separate:
      return Places(
        query: keyHead * width, key: (heads.keys + keyHead) * width,
        value: 2 * heads.keys * width + keyHead * values, gate: keyHead * values,
        gates: keyHead * heads.group)
    case .grouped:
      let start = keyHead * 2 * (width + values)
      return Places(
        query: start, key: start + width, value: start + 2 * width,
        gate: start + 2 * width + values, gates: keyHead * 2 * heads.group)
    }
  }

  // MARK: The recurrence

  /// The value heads that share a key head, at consecutive tokens of one sequence.
  private func mix(
    _ keyHead: Int, _ x: Projections, _ rows: Range<Int>, state: UnsafeMutablePointer<Float>,
    into mixed: UnsafeMutablePointer<Float>, by kernels: bb_kernel_table
  ) {
    let (width, depth, group) = (heads.keyDimension, heads.valueDimension, heads.group)
    let places = places(of: keyHead)
    let first = x.mixed + rows.lowerBound * x.mixedStride
    let (query, key) = (first + places.query, first + places.key)
    let value = first + places.value
    let channels = [
      (query, keyHead * width, width), (key, (heads.keys + keyHead) * width, width),
      (value, 2 * heads.keys * width + keyHead * group * depth, group * depth),
    ]
    convolution.withUnsafeBufferPointer { weights in
      guard let weights = weights.baseAddress else { return }
      for (x0, channel, count) in channels {
        kernels.causal_convolution(
          x0, rows.count, x.mixedStride, weights + channel, heads.channels, state + channel,
          heads.channels, heads.taps, count)
      }
    }
    let (strength, decay) = (
      x.strength + rows.lowerBound * x.stride + places.gates,
      x.decay + rows.lowerBound * x.stride + places.gates
    )
    let epsilon = Self.lengthEpsilon / Float(width)
    rates.withUnsafeBufferPointer { rates in
      biases.withUnsafeBufferPointer { biases in
        guard let rates = rates.baseAddress, let biases = biases.baseAddress else { return }
        for token in 0..<rows.count {
          let (q, k) = (query + token * x.mixedStride, key + token * x.mixedStride)
          kernels.rms_norm(q, queryScale, epsilon, width, q)
          kernels.rms_norm(k, keyScale, epsilon, width, k)
          kernels.delta_gates(
            decay + token * x.stride, strength + token * x.stride, rates + keyHead * group,
            biases + keyHead * group, group)
        }
      }
    }
    for member in 0..<group {
      let head = keyHead * group + member
      let target = mixed + rows.lowerBound * heads.valueWidth + head * depth
      var tokens = bb_delta_tokens(
        query: query, key: key, value: value + member * depth, ld: x.mixedStride,
        decay: decay + member, strength: strength + member, ld_decay: x.stride,
        ld_strength: x.stride, output: target, ld_output: heads.valueWidth)
      kernels.delta_rule(
        &tokens, rows.count, width, depth, state + heads.place(head: head, row: 0, column: 0))
      let gate = x.gate + rows.lowerBound * x.gateStride + places.gate + member * depth
      for token in 0..<rows.count {
        let row = target + token * heads.valueWidth
        norm.apply(kernels, row, into: row)
        kernels.silu_multiply(gate + token * x.gateStride, row, row, depth)
      }
    }
  }
}

/// Sizes of a layer of linear attention.
public struct DeltaHeads: Sendable, Hashable {
  /// Heads of queries and keys.
  public let keys: Int
  /// Heads of values, a multiple of `keys`: value head j reads key head j / `group`.
  public let values: Int
  /// Numbers in one query and one key.
  public let keyDimension: Int
  /// Numbers in one value.
  public let valueDimension: Int
  /// Tokens that the convolution sees, itself included; 1 to `mostTaps`.
  public let taps: Int

  /// The most `taps`.
  public static let mostTaps = Int(BB_MOST_TAPS)

  /// Heads of these numbers.
  public init(keys: Int, values: Int, keyDimension: Int, valueDimension: Int, taps: Int) {
    precondition(
      values % keys == 0 && (1...Self.mostTaps).contains(taps), "heads of linear attention")
    self.keys = keys
    self.values = values
    self.keyDimension = keyDimension
    self.valueDimension = valueDimension
    self.taps = taps
  }

  /// Value heads that share a key head.
  public var group: Int { values / keys }
  /// Width of all values.
  public var valueWidth: Int { values * valueDimension }
  /// What the convolution runs over: all queries, keys and values.
  public var channels: Int { 2 * keys * keyDimension + valueWidth }

  /// Floats of the state: the last inputs of the convolution, `[taps - 1, channels]`, then the
  /// states of the heads, whose columns lie in sixteens (`bb_kernel_table.delta_rule`).
  public var stateFloats: Int { (taps - 1) * channels + values * headFloats }

  private var headFloats: Int {
    keyDimension * ((valueDimension + 15) / 16 * 16)
  }

  /// Where a number of a head's state `[key dimension, value dimension]` stands in the floats of
  /// the state.
  public func place(head: Int, row: Int, column: Int) -> Int {
    (taps - 1) * channels + head * headFloats + (column / 16 * keyDimension + row) * 16
      + column % 16
  }
}
