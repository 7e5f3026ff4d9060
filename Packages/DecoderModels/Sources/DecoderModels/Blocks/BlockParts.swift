import KVCaches
import Tensors

/// What mixers and feed-forward layers have in common.
public protocol BlockPart: Sendable {
  /// The linear layers by the input that they multiply, in the order of computation. Setting it
  /// takes the same layers with other weights.
  var sites: [Site] { get set }
  /// The weights that are multiplied first, to be prefetched.
  var firstWeights: any LinearWeights { get }
  /// Numbers held beside the weights and biases of `sites` and `keptLinears`.
  var otherParameters: Int { get }
  /// Linear layers beside `sites`, which are never quantized.
  var keptLinears: [Linear] { get }
  /// The layer of the last site where all that the part adds to the residual stream is its product;
  /// nil elsewhere.
  var lastLinear: Linear? { get }
}

extension BlockPart {
  /// None.
  public var keptLinears: [Linear] { [] }
  /// Of parts that add more than one product, or another than that of the last site.
  public var lastLinear: Linear? { nil }
}

/// The rows that a mixer works on.
public struct BlockRows {
  /// Which sequence and position each row belongs to.
  public let layout: RowLayout
  /// The layer of the sequences' caches that belongs to the block.
  public let layer: Int
  /// The rows whose output is wanted, in ascending order, or nil for all. Of the others no more is
  /// computed than later tokens need.
  public let wanted: [Int]?

  /// Rows of a batch.
  public init(_ layout: RowLayout, layer: Int, wanted: [Int]? = nil) {
    self.layout = layout
    self.layer = layer
    self.wanted = wanted
  }

  /// Rows that come out.
  public var outputCount: Int { wanted?.count ?? layout.count }
}

/// The part of a block that mixes tokens: attention, or a recurrence.
public protocol Mixer: BlockPart {
  /// What the layer keeps of a sequence.
  var state: LayerState { get }
  /// Whether it finds keys by their place, and so can do without none.
  var needsAllKeys: Bool { get }
  /// Floats of working memory that a row takes.
  var scratchWidth: Int { get }

  /// Adds its output to the residual stream of `pass`, whose input is set, and appends to the
  /// caches.
  ///
  /// Where `rows.wanted` is given it calls `pass.select` once it has done with the other rows.
  ///
  /// - Parameters:
  ///   - rows: what the rows are.
  ///   - caches: the sequences' caches.
  ///   - pass: input, residual stream and working memory.
  ///   - next: the weights that are multiplied after the mixer.
  /// - Throws: `TensorError.outOfMemory` when a cache cannot grow.
  func run(
    _ rows: BlockRows, caches: inout [KVCache], in pass: BlockPass, next: any LinearWeights
  ) throws(TensorError)
}

extension Mixer {
  /// Most do not.
  public var needsAllKeys: Bool { false }
}

/// The part of a block that works on each token alone.
public protocol FeedForward: BlockPart {
  /// Floats of working memory that a row takes.
  var scratchWidth: Int { get }

  /// Adds its output to the residual stream of `pass`, whose input is set; `next` is multiplied
  /// afterwards.
  func run(in pass: BlockPass, next: (any LinearWeights)?)
}

/// What a layer keeps of a sequence.
public enum LayerState: Sendable, Hashable {
  /// Keys and values of its tokens, or of the last `window` of them.
  case keyValues(AttentionHeads, window: Int?)
  /// As many floats whatever its length.
  case fixed(floats: Int)

  /// The sizes of a cache for such a layer alone.
  public var cacheShape: KVShape {
    switch self {
    case .keyValues(let heads, let window):
      KVShape(
        layers: 1, kvHeads: heads.keyValues, headDimension: heads.dimension,
        windows: window.map { [$0] } ?? [])
    case .fixed(let floats):
      KVShape(layers: 1, kvHeads: 1, headDimension: 1, fixedFloats: [floats])
    }
  }
}

/// Sizes of an attention layer.
public struct AttentionHeads: Sendable, Hashable {
  /// Query heads.
  public let queries: Int
  /// Key/value heads; each serves `queries / keyValues` query heads.
  public let keyValues: Int
  /// Values in one head.
  public let dimension: Int

  /// Heads of these numbers; `queries` is a multiple of `keyValues`.
  public init(queries: Int, keyValues: Int, dimension: Int) {
    self.queries = queries
    self.keyValues = keyValues
    self.dimension = dimension
  }

  /// Query heads that share a KV head.
  public var group: Int { queries / keyValues }
  /// Width of all queries.
  public var queryWidth: Int { queries * dimension }
  /// Width of all keys, and of all values.
  public var keyWidth: Int { keyValues * dimension }
}
