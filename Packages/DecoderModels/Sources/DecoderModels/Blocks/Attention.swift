import KVCaches
import Kernels
import Tensors

/// Softmax attention of query heads, a group of which shares a key/value head (arXiv:2305.13245).
public struct Attention: Mixer {
  /// The layers that queries, keys and values come from.
  public enum Inputs: Sendable {
    /// One each: `[query width, hidden]` and twice `[key width, hidden]`.
    case separate(query: Linear, key: Linear, value: Linear)
    /// One for all: for each KV head its query heads, its key, its value.
    case fused(Linear)
  }

  /// How scores depend on where tokens stand.
  public enum Position: Sendable, Hashable {
    /// Queries and keys are rotated (arXiv:2104.09864).
    case rotary(RotaryConfig)
    /// A bias of scores for each head, linear in the position of the key (arXiv:2108.12409), in
    /// BF16 as Falcon has it.
    case alibi
    /// Not at all: the embedding has positions.
    case none
  }

  /// Sizes.
  public let heads: AttentionHeads
  /// The layers before the attention.
  public private(set) var inputs: Inputs
  /// `[hidden, query width]`.
  public private(set) var output: Linear
  /// Norms of each query and key before they are rotated, `[dimension]`.
  public let queryNorm: Norm?
  /// See `queryNorm`.
  public let keyNorm: Norm?
  /// How scores depend on where tokens stand.
  public let position: Position
  /// Whether the query layer gives a gate with each query, `[query, gate]` for each head: what a
  /// head attended to is multiplied by its sigmoid.
  public let isGated: Bool
  /// How many tokens a query sees, its own included; nil for all.
  public let window: Int?
  /// Of ALiBi, `[query heads]`.
  private let slopes: [Float]

  /// An attention of these parts.
  public init(
    _ heads: AttentionHeads, inputs: Inputs, output: Linear, queryNorm: Norm? = nil,
    keyNorm: Norm? = nil, position: Position, isGated: Bool = false, window: Int? = nil
  ) {
    self.heads = heads
    self.inputs = inputs
    self.output = output
    self.queryNorm = queryNorm
    self.keyNorm = keyNorm
    self.position = position
    self.isGated = isGated
    self.window = window
    slopes = position == .alibi ? ALiBi.slopes(heads.queries) : []
  }

  /// See `BlockPart`.
  public var sites: [Site] {
    get {
      let first =
        switch inputs {
        case .separate(let query, let key, let value): [query, key, value]
        case .fused(let all): [all]
        }
      return [Site(first, isPartInput: true), Site([output], isPartInput: false)]
    }
    set {
      let first = newValue[0].linears
      switch inputs {
      case .separate: inputs = .separate(query: first[0], key: first[1], value: first[2])
      case .fused: inputs = .fused(first[0])
      }
      output = newValue[1].linears[0]
    }
  }

  /// See `BlockPart`.
  public var firstWeights: any LinearWeights {
    switch inputs {
    case .separate(let query, _, _): query.weights
    case .fused(let all): all.weights
    }
  }

  /// See `BlockPart`.
  public var lastLinear: Linear? { output }
  /// See `BlockPart`.
  public var otherParameters: Int { (queryNorm?.parameters ?? 0) + (keyNorm?.parameters ?? 0) }
  /// See `Mixer`.
  public var needsAllKeys: Bool { position == .alibi }
  /// See `Mixer`.
  public var state: LayerState { .keyValues(heads, window: window) }

  /// See `Mixer` and `FeedForward`.
  public var scratchWidth: Int {
    let own = 2 * (heads.queryWidth + heads.keyWidth)
    if case .fused(let all) = inputs { return own + all.weights.outFeatures }
    return isGated ? own + 2 * heads.queryWidth : own
  }

