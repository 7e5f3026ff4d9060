import KVCaches
import Kernels
import Tensors

/// The inputs that the linear layers of a block share.
public enum ProjectionInput: Sendable, CaseIterable {
  /// What q, k and v multiply.
  case attention
  /// What o multiplies.
  case attentionOutput
  /// What gate and up multiply.
  case feedForward
  /// What down multiplies.
  case feedForwardHidden

  /// The layers that multiply this input.
  public var roles: [ProjectionRole] {
    switch self {
    case .attention: [.query, .key, .value]
    case .attentionOutput: [.output]
    case .feedForward: [.gate, .up]
    case .feedForwardHidden: [.down]
    }
  }
}

/// Runs decoder blocks over batches of rows. Holds the working memory; one thread drives it.
public final class BlockForward {
  /// Sees the input of each set of linear layers, `[rows, width]`, before it is multiplied; false ends the block there,
  /// with its rows undefined.
  public typealias Observer = (ProjectionInput, UnsafePointer<Float>) -> Bool

  private let config: DecoderConfig
  private let pool: ThreadPool
  private let kernels = bb_kernels().pointee
  private let queries = GrowingBuffer<Float>()
  private let keys = GrowingBuffer<Float>()
  private let values = GrowingBuffer<Float>()
  private let attended = GrowingBuffer<Float>()
  private let gate = GrowingBuffer<Float>()
  private let up = GrowingBuffer<Float>()
  private let projected = GrowingBuffer<Float>()
  /// What the projections multiply.
  private let input: LinearInput

  /// A runner for blocks of this shape.
  public init(config: DecoderConfig, pool: ThreadPool, numerics: Numerics = .exact) {
    self.config = config
    self.pool = pool
    input = LinearInput(numerics: numerics)
  }

  /// Runs one block: `x` `[rows, hidden]` is its input and becomes its output.
  ///
  /// - Parameters:
  ///   - block: the weights.
  ///   - layer: the layer of the caches that belongs to the block.
  ///   - layout: which row belongs to which sequence and position.
  ///   - x: `[rows, hidden]`, replaced in place.
  ///   - caches: one for each sequence; the rows' keys and values are appended.
  ///   - next: the weights that are multiplied after the block, to be asked for in time.
  ///   - observe: sees the inputs of the linear layers.
  /// - Throws: `TensorError.outOfMemory` when a cache cannot grow.
  public func run(
    _ block: DecoderBlock, layer: Int, layout: RowLayout, x: UnsafeMutablePointer<Float>,
    caches: inout [KVCache], next: (any LinearWeights)? = nil, observe: Observer? = nil
  ) throws(TensorError) {
    let isWhole = try runAttention(
      block, layer: layer, layout: layout, x: x, caches: &caches, observe: observe)
    if isWhole { runFeedForward(block, rows: layout.count, x: x, next: next, observe: observe) }
  }

  /// Runs the last block, of whose rows only some are used: those that come to stand at the front of `x`, as `run` has
  /// them. Of the others keys and values are appended, and no more computed.
  ///
  /// - Parameters:
  ///   - block: the weights.
  ///   - layer: the layer of the caches that belongs to the block.
  ///   - layout: which row belongs to which sequence and position.
  ///   - rows: the rows that are used, in ascending order.
  ///   - x: `[rows, hidden]`.
  ///   - caches: as `run` takes them, but none may need the queries of all rows.
  ///   - next: the weights that are multiplied after the block.
  /// - Throws: `TensorError.outOfMemory` when a cache cannot grow.
  func runLast(
    _ block: DecoderBlock, layer: Int, layout: RowLayout, rows: [Int],
    x: UnsafeMutablePointer<Float>, caches: inout [KVCache], next: any LinearWeights
  ) throws(TensorError) {
    takeNorm(of: x, block.attentionNorm, rows: layout.count)
    pool.form([try appended(block, layer: layer, layout: layout, to: &caches)])
    if !rows.isEmpty {
      moveToFront(rows, of: x, width: config.hiddenSize)
      let (some, width) = (layout.selecting(rows), config.heads * config.headDimension)
      let q = queries.reserve(rows.count * width)
      takeNorm(of: x, block.attentionNorm, rows: rows.count)
      pool.form([rotatedQueries(block, layout: some, into: q)])
      let attention = attended.reserve(rows.count * width)
      attend(q, layer: layer, layout: some, caches: caches, into: attention)
      input.reset(attention, tokens: rows.count, width: width)
      addProduct(block[.output], to: x)
      runFeedForward(block, rows: rows.count, x: x, next: next)
    }
    for run in layout.runs { caches[run.cache].settle(layer: layer) }
  }

