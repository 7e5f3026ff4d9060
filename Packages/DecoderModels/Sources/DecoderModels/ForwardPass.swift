import KVCaches
import Tensors

/// Tokens of one sequence to run through the model.
public struct TokenRun: Sendable {
  /// Index of the sequence's cache.
  public let cache: Int
  /// The tokens, which follow those already in the cache.
  public let tokens: [Int32]

  /// Whether these are the last tokens of the prompt; it counts in the first run that says so.
  public let endsPrompt: Bool

  /// The first of these tokens that gets logits, with all behind it; nil: the last alone gets them,
  /// as it always does.
  public let rowsFrom: Int?

  /// The logits of a row that are looked at; nil for all. The others may then be near what they are
  /// instead, below all of these.
  public let likeliest: GreatestOutputs?

  /// Tokens to append to the sequence of `cache`; `endsPrompt` is false where a prompt goes on in a
  /// later run.
  public init(
    cache: Int, tokens: [Int32], endsPrompt: Bool = true, rowsFrom: Int? = nil,
    likeliest: GreatestOutputs? = nil
  ) {
    self.rowsFrom = rowsFrom
    self.likeliest = likeliest
    self.cache = cache
    self.tokens = tokens
    self.endsPrompt = endsPrompt
  }
}

/// Which rows the output head is computed for.
public enum LogitRows: Sendable {
  /// Every token.
  case all
  /// The last token of each run, and those that it asks for.
  case last
  /// None; only the caches are filled.
  case none
}

/// A decoder at work: runs batches of tokens from any number of sequences.
///
/// The logits of a sequence that are looked at are the same bits whatever else is in the batch,
/// however its tokens were cut into runs, and however many threads work. Holds the working memory; one thread drives
/// it.
public final class ForwardPass {
  /// The model.
  public let decoder: Decoder
  private let pool: ThreadPool
  private let pass: BlockPass
  private let hidden = GrowingBuffer<Float>()
  private let logits = GrowingBuffer<Float>()

  /// Tokens that go through the model at once; longer batches are cut, which bounds the working
  /// memory.
  public static let chunk = KVForecast.stepTokens

  /// How weights meet activations.
  public let numerics: Numerics

  /// Prepares to run `decoder` on the threads of `pool`.
  public init(_ decoder: Decoder, pool: ThreadPool, numerics: Numerics = .exact) {
    self.decoder = decoder
    self.pool = pool
    self.numerics = numerics
    pass = BlockPass(width: decoder.shape.hiddenSize, pool: pool, numerics: numerics)
  }

  /// An empty cache for one sequence; see `Decoder.makeCache`.
  ///
  /// - Throws: as that does.
  public func makeCache(
    _ policy: KVPolicy = .full, meter: KVMeter
  ) throws(KVPolicyError) -> KVCache {
    try decoder.makeCache(policy, meter: meter)
  }

  /// Runs the tokens of `runs`, appends their keys and values to `caches`, and hands out logits.
  ///
  /// - Parameters:
  ///   - runs: tokens by sequence; a sequence appears at most once.
  ///   - caches: the sequences' caches.
  ///   - rows: which rows get logits.
  ///   - receive: called with (run, token in run, logits `[vocabulary]`), in order for each run;
  ///     the pointer is valid inside only.
  /// - Throws: `ModelError` for a token outside the vocabulary or a sequence beyond the context,
  ///   before anything is run; `.tensors` when a cache cannot grow.
  public func run(
    _ runs: [TokenRun], caches: inout [KVCache], rows: LogitRows,
    receive: (_ run: Int, _ token: Int, _ logits: UnsafeBufferPointer<Float>) -> Void
  ) throws(ModelError) {
    try forward(runs, caches: &caches, rows: rows) { x, wanted in
      let (output, vocabulary) = (logits(of: x, runs, wanted), decoder.shape.vocabularySize)
      for (index, item) in wanted.enumerated() {
        receive(
          item.run, item.token,
          UnsafeBufferPointer(start: output + index * vocabulary, count: vocabulary))
      }
    }
  }

  /// Runs tokens and hands their logits out to all threads; see `run(_:caches:rows:receive:)`. So
  /// many rows, at most, are held at once; `receive` is called on any thread, in any order.
  public func run(
    _ runs: [TokenRun], caches: inout [KVCache], rows: LogitRows, atOnce most: Int,
    receive: @Sendable (_ run: Int, _ token: Int, _ logits: UnsafeBufferPointer<Float>) -> Void
  ) throws(ModelError) {
    let (width, vocabulary) = (decoder.shape.hiddenSize, decoder.shape.vocabularySize)
    try forward(runs, caches: &caches, rows: rows) { x, wanted in
      for first in stride(from: 0, to: wanted.count, by: max(most, 1)) {
        let wanted = Array(wanted[first..<min(first + max(most, 1), wanted.count)])
        let output = ReadOnlyMemory(logits(of: x + first * width, runs, wanted))
        pool.split(wanted.count, cost: wanted.count * vocabulary) { part in
          for index in part {
            let logits = UnsafeBufferPointer(start: output + index * vocabulary, count: vocabulary)
            receive(wanted[index].run, wanted[index].token, logits)
          }
        }
      }
    }
  }

  /// The logits `[rows, vocabulary]` of rows of the residual stream that stand at `x`.
  private func logits(
    of x: UnsafeMutablePointer<Float>, _ runs: [TokenRun], _ wanted: [WantedRow]
  ) -> UnsafePointer<Float> {
    let output = logits.reserve(wanted.count * decoder.shape.vocabularySize)
    if let first = decoder.blocks.first { pool.prefetchWeights(first.mixer.firstWeights) }
    decoder.outputHead.multiply(
      x, count: wanted.count, by: decoder.head, into: output,
      wanting: likeliest(of: runs, at: wanted), in: pass)
    return UnsafePointer(output)
  }