  /// See `Mixer` and `FeedForward`.
  public func run(
    _ rows: BlockRows, caches: inout [KVCache], in pass: BlockPass, next: any LinearWeights
  ) throws(TensorError) {
    guard pass.shows(0) else { return }
    let projected = try project(rows, caches: &caches, in: pass)
    let layout = rows.wanted.map { rows.layout.selecting($0) } ?? rows.layout
    if layout.count > 0 {
      let attended = pass.scratch(3, layout.count * heads.queryWidth)
      attend(projected, layer: rows.layer, layout, caches, in: pass, into: attended)
      if isGated { applyGates(to: attended, rows: layout.count, in: pass) }
      pass.input.reset(attended, tokens: layout.count, width: heads.queryWidth)
    }
    for run in rows.layout.runs {
      if rows.wanted != nil {
        caches[run.cache].compactIfDue(layer: rows.layer)
      } else {
        try caches[run.cache].compactIfDue(
          queries: projected + run.rows.lowerBound * heads.queryWidth, tokens: run.rows.count,
          heads: heads.queries, layer: rows.layer, on: pass.pool)
      }
    }
    guard layout.count > 0, pass.shows(1) else { return }
    pass.pool.prefetchWeights(next)
    pass.addProduct(output, through: 0)
  }

  // MARK: Queries, keys, values

  /// Appends the keys and values of all rows; the queries `[rows, query width]` of the wanted ones,
  /// which `pass` has then selected.
  private func project(
    _ rows: BlockRows, caches: inout [KVCache], in pass: BlockPass
  ) throws(TensorError) -> UnsafeMutablePointer<Float> {
    let layout = rows.layout
    var appends: [KVAppend] = []
    for run in layout.runs {
      appends.append(try caches[run.cache].reserve(tokens: run.rows.count, layer: rows.layer))
    }
    let q = pass.scratch(0, layout.count * heads.queryWidth)
    switch inputs {
    case .separate(let query, let key, let value):
      let appended = appended(key, value, layout, appends, in: pass)
      guard let wanted = rows.wanted else {
        let queries = rotatedQueries(query, layout, into: q, in: pass)
        pass.pool.prefetchWeights(output.weights)
        pass.pool.run([queries, appended])
        return q
      }
      pass.pool.run([appended])
      pass.select(wanted)
      if !wanted.isEmpty {
        pass.pool.run([rotatedQueries(query, layout.selecting(wanted), into: q, in: pass)])
      }
    case .fused(let all):
      projectFused(all, layout, appends, into: q, in: pass)
      if let wanted = rows.wanted {
        pass.select(wanted)
        moveToFront(wanted, of: q, width: heads.queryWidth)
      }
    }
    return q
  }

  /// The queries of the input, rotated.
  private func rotatedQueries(
    _ query: Linear, _ layout: RowLayout, into q: UnsafeMutablePointer<Float>, in pass: BlockPass
  ) -> LinearProduct {
    let (dimension, kernels) = (heads.dimension, pass.kernels)
    let queries = DisjointMemory(q)
    guard isGated else {
      return pass.product(query, into: q).epilogue(granularity: dimension) { features in
        rotate(queries, self.heads(features), of: heads.queries, norm: queryNorm, layout, kernels)
      }
    }
    let both = DisjointMemory(gatedQueries(rows: layout.count, in: pass))
    return pass.product(query, into: both.base).epilogue(granularity: 2 * dimension) { features in
      let some = features.lowerBound / (2 * dimension)..<features.upperBound / (2 * dimension)
      for head in 0..<layout.count * heads.queries where some.contains(head % heads.queries) {
        (queries + head * dimension).update(from: both + 2 * head * dimension, count: dimension)
      }
      rotate(queries, some, of: heads.queries, norm: queryNorm, layout, kernels)
    }
  }

  /// Queries and gates, `[rows, heads, 2, dimension]`.
  private func gatedQueries(rows: Int, in pass: BlockPass) -> UnsafeMutablePointer<Float> {
    pass.scratch(4, rows * 2 * heads.queryWidth)
  }

