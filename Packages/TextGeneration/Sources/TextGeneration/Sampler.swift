import Kernels

/// Draws tokens from logits. Keeps working memory between draws; one thread uses it.
public final class Sampler {
  /// Ids from here on are padding rows of the head and never drawn.
  let tokenLimit: Int
  private let kernels = bb_kernels().pointee
  private var candidates: [Candidate] = []
  private var scaled: [Float] = []
  private var weights: [Float] = []
  private let penalties = PenaltyTable()

  /// A sampler for token ids below `tokenLimit`.
  public init(tokenLimit: Int = Int.max) { self.tokenLimit = tokenLimit }

  /// Draws one token.
  ///
  /// - Parameters:
  ///   - logits: `[vocabulary]`.
  ///   - options: the filters.
  ///   - history: the tokens before, which penalties look at.
  ///   - uniform: a random number in [0, 1).
  ///   - step: number of the draw, for the error.
  /// - Returns: the token's id.
  /// - Throws: `GenerationError.nonFiniteLogits`.
  public func sample(
    _ logits: UnsafeBufferPointer<Float>, _ options: SamplingOptions,
    history: TokenHistory = TokenHistory(), uniform: Double, step: Int
  ) throws(GenerationError) -> Int32 {
    let drawable = UnsafeBufferPointer(rebasing: logits.prefix(tokenLimit))
    guard let given = options.penalties else {
      return try draw(drawable, options, uniform: uniform, step: step)
    }
    return try penalties.apply(given, history, to: drawable).withUnsafeBufferPointer {
      (penalized) throws(GenerationError) in
      try draw(penalized, options, uniform: uniform, step: step)
    }
  }

  private func draw(
    _ logits: UnsafeBufferPointer<Float>, _ options: SamplingOptions, uniform: Double, step: Int
  ) throws(GenerationError) -> Int32 {
    let count = logits.count
    guard count > 0, let first = logits.baseAddress else { return 0 }
    let highest = kernels.highest(first, count)
    guard highest.isFinite else { throw .nonFiniteLogits(step: step) }
    if options.temperature == 0 || count == 1 {
      return Int32(kernels.first_above(first, 0, count, highest.nextDown))
    }
    collect(first, count: count, options)
    scaled.removeAll(keepingCapacity: true)
    for candidate in candidates { scaled.append(candidate.logit / options.temperature) }
    weights.removeAll(keepingCapacity: true)
    weights.append(contentsOf: repeatElement(0, count: scaled.count))
    _ = kernels.exp_sum(scaled, highest / options.temperature, &weights, scaled.count)
    return draw(kept(options), uniform)
  }

  /// Fills `candidates`: the likeliest first when a filter needs the order, else all ids in turn.
  private func collect(
    _ logits: UnsafePointer<Float>, count: Int, _ options: SamplingOptions
  ) {
    candidates.removeAll(keepingCapacity: true)
    let limit = min(options.topK ?? count, count)
    for id in 0..<limit { candidates.append(Candidate(logit: logits[id], id: id)) }
    if limit < count {
      candidates.withUnsafeMutableBufferPointer { heap in
        for root in stride(from: limit / 2 - 1, through: 0, by: -1) { Self.sink(root, in: heap) }
        // A later id never replaces an equal one.
        var id = kernels.first_above(logits, limit, count, heap[0].logit)
        while id < count {
          heap[0] = Candidate(logit: logits[id], id: id)
          Self.sink(0, in: heap)
          id = kernels.first_above(logits, id + 1, count, heap[0].logit)
        }
      }
    }
    if limit < count || options.topP < 1 { candidates.sort(by: >) }
  }

  /// Restores a heap, the least likely on top, below `root`.
  private static func sink(_ root: Int, in heap: UnsafeMutableBufferPointer<Candidate>) {
    var root = root
    while 2 * root + 1 < heap.count {
      var least = 2 * root + 1
      if least + 1 < heap.count, heap[least + 1] < heap[least] { least += 1 }
      if heap[root] < heap[least] { return }
      heap.swapAt(root, least)
      root = least
    }
  }

  /// How many of the candidates stay after top-p; those below min-p get weight 0.
  private func kept(_ options: SamplingOptions) -> Int {
    var kept = weights.count
    if options.topP < 1 {
      let total = weights.reduce(0.0) { $0 + Double($1) }
      var sum = 0.0
      for (index, weight) in weights.enumerated() {
        sum += Double(weight)
        if sum >= Double(options.topP) * total {
          kept = index + 1
          break
        }
      }
    }
    // The likeliest candidate has weight 1.
    if options.minP > 0 {
      for index in 0..<kept where weights[index] < options.minP { weights[index] = 0 }
    }
    return kept
  }

  private func draw(_ kept: Int, _ uniform: Double) -> Int32 {
    let total = weights[..<kept].reduce(0.0) { $0 + Double($1) }
    var sum = 0.0
    var last = 0
    for index in 0..<kept where weights[index] > 0 {
      sum += Double(weights[index])
      last = index
      if sum > uniform * total { break }
    }
    return candidates[last].id
  }
}

/// A token that may be drawn. The likelier is greater, among equals the lower id.
struct Candidate: Comparable {
  /// The logit's bits in the order of its value, then the complement of the id: one comparison
  /// orders both.
  private let key: UInt64

  init(logit: Float, id: Int) {
    let bits = (logit + 0).bitPattern  // Both zeros are one value.
    let ordered = bits >> 31 == 0 ? bits | 1 << 31 : ~bits
    key = UInt64(ordered) << 32 | UInt64(~UInt32(truncatingIfNeeded: id))
  }

  var logit: Float {
    let ordered = UInt32(truncatingIfNeeded: key >> 32)
    return Float(bitPattern: ordered >> 31 == 1 ? ordered & 0x7fff_ffff : ~ordered)
  }

  var id: Int32 { Int32(truncatingIfNeeded: ~UInt32(truncatingIfNeeded: key)) }

  static func < (left: Candidate, right: Candidate) -> Bool { left.key < right.key }
}
