import KVLayout
import Kernels
import Tensors

/// What a few tokens attend to in one layer of their caches: the pages, looked up once, so that the
/// threads which compute touch nothing but bytes. They follow one another in a sequence, or each is
/// of another one. Valid while no cache is written or released.
///
/// Sendable by rule: its pieces point into pages, which nobody writes while it is valid.
public struct AttentionSpan: @unchecked Sendable {
  /// Tokens that attend.
  public let tokens: Int
  /// Whether each token is of a sequence of its own. Then KV heads that lie one behind the other in
  /// a page are best attended to by one call; else a KV head at a time.
  public let areSeparate: Bool
  let dimension: Int
  let rotation: KVRotation?
  /// Where there is a window, what each of several tokens finds in the pages in which their windows
  /// begin.
  let before: [(tokens: Range<Int>, pieces: [bb_kv_piece])]
  /// What all of them find in the same form, though the later ones see more of its end.
  let common: [bb_kv_piece]
  /// What they find behind that, a few consecutive ones alike.
  let rest: [(tokens: Range<Int>, pieces: [bb_kv_piece])]

  /// Products of a query with a key that the tokens take: pages are multiplied whole.
  public var products: Int {
    let pieces = (before + rest).reduce(common.count * tokens) {
      $0 + $1.pieces.count * $1.tokens.count
    }
    return pieces * PageLayout.tokens
  }

  /// The last of the `tokens` attends to the first `visible` tokens of `layer`, the one before to
  /// one less, and so on; where the layer has a window, to the last of these.
  ///
  /// - Parameters:
  ///   - cache: the sequence's cache.
  ///   - layer: the layer.
  ///   - visible: tokens that the last one may see, itself included.
  ///   - tokens: how many attend.
  ///   - slopes: `[KV heads, query heads of one]`, in BF16: scores gain them times the position of
  ///     the key, which is its place among all tokens; valid while the span is.
  public init(
    _ cache: KVCache, layer: Int, visible: Int, tokens: Int, slopes: UnsafePointer<Float>? = nil
  ) {
    self.tokens = tokens
    areSeparate = tokens == 1
    dimension = cache.shape.headDimension
    rotation = cache.policy.rotation
    let least = visible - tokens + 1
    let tiers = cache.tiers[layer]
    let window = cache.shape.window(layer)
    /// The first token that one sees which sees those before `seen`.
    func first(of seen: Int) -> Int { window.map { max(0, seen - $0) } ?? 0 }
    /// What tokens that see `seen`, and find it stored alike, find of some pages.
    func pieces(_ seen: ClosedRange<Int>, _ pages: PageList, _ range: Range<Int>) -> [bb_kv_piece] {
      let coded = tiers.coded(of: seen.lowerBound)
      var pieces: [bb_kv_piece] = []
      pieces.reserveCapacity(range.count)
      for index in range {
        let start = index * PageLayout.tokens
        let hidden = max(0, first(of: seen.lowerBound) - start)
        let known = pieces.count
        if start + PageLayout.tokens <= seen.lowerBound, var whole = pages.whole(index) {
          whole.first = hidden
          pieces.append(whole)
        } else {
          pages[index].appendPieces(
            from: hidden, count: min(PageLayout.tokens, seen.upperBound - start),
            least: seen.lowerBound - start, coded: coded.inPage(index), to: &pieces)
        }
        guard let slopes else { continue }
        for piece in known..<pieces.count {
          (pieces[piece].slopes, pieces[piece].position) = (slopes, start)
        }
      }
      return pieces
    }
    let earliest = cache.pages(of: layer, visible: least)
    let count = visible.pieces(of: PageLayout.tokens)
    // The first page that all tokens see from its beginning on; of those before, each sees another
    // part.
    var begin = first(of: visible) / PageLayout.tokens
    var before: [(tokens: Range<Int>, pieces: [bb_kv_piece])] = []
    if tokens > 1 {
      begin = first(of: visible).pieces(of: PageLayout.tokens)
      for seen in least...visible where first(of: seen) < begin * PageLayout.tokens {
        let end = min(begin, seen.pieces(of: PageLayout.tokens))
        let own = first(of: seen) / PageLayout.tokens..<end
        let pages = cache.pages(of: layer, visible: seen)
        before.append((seen - least..<seen - least + 1, pieces(seen...seen, pages, own)))
      }
    }
    self.before = before
    if tiers.areAlike(least, visible) {
      (common, rest) = (pieces(least...visible, earliest, begin..<count), [])
      return
    }
    let last = cache.pages(of: layer, visible: visible)
    let shared =
      (begin..<count).first { earliest[$0] !== last[$0] || earliest[$0].layout.codes != nil }
      ?? count
    var (rest, start) = ([(tokens: Range<Int>, pieces: [bb_kv_piece])](), least)
    while start <= visible {
      var end = start + 1
      while end <= visible && tiers.areAlike(start, end) { end += 1 }
      let pages = cache.pages(of: layer, visible: start)
      let range = shared..<max(shared, (end - 1).pieces(of: PageLayout.tokens))
      rest.append((start - least..<end - least, pieces(start...end - 1, pages, range)))
      start = end
    }
    common = pieces(least...visible, earliest, begin..<shared)
    self.rest = rest
  }