  /// The first half of a block, with the parameters of `run`: attention, added to `x`.
  ///
  /// - Returns: whether `observe` let it come to its end.
  public func runAttention(
    _ block: DecoderBlock, layer: Int, layout: RowLayout, x: UnsafeMutablePointer<Float>,
    caches: inout [KVCache], observe: Observer? = nil
  ) throws(TensorError) -> Bool {
    let rows = layout.count
    takeNorm(of: x, block.attentionNorm, rows: rows)
    guard isSeen(.attention, by: observe) else { return false }
    let width = config.heads * config.headDimension
    let q = queries.reserve(rows * width)
    pool.announce(block[.output].weights)
    pool.form([
      rotatedQueries(block, layout: layout, into: q),
      try appended(block, layer: layer, layout: layout, to: &caches),
    ])
    let attention = attended.reserve(rows * width)
    attend(q, layer: layer, layout: layout, caches: caches, into: attention)
    for run in layout.runs {
      try caches[run.cache].settle(
        queries: q + run.rows.lowerBound * width, tokens: run.rows.count,
        heads: config.heads, layer: layer, on: pool)
    }
    input.reset(attention, tokens: rows, width: width)
    guard isSeen(.attentionOutput, by: observe) else { return false }
    pool.announce(block[.gate].weights)
    addProduct(block[.output], to: x)
    return true
  }

  /// The second half of a block, for `rows` rows and otherwise with the parameters of `run`: the feed-forward layer,
  /// added to `x`.
  public func runFeedForward(
    _ block: DecoderBlock, rows: Int, x: UnsafeMutablePointer<Float>,
    next: (any LinearWeights)? = nil, observe: Observer? = nil
  ) {
    takeNorm(of: x, block.feedForwardNorm, rows: rows)
    guard isSeen(.feedForward, by: observe) else { return }
    let g = gate.reserve(rows * config.intermediateSize)
    let u = up.reserve(rows * config.intermediateSize)
    let width = config.intermediateSize
    pool.announce(block[.down].weights)
    pool.form([
      product(block[.gate], into: g).with(product(block[.up], into: u)).then { [kernels] part in
        for at in stride(from: part.lowerBound, to: rows * width, by: width) {
          kernels.silu_multiply(g + at, u + at, g + at, part.count)
        }
      }
    ])
    input.reset(g, tokens: rows, width: width)
    guard isSeen(.feedForwardHidden, by: observe) else { return }
    if let next { pool.announce(next) }
    addProduct(block[.down], to: x)
  }

  /// The root-mean-square norms of the rows of `x` `[rows, hidden]`, for linear layers to multiply; until the next
  /// input is taken.
  @discardableResult
  func takeNorm(of x: UnsafePointer<Float>, _ weight: [Float], rows: Int) -> LinearInput {
    let (width, epsilon) = (config.hiddenSize, config.normEpsilon)
    input.reset(tokens: rows, width: width) { [kernels] row, target in
      kernels.rms_norm(x + row * width, weight, epsilon, width, target)
    }
    return input
  }

  /// Shows the input to an observer; whether the block goes on.
  private func isSeen(_ kind: ProjectionInput, by observe: Observer?) -> Bool {
    observe?(kind, input.rows(on: pool)) ?? true
  }

  /// The product of `input` with a projection, its bias added.
  private func product(
    _ projection: DecoderBlock.Projection, into y: UnsafeMutablePointer<Float>
  ) -> LinearProduct {
    let product = projection.weights.product(of: input, into: y, on: pool)
    guard let bias = projection.bias else { return product }
    let rows = input.tokens
    return product.then { [kernels] part in
      bias[part].withUnsafeBufferPointer { some in
        guard let some = some.baseAddress else { return }
        for at in stride(from: part.lowerBound, to: rows * bias.count, by: bias.count) {
          kernels.add(y + at, some, part.count)
        }
      }
    }
  }

  /// Adds the product of `input` with a projection to `x` `[rows, hidden]`.
  private func addProduct(
    _ projection: DecoderBlock.Projection, to x: UnsafeMutablePointer<Float>
  ) {
    let (rows, width) = (input.tokens, config.hiddenSize)
    let delta = projected.reserve(rows * width)
    pool.form([
      product(projection, into: delta).then { [kernels] part in
        for at in stride(from: part.lowerBound, to: rows * width, by: width) {
          kernels.add(x + at, delta + at, part.count)
        }
      }
    ])
  }

  /// The queries of `input`, `[rows, heads, dimension]`, rotated.
  private func rotatedQueries(
    _ block: DecoderBlock, layout: RowLayout, into q: UnsafeMutablePointer<Float>
  ) -> LinearProduct {
    product(block[.query], into: q).then(each: config.headDimension) { [self] features in
      rotate(q, heads: heads(features), of: config.heads, norm: block.queryNorm, layout: layout)
    }
  }