  /// Multiplies what every head attended to by the sigmoid of its gate.
  private func applyGates(
    to attended: UnsafeMutablePointer<Float>, rows: Int, in pass: BlockPass
  ) {
    let (dimension, attended) = (heads.dimension, DisjointMemory(attended))
    let both = ReadOnlyMemory(UnsafePointer(gatedQueries(rows: rows, in: pass)))
    pass.pool.split(rows * heads.queries, cost: rows * heads.queryWidth * 16) {
      [kernels = pass.kernels] part in
      for head in part {
        let x = attended + head * dimension
        kernels.sigmoid_multiply(both + (2 * head + 1) * dimension, x, x, dimension)
      }
    }
  }

  /// The keys and values of the input; the keys rotated, both stored in the slots reserved for
  /// them.
  private func appended(
    _ key: Linear, _ value: Linear, _ layout: RowLayout, _ appends: [KVAppend], in pass: BlockPass
  ) -> LinearProduct {
    let width = heads.keyWidth
    let k = DisjointMemory(pass.scratch(1, layout.count * width))
    let v = DisjointMemory(pass.scratch(2, layout.count * width))
    let both = pass.product(key, into: k.base).fused(with: pass.product(value, into: v.base))
    return both.epilogue(granularity: heads.dimension) { [kernels = pass.kernels] features in
      let some = self.heads(features)
      rotate(k, some, of: heads.keyValues, norm: keyNorm, layout, kernels)
      put(keys: k.base, values: v.base, heads: some, layout, appends)
    }
  }

  /// Queries, keys and values of one layer. Each head is moved to its kind and rotated where it was
  /// formed; keys and values are appended when all are there.
  private func projectFused(
    _ all: Linear, _ layout: RowLayout, _ appends: [KVAppend], into q: UnsafeMutablePointer<Float>,
    in pass: BlockPass
  ) {
    let (dimension, width, rows) = (heads.dimension, all.weights.outFeatures, layout.count)
    let q = DisjointMemory(q)
    let mixed = DisjointMemory(pass.scratch(4, rows * width))
    let k = DisjointMemory(pass.scratch(1, rows * heads.keyWidth))
    let v = DisjointMemory(pass.scratch(2, rows * heads.keyWidth))
    pass.pool.prefetchWeights(output.weights)
    pass.pool.run([
      pass.product(all, into: mixed.base).epilogue(granularity: dimension) {
        [kernels = pass.kernels] features in
        for head in self.heads(features) {
          let (kvHead, place) = head.quotientAndRemainder(dividingBy: heads.group + 2)
          let kind = place - heads.group  // Below 0 a query, 0 the key, 1 the value.
          let target = kind < 0 ? q : kind == 0 ? k : v
          let index = kind < 0 ? kvHead * heads.group + place : kvHead
          let count = kind < 0 ? heads.queries : heads.keyValues
          for row in 0..<rows {
            (target + (row * count + index) * dimension)
              .update(from: mixed + row * width + head * dimension, count: dimension)
          }
          if kind > 0 { continue }
          rotate(
            target, index..<index + 1, of: count, norm: kind < 0 ? queryNorm : keyNorm, layout,
            kernels)
        }
      }
    ])
    pass.pool.split(heads.keyValues, cost: rows * heads.keyWidth * 2) {
      put(keys: k.base, values: v.base, heads: $0, layout, appends)
    }
  }

  private func put(
    keys: UnsafePointer<Float>, values: UnsafePointer<Float>, heads some: Range<Int>,
    _ layout: RowLayout, _ appends: [KVAppend]
  ) {
    for (run, append) in zip(layout.runs, appends) {
      let start = run.rows.lowerBound * heads.keyWidth
      append.put(keys: keys + start, values: values + start, heads: some)
    }
  }

  private func heads(_ features: Range<Int>) -> Range<Int> {
    features.lowerBound / heads.dimension..<features.upperBound / heads.dimension
  }

