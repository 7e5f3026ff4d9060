import Kernels
import Tensors

/// The keys and values of one sequence, all layers.
///
/// A value: a copy shares every page with its original and costs nothing until one of the two writes, which is how a
/// prompt is stored once for many samples and how a sequence branches.
public struct KVCache {
  /// The sizes this cache was made for.
  public let shape: KVShape
  /// How entries are stored.
  public let format: KVFormat
  private let meter: KVMeter
  private var layers: [Layer]

  private struct Layer {
    var pages: [KVPage] = []
    var count = 0
  }

  /// An empty cache whose pages are counted by `meter`.
  public init(shape: KVShape, format: KVFormat, meter: KVMeter) {
    self.shape = shape
    self.format = format
    self.meter = meter
    layers = [Layer](repeating: Layer(), count: shape.layers)
  }

  /// Tokens that every layer holds: the position of the next token.
  public var count: Int { layers.map(\.count).min() ?? 0 }

  /// Bytes of all pages, shared ones included.
  public var byteCount: Int {
    layers.reduce(0) { $0 + $1.pages.count } * KVPage.byteCount(shape: shape, format: format)
  }

  /// Appends `tokens` keys and values, each `[tokens, kvHeads, dimension]`, to `layer`.
  ///
  /// - Throws: `TensorError.outOfMemory` when no page can be had.
  public mutating func append(
    keys: UnsafePointer<Float>, values: UnsafePointer<Float>, tokens: Int, layer: Int
  ) throws(TensorError) {
    let width = shape.kvHeads * shape.headDimension
    for token in 0..<tokens {
      let slot = layers[layer].count % KVPage.tokens
      if slot == 0 {
        layers[layer].pages.append(try KVPage(shape: shape, format: format, meter: meter))
      } else {
        try makeLastPageUnique(layer: layer)
      }
      let page = layers[layer].pages[layers[layer].pages.count - 1]
      page.store(keys: keys + token * width, values: values + token * width, slot: slot)
      layers[layer].count += 1
    }
  }

  private mutating func makeLastPageUnique(layer: Int) throws(TensorError) {
    let last = layers[layer].pages.count - 1
    if !isKnownUniquelyReferenced(&layers[layer].pages[last]) {
      layers[layer].pages[last] = try layers[layer].pages[last].copy()
    }
  }

  /// Attention of the query heads of one KV head at one token over the first `visible` tokens of `layer`.
  ///
  /// Pages are visited in order with a running softmax, so the result depends on nothing but the entries themselves.
  ///
  /// - Parameters:
  ///   - queries: `[heads, dimension]`, the query heads that share `kvHead`.
  ///   - heads: number of query heads.
  ///   - kvHead: the KV head they share.
  ///   - layer: the layer to look at.
  ///   - visible: tokens to attend to, from the first.
  ///   - scale: factor of the scores, usually dimension^-1/2.
  ///   - output: `[heads, dimension]`, overwritten.
  public func attend(
    queries: UnsafePointer<Float>, heads: Int, kvHead: Int, layer: Int, visible: Int, scale: Float,
    output: UnsafeMutablePointer<Float>
  ) {
    let dimension = shape.headDimension
    let padded = dimension.roundedUp(toMultipleOf: 16)
    let stride = padded + 16
    withUnsafeTemporaryAllocation(of: Float.self, capacity: heads * stride) { state in
      guard let base = state.baseAddress else { return }
      state.initialize(repeating: 0)
      for head in 0..<heads { base[head * stride + padded] = -.infinity }
      for (index, page) in layers[layer].pages.enumerated() {
        let count = min(KVPage.tokens, visible - index * KVPage.tokens)
        if count <= 0 { break }
        page.attend(
          queries: queries, heads: heads, kvHead: kvHead, count: count, scale: scale, state: base)
      }
      for head in 0..<heads {
        let sum = base[head * stride + padded + 1]
        for i in 0..<dimension {
          output[head * dimension + i] = base[head * stride + i] / sum
        }
      }
    }
  }
}