  /// Attention of the query heads of a few KV heads, at every token of the span.
  ///
  /// Pages are visited in order with a running softmax, so the result of a query depends on nothing
  /// but the entries themselves.
  ///
  /// - Parameters:
  ///   - queries: `[rows][KV heads, heads, dimension]`, the query heads that share `kvHeads`; row
  ///     after row `stride` floats apart.
  ///   - rows: one for each token.
  ///   - stride: floats from one row's first query to the next one's.
  ///   - heads: number of query heads that share a KV head.
  ///   - kvHeads: the KV heads. Those of a page lie one behind the other, and are read so.
  ///   - scale: factor of the scores, usually dimension^-1/2.
  ///   - numerics: `bf16` and `int8` round queries and weights to BF16 where a page holds BF16;
  ///     `int8` rounds them to 8 bits where it holds codes.
  ///   - output: as `queries`, overwritten.
  public func attend(
    queries: UnsafePointer<Float>, rows: [Int], stride: Int, heads: Int,
    kvHeads: Range<Int>, scale: Float, numerics: Numerics = .exact,
    output: UnsafeMutablePointer<Float>
  ) {
    let (first, numerics) = (kvHeads.lowerBound, numerics.ofAttention)
    let kernels = bb_kernels().pointee
    RunningAttention.with(
      kvHeads: kvHeads.count, tokens: tokens, heads: heads, dimension: dimension
    ) { all in
      for (token, row) in rows.enumerated() {
        all.take(queries + row * stride, token: token)
      }
      if rotation?.hasKeys == true { all.rotateQueries() }
      func attend(_ some: Range<Int>, _ pieces: [bb_kv_piece]) {
        all.withTokens(some) {
          kernels.attend(
            $0.queries, some.count, heads, dimension, pieces, pieces.count, first, kvHeads.count,
            scale, numerics, $0.state)
        }
      }
      for (some, pieces) in before { attend(some, pieces) }
      attend(0..<tokens, common)
      for (some, pieces) in rest { attend(some, pieces) }
      for (token, row) in rows.enumerated() {
        all.give(output + row * stride, token: token, isRotated: rotation?.hasValues == true)
      }
    }
  }
}

extension Numerics {
  fileprivate var ofAttention: bb_attend_numerics {
    switch self {
    case .exact, .int16: BB_ATTEND_EXACT
    case .int8: BB_ATTEND_INT8
    case .bf16: BB_ATTEND_BF16
    case .int8Tiles: BB_ATTEND_INT8_CHAINS
    case .bf16Tiles: BB_ATTEND_BF16_CHAINS
    }
  }
}

extension KVCache {
  /// Attention of the query heads of one KV head at one token over the first `visible` tokens of
  /// `layer`; see `AttentionSpan.attend`.
  public func attend(
    queries: UnsafePointer<Float>, heads: Int, kvHead: Int, layer: Int, visible: Int, scale: Float,
    output: UnsafeMutablePointer<Float>
  ) {
    AttentionSpan(self, layer: layer, visible: visible, tokens: 1)
      .attend(
        queries: queries, rows: [0], stride: heads * shape.headDimension, heads: heads,
        kvHeads: kvHead..<kvHead + 1, scale: scale, output: output)
  }
}