  /// Normalises some heads of all rows of `x` `[rows, all heads, dimension]` where there is a norm,
  /// then rotates them by their row's angles.
  private func rotate(
    _ x: DisjointMemory<Float>, _ some: Range<Int>, of all: Int, norm: Norm?,
    _ layout: RowLayout, _ kernels: bb_kernel_table
  ) {
    let dimension = heads.dimension
    guard case .rotary(let rotary) = position else {
      guard let norm else { return }
      for head in 0..<layout.count * all where some.contains(head % all) {
        norm.apply(kernels, x + head * dimension, into: x + head * dimension)
      }
      return
    }
    let half = rotary.dimension / 2
    layout.cosines.withUnsafeBufferPointer { cosines in
      layout.sines.withUnsafeBufferPointer { sines in
        guard let cosine = cosines.baseAddress, let sine = sines.baseAddress else { return }
        for row in 0..<layout.count {
          for head in some {
            let at = x + (row * all + head) * dimension
            if let norm { norm.apply(kernels, at, into: at) }
            kernels.rotate(at, cosine + row * half, sine + row * half, half)
          }
        }
      }
    }
  }
}

extension Attention {
  /// The attention of all rows.
  private func attend(
    _ q: UnsafePointer<Float>, layer: Int, _ layout: RowLayout, _ caches: [KVCache],
    in pass: BlockPass, into output: UnsafeMutablePointer<Float>
  ) {
    let (dimension, group, kvHeads) = (heads.dimension, heads.group, heads.keyValues)
    let (scale, width) = (1 / Float(dimension).squareRoot(), heads.queryWidth)
    let biases = pass.scratch(5, slopes.count)
    biases.update(from: slopes, count: slopes.count)
    let spans = attentionSpans(
      layer: layer, layout, caches, slopes: slopes.isEmpty ? nil : UnsafePointer(biases),
      workers: pass.pool.workers)
    let cost = spans.reduce(0) { $0 + $1.span.products } * heads.queries * dimension * 2
    // Heads are the outer loop, so that every worker gets rows from all over a prompt: later ones
    // see more. Those of single tokens are read faster side by side.
    let areSeparate = spans.allSatisfy(\.span.areSeparate)
    let (q, output, numerics) = (ReadOnlyMemory(q), DisjointMemory(output), pass.input.numerics)
    pass.pool.split(
      spans.count * kvHeads, cost: cost, schedule: areSeparate ? .even : .guided
    ) { part in
      for item in part {
        let (kvHead, (rows, span)) = (item / spans.count, spans[item % spans.count])
        // A single token reads its KV heads page by page, in the order of memory: with the first of
        // them.
        if span.areSeparate && item - spans.count >= part.lowerBound { continue }
        let count = span.areSeparate ? (part.upperBound - 1 - item) / spans.count + 1 : 1
        let start = kvHead * group * dimension
        span.attend(
          queries: q + start, rows: rows, stride: width, heads: group,
          kvHeads: kvHead..<kvHead + count, scale: scale, numerics: numerics,
          output: output + start)
      }
    }
  }

  /// Rows that attend together: a few consecutive tokens of a sequence, or single tokens of
  /// sequences that share pages.
  private func attentionSpans(
    layer: Int, _ layout: RowLayout, _ caches: [KVCache], slopes: UnsafePointer<Float>?,
    workers: Int
  ) -> [(rows: [Int], span: AttentionSpan)] {
    let most = max(1, Self.queriesTogether / heads.group)
    var rows: [Range<Int>] = []
    var spans: [AttentionSpan] = []
    for run in layout.runs {
      for row in stride(from: run.rows.lowerBound, to: run.rows.upperBound, by: most) {
        let some = row..<min(row + most, run.rows.upperBound)
        rows.append(some)
        spans.append(
          AttentionSpan(
            caches[run.cache], layer: layer,
            visible: caches[run.cache].count(of: layer) - layout.behind[some.upperBound - 1],
            tokens: some.count, slopes: slopes))
      }
    }
    // As many as leave work for every thread.
    let together = min(most, spans.count * heads.keyValues / (2 * workers))
    return AttentionSpan.cascade(spans, atMost: together).map { members, span in
      (members.flatMap { rows[$0] }, span)
    }
  }

  /// Queries that read a page together: their weighted values then stay in the first-level cache.
  private static let queriesTogether = 32
}