  /// The keys and values of `input`; the keys rotated, both appended to the caches, where there is room for them at once.
  private func appended(
    _ block: DecoderBlock, layer: Int, layout: RowLayout, to caches: inout [KVCache]
  ) throws(TensorError) -> LinearProduct {
    let (kvHeads, width) = (config.kvHeads, config.kvHeads * config.headDimension)
    let (k, v) = (keys.reserve(layout.count * width), values.reserve(layout.count * width))
    var rooms: [KVAppend] = []
    for run in layout.runs {
      rooms.append(try caches[run.cache].makeRoom(tokens: run.rows.count, layer: layer))
    }
    let both = product(block[.key], into: k).with(product(block[.value], into: v))
    return both.then(each: config.headDimension) { [self, rooms] features in
      let heads = heads(features)
      rotate(k, heads: heads, of: kvHeads, norm: block.keyNorm, layout: layout)
      for (run, room) in zip(layout.runs, rooms) {
        let start = run.rows.lowerBound * width
        room.put(keys: k + start, values: v + start, heads: heads)
      }
    }
  }

  private func heads(_ features: Range<Int>) -> Range<Int> {
    let dimension = config.headDimension
    return features.lowerBound / dimension..<features.upperBound / dimension
  }

  /// Normalises some heads of all rows of `x` `[rows, all heads, dimension]` where the family does, then rotates them by
  /// their row's angles.
  private func rotate(
    _ x: UnsafeMutablePointer<Float>, heads: Range<Int>, of all: Int, norm: [Float]?,
    layout: RowLayout
  ) {
    let dimension = config.headDimension
    let half = config.rotary.dimension / 2
    layout.cosines.withUnsafeBufferPointer { cosines in
      layout.sines.withUnsafeBufferPointer { sines in
        guard let cosine = cosines.baseAddress, let sine = sines.baseAddress else { return }
        for row in 0..<layout.count {
          for head in heads {
            let at = x + (row * all + head) * dimension
            if let norm { kernels.rms_norm(at, norm, config.normEpsilon, dimension, at) }
            kernels.rotate(at, cosine + row * half, sine + row * half, half)
          }
        }
      }
    }
  }

  /// The attention of all rows.
  private func attend(
    _ q: UnsafePointer<Float>, layer: Int, layout: RowLayout, caches: [KVCache],
    into output: UnsafeMutablePointer<Float>
  ) {
    let (dimension, group, kvHeads) = (config.headDimension, config.groupSize, config.kvHeads)
    let (scale, width) = (1 / Float(dimension).squareRoot(), config.heads * dimension)
    let spans = attentionSpans(layer: layer, layout: layout, caches: caches)
    let cost = spans.reduce(0) { $0 + $1.span.products } * config.heads * dimension * 2
    // Heads are the outer loop, so that every worker gets rows from all over a prompt: later ones see more. Those of single tokens
    // are read faster side by side.
    let areSeparate = spans.allSatisfy(\.span.areSeparate)
    pool.split(spans.count * kvHeads, cost: cost, evenly: areSeparate) { part in
      for item in part {
        let (kvHead, (rows, span)) = (item / spans.count, spans[item % spans.count])
        // A single token reads its KV heads page by page, in the order of memory: with the first of them.
        if span.areSeparate && item - spans.count >= part.lowerBound { continue }
        let count = span.areSeparate ? (part.upperBound - 1 - item) / spans.count + 1 : 1
        let start = kvHead * group * dimension
        span.attend(
          queries: q + start, rows: rows, stride: width, heads: group,
          kvHeads: kvHead..<kvHead + count, scale: scale, numerics: input.numerics,
          output: output + start)
      }
    }
  }

  /// Rows that attend together: a few consecutive tokens of a sequence, or single tokens of sequences that share pages.
  private func attentionSpans(
    layer: Int, layout: RowLayout, caches: [KVCache]
  ) -> [(rows: [Int], span: AttentionSpan)] {
    let most = max(1, Self.queriesTogether / config.groupSize)
    var rows: [Range<Int>] = []
    var spans: [AttentionSpan] = []
    for run in layout.runs {
      for row in stride(from: run.rows.lowerBound, to: run.rows.upperBound, by: most) {
        let some = row..<min(row + most, run.rows.upperBound)
        rows.append(some)
        spans.append(
          AttentionSpan(
            caches[run.cache], layer: layer, visible: layout.visible[some.upperBound - 1],
            tokens: some.count))
      }
    }
    // As many as leave work for every thread.
    let joined = min(most, spans.count * config.kvHeads / (2 * pool.workers))
    return AttentionSpan.joining(spans, atMost: joined).map { members, span in
      (members.flatMap { rows[$0] }, span)
    }
  }

  /// Queries that read a page together: their weighted values then stay in the first-level cache.
  private static let queriesTogether = 32
}