  /// Runs tokens and hands out their states behind the last block and the norm before the head: what
  /// the model makes of each token in its context.
  ///
  /// - Parameters:
  ///   - run: the tokens of one sequence.
  ///   - caches: as for `run`.
  /// - Returns: `[tokens, hidden]`.
  /// - Throws: as `run`.
  public func states(
    of run: TokenRun, caches: inout [KVCache]
  ) throws(ModelError) -> [Float] {
    let width = decoder.shape.hiddenSize
    var states: [Float] = []
    states.reserveCapacity(run.tokens.count * width)
    try forward([run], caches: &caches, rows: .all) { x, wanted in
      pass.start(x, count: wanted.count, observe: nil)
      pass.take(decoder.outputHead.norm)
      states.append(
        contentsOf: UnsafeBufferPointer(
          start: pass.input.rows(on: pool), count: wanted.count * width))
    }
    return states
  }

  /// Gives working memory back that many rows took, for when nothing is run for a while.
  public func rest() {
    for buffer in [hidden, logits] { buffer.release(above: BlockPass.keptBytes) }
    pass.rest()
  }

  /// What of the logits is looked at, where no row needs all of them.
  private func likeliest(of runs: [TokenRun], at rows: [WantedRow]) -> GreatestOutputs? {
    guard let first = rows.first, var all = runs[first.run].likeliest else { return nil }
    for row in rows {
      guard let joined = runs[row.run].likeliest.flatMap(all.joined) else { return nil }
      all = joined
    }
    return all
  }

  /// A row that is wanted.
  private typealias WantedRow = (row: Int, run: Int, token: Int)

  /// Runs the tokens of `runs`; `output` gets the rows that are wanted, at the front of the residual
  /// stream `[rows, hidden]`.
  private func forward(
    _ runs: [TokenRun], caches: inout [KVCache], rows: LogitRows,
    output: (UnsafeMutablePointer<Float>, [WantedRow]) -> Void
  ) throws(ModelError) {
    try check(runs, caches)
    for run in runs where run.endsPrompt {
      caches[run.cache].endPrompt(at: caches[run.cache].position + run.tokens.count)
    }
    var done = [Int](repeating: 0, count: runs.count)
    while true {
      var parts: [Part] = []
      var size = 0
      for (index, run) in runs.enumerated() {
        let rest = min(run.tokens.count - done[index], Self.chunk - size)
        if rest == 0 { continue }
        let count = min(rest, caches[run.cache].tokensUntilCompaction)
        parts.append(Part(run: index, tokens: done[index]..<done[index] + count))
        done[index] += count
        size += count
      }
      if parts.isEmpty { return }
      try runChunk(parts, of: runs, caches: &caches, rows: rows, output: output)
    }
  }

  private struct Part {
    let run: Int
    let tokens: Range<Int>
  }

  private func check(_ runs: [TokenRun], _ caches: [KVCache]) throws(ModelError) {
    let shape = decoder.shape
    for run in runs {
      if let id = run.tokens.first(where: { $0 < 0 || $0 >= shape.vocabularySize }) {
        throw .tokenOutOfRange(id: id, vocabulary: shape.vocabularySize)
      }
      let total = caches[run.cache].position + run.tokens.count
      guard total <= shape.contextLength else {
        throw .contextExceeded(tokens: total, limit: shape.contextLength)
      }
    }
  }

  private func runChunk(
    _ parts: [Part], of runs: [TokenRun], caches: inout [KVCache], rows: LogitRows,
    output: (UnsafeMutablePointer<Float>, [WantedRow]) -> Void
  ) throws(ModelError) {
    let shape = decoder.shape
    let layout = RowLayout(
      parts.map { part in
        let cache = caches[runs[part.run].cache]
        return (runs[part.run].cache, cache.position, part.tokens.count)
      }, rotary: shape.rotary)
    let x = hidden.reserve(layout.count * shape.hiddenSize)
    let ids = parts.flatMap { runs[$0.run].tokens[$0.tokens] }
    decoder.embedding.embed(ids, at: layout.positions, into: x, in: pass)
    var wanted: [WantedRow] = []
    var row = 0
    for part in parts {
      for token in part.tokens {
        let isLast = token == runs[part.run].tokens.count - 1
        let isWanted = isLast || runs[part.run].rowsFrom.map { $0 <= token } == true
        if rows == .all || (rows == .last && isWanted) { wanted.append((row, part.run, token)) }
        row += 1
      }
    }
    do {
      try runBlocks(layout, wanted: wanted.map(\.row), x: x, caches: &caches)
    } catch {
      throw .tensors(error)
    }
    if !wanted.isEmpty { output(x, wanted) }
  }

  /// Runs all blocks over `x` `[rows, hidden]`, in which the rows that are wanted then stand at the
  /// front.
  private func runBlocks(
    _ layout: RowLayout, wanted: [Int], x: UnsafeMutablePointer<Float>, caches: inout [KVCache]
  ) throws(TensorError) {
    // Of the last block's rows only those are computed, unless an eviction looks at the queries of
    // all.
    let isShort =
      wanted.count < layout.count && !layout.runs.contains { caches[$0.cache].needsQueries }
    for (layer, block) in decoder.blocks.enumerated() {
      let isLast = layer == decoder.blocks.count - 1
      try block.run(
        BlockRows(layout, layer: layer, wanted: isShort && isLast ? wanted : nil), x: x,
        caches: &caches, in: pass,
        next: isLast ? decoder.head : decoder.blocks[layer + 1].mixer.firstWeights)
      if isShort && isLast { return }
    }
    moveToFront(wanted, of: x, width: decoder.shape.hiddenSize)
  }
}
