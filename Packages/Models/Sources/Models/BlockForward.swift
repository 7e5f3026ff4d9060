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
  private let config: DecoderConfig
  private let pool: ThreadPool
  private let kernels = bb_kernels().pointee
  private let normed = GrowingBuffer<Float>()
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
    input = LinearInput(normed.reserve(1), tokens: 0, width: 0, numerics: numerics)
  }

  /// Runs one block: `x` `[rows, hidden]` is its input and becomes its output.
  ///
  /// - Parameters:
  ///   - block: the weights.
  ///   - layer: the layer of the caches that belongs to the block.
  ///   - layout: which row belongs to which sequence and position.
  ///   - x: `[rows, hidden]`, replaced in place.
  ///   - caches: one for each sequence; the rows' keys and values are appended.
  ///   - observe: sees the input of each set of linear layers, `[rows, width]`, before it is multiplied; returning
  ///     false ends the block there, with `x` undefined.
  /// - Throws: `TensorError.outOfMemory` when a cache cannot grow.
  public func run(
    _ block: DecoderBlock, layer: Int, layout: RowLayout, x: UnsafeMutablePointer<Float>,
    caches: inout [KVCache],
    observe: (ProjectionInput, UnsafePointer<Float>) -> Bool = { _, _ in true }
  ) throws(TensorError) {
    let isWhole = try runAttention(
      block, layer: layer, layout: layout, x: x, caches: &caches, observe: observe)
    if isWhole { runFeedForward(block, rows: layout.count, x: x, observe: observe) }
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
  /// - Throws: `TensorError.outOfMemory` when a cache cannot grow.
  func runLast(
    _ block: DecoderBlock, layer: Int, layout: RowLayout, rows: [Int],
    x: UnsafeMutablePointer<Float>, caches: inout [KVCache]
  ) throws(TensorError) {
    let hidden = normed.reserve(layout.count * config.hiddenSize)
    norm(x, block.attentionNorm, rows: layout.count, into: hidden)
    let keyWidth = config.kvHeads * config.headDimension
    let k = keys.reserve(layout.count * keyWidth)
    let v = values.reserve(layout.count * keyWidth)
    input.reset(hidden, tokens: layout.count, width: config.hiddenSize)
    pool.form([product(block[.key], into: k), product(block[.value], into: v)])
    try append(k, v, norm: block.keyNorm, layer: layer, layout: layout, to: &caches)
    if !rows.isEmpty {
      moveToFront(rows, of: x, width: config.hiddenSize)
      moveToFront(rows, of: hidden, width: config.hiddenSize)
      let q = queries.reserve(rows.count * config.heads * config.headDimension)
      input.reset(hidden, tokens: rows.count, width: config.hiddenSize)
      pool.form([product(block[.query], into: q)])
      let attention = attended.reserve(rows.count * config.heads * config.headDimension)
      attend(
        q, norm: block.queryNorm, layer: layer, layout: layout.selecting(rows), caches: caches,
        into: attention)
      input.reset(
        attention, tokens: rows.count, width: config.heads * config.headDimension)
      addProduct(block[.output], to: x)
      runFeedForward(block, rows: rows.count, x: x)
    }
    for run in layout.runs { caches[run.cache].settle(layer: layer) }
  }

  /// The first half of a block, with the parameters of `run`: attention, added to `x`.
  ///
  /// - Returns: whether `observe` let it come to its end.
  public func runAttention(
    _ block: DecoderBlock, layer: Int, layout: RowLayout, x: UnsafeMutablePointer<Float>,
    caches: inout [KVCache], observe: (ProjectionInput, UnsafePointer<Float>) -> Bool
  ) throws(TensorError) -> Bool {
    let rows = layout.count
    let hidden = normed.reserve(rows * config.hiddenSize)
    norm(x, block.attentionNorm, rows: rows, into: hidden)
    guard observe(.attention, hidden) else { return false }
    let queryWidth = config.heads * config.headDimension
    let keyWidth = config.kvHeads * config.headDimension
    let q = queries.reserve(rows * queryWidth)
    let k = keys.reserve(rows * keyWidth)
    let v = values.reserve(rows * keyWidth)
    input.reset(hidden, tokens: rows, width: config.hiddenSize)
    pool.form([
      product(block[.query], into: q), product(block[.key], into: k),
      product(block[.value], into: v),
    ])
    try append(k, v, norm: block.keyNorm, layer: layer, layout: layout, to: &caches)
    let attention = attended.reserve(rows * queryWidth)
    attend(
      q, norm: block.queryNorm, layer: layer, layout: layout, caches: caches, into: attention)
    for run in layout.runs {
      try caches[run.cache].settle(
        queries: q + run.rows.lowerBound * queryWidth, tokens: run.rows.count,
        heads: config.heads, layer: layer, on: pool)
    }
    guard observe(.attentionOutput, attention) else { return false }
    input.reset(attention, tokens: rows, width: queryWidth)
    addProduct(block[.output], to: x)
    return true
  }

  /// The second half of a block, for `rows` rows and otherwise with the parameters of `run`: the feed-forward layer,
  /// added to `x`.
  public func runFeedForward(
    _ block: DecoderBlock, rows: Int, x: UnsafeMutablePointer<Float>,
    observe: (ProjectionInput, UnsafePointer<Float>) -> Bool = { _, _ in true }
  ) {
    let hidden = normed.reserve(rows * config.hiddenSize)
    norm(x, block.feedForwardNorm, rows: rows, into: hidden)
    guard observe(.feedForward, hidden) else { return }
    let g = gate.reserve(rows * config.intermediateSize)
    let u = up.reserve(rows * config.intermediateSize)
    input.reset(hidden, tokens: rows, width: config.hiddenSize)
    let width = config.intermediateSize
    pool.form([
      product(block[.gate], into: g),
      product(block[.up], into: u).then { [kernels] part in
        for at in stride(from: part.lowerBound, to: rows * width, by: width) {
          kernels.silu_multiply(g + at, u + at, g + at, part.count)
        }
      },
    ])
    guard observe(.feedForwardHidden, g) else { return }
    input.reset(g, tokens: rows, width: width)
    addProduct(block[.down], to: x)
  }

  /// Root-mean-square norm of every row of `x` `[rows, hidden]`.
  func norm(
    _ x: UnsafePointer<Float>, _ weight: [Float], rows: Int, into y: UnsafeMutablePointer<Float>
  ) {
    let width = config.hiddenSize
    pool.split(rows, cost: rows * width) { part in
      for row in part {
        kernels.rms_norm(x + row * width, weight, config.normEpsilon, width, y + row * width)
      }
    }
  }

  /// The product of `input` with a projection, its bias added.
  private func product(
    _ projection: DecoderBlock.Projection?, into y: UnsafeMutablePointer<Float>
  ) -> LinearProduct {
    guard let projection else { preconditionFailure("a block without one of its projections") }
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
    _ projection: DecoderBlock.Projection?, to x: UnsafeMutablePointer<Float>
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

  /// Normalises some heads of some rows of `x` `[rows, all heads, dimension]` where the family does, then rotates them by their
  /// row's angles.
  private func rotate(
    _ x: UnsafeMutablePointer<Float>, rows: Range<Int>, heads: Range<Int>, of all: Int,
    norm: [Float]?, layout: RowLayout
  ) {
    let dimension = config.headDimension
    let half = config.rotary.dimension / 2
    layout.cosines.withUnsafeBufferPointer { cosines in
      layout.sines.withUnsafeBufferPointer { sines in
        guard let cosine = cosines.baseAddress, let sine = sines.baseAddress else { return }
        for row in rows {
          for head in heads {
            let at = x + (row * all + head) * dimension
            if let norm { kernels.rms_norm(at, norm, config.normEpsilon, dimension, at) }
            kernels.rotate(at, cosine + row * half, sine + row * half, half)
          }
        }
      }
    }
  }

  /// Rotates the keys and appends them and the values, both `[rows, kvHeads, dimension]`, to the caches, each KV head by one
  /// thread.
  private func append(
    _ k: UnsafeMutablePointer<Float>, _ v: UnsafePointer<Float>, norm: [Float]?, layer: Int,
    layout: RowLayout, to caches: inout [KVCache]
  ) throws(TensorError) {
    let (kvHeads, width) = (config.kvHeads, config.kvHeads * config.headDimension)
    var rooms: [KVAppend] = []
    for run in layout.runs {
      rooms.append(try caches[run.cache].makeRoom(tokens: run.rows.count, layer: layer))
    }
    // The keys of a token lie in a line of memory each.
    let cost = layout.count * width * 256
    pool.split(rooms.count * kvHeads, cost: cost) { part in
      for item in part {
        let (rows, head) = (layout.runs[item / kvHeads].rows, item % kvHeads)
        rotate(k, rows: rows, heads: head..<head + 1, of: kvHeads, norm: norm, layout: layout)
        let start = rows.lowerBound * width
        rooms[item / kvHeads].put(keys: k + start, values: v + start, heads: head..<head + 1)
      }
    }
  }

  /// Rotates the queries in place, then the attention of all rows, a few consecutive tokens of a sequence at a time: they share what is read of its pages.
  private func attend(
    _ q: UnsafeMutablePointer<Float>, norm: [Float]?, layer: Int, layout: RowLayout,
    caches: [KVCache],
    into output: UnsafeMutablePointer<Float>
  ) {
    let (dimension, group, kvHeads) = (config.headDimension, config.groupSize, config.kvHeads)
    let (scale, width) = (1 / Float(dimension).squareRoot(), config.heads * dimension)
    let most = max(1, Self.queriesTogether / group)
    var spans: [(row: Int, span: AttentionSpan)] = []
    for run in layout.runs {
      for row in stride(from: run.rows.lowerBound, to: run.rows.upperBound, by: most) {
        let tokens = min(most, run.rows.upperBound - row)
        spans.append(
          (
            row,
            AttentionSpan(
              caches[run.cache], layer: layer, visible: layout.visible[row + tokens - 1],
              tokens: tokens)
          ))
      }
    }
    let cost = layout.visible.reduce(0, +) * config.heads * dimension * 2
    // Heads are the outer loop, so that every worker gets rows from all over a prompt: later ones see more.
    pool.split(spans.count * kvHeads, cost: cost) { part in
      for item in part {
        let (kvHead, at) = (item / spans.count, spans[item % spans.count])
        let isAlone = at.span.tokens == 1
        // A single token reads its KV heads page by page, in the order of memory: with the first of them.
        if isAlone && item - spans.count >= part.lowerBound { continue }
        let count = isAlone ? (part.upperBound - 1 - item) / spans.count + 1 : 1
        let start = at.row * width + kvHead * group * dimension
        rotate(
          q, rows: at.row..<at.row + at.span.tokens,
          heads: kvHead * group..<(kvHead + count) * group,
          of: config.heads, norm: norm, layout: layout)
        at.span.attend(
          queries: q + start, stride: width, heads: group, kvHeads: kvHead..<kvHead + count,
          scale: scale, numerics: input.numerics, output: output + start)
      }
    }
  }

  /// Queries that read a page together: their weighted values then stay in the first-level cache.
  private static let queriesTogether = 32
}
