import Kernels

/// Draws tokens from logits. Keeps working memory between draws; one thread uses it.
public final class Sampler {
  private struct Candidate {
    var logit: Float
    var id: Int32
    /// The likelier first; the lower id among equals.
    static func isBefore(_ a: Candidate, _ b: Candidate) -> Bool {
      a.logit != b.logit ? a.logit > b.logit : a.id < b.id
    }
  }

  /// Ids from here on are padding rows of the head and never drawn.
  private let tokenLimit: Int
  private var candidates: [Candidate] = []
  private var scaled: [Float] = []
  private var weights: [Float] = []

  /// A sampler for token ids below `tokenLimit`.
  public init(tokenLimit: Int = Int.max) { self.tokenLimit = tokenLimit }

  /// Draws one token.
  ///
  /// - Parameters:
  ///   - logits: `[vocabulary]`.
  ///   - options: the filters.
  ///   - uniform: a random number in [0, 1).
  ///   - step: number of the draw, for the error.
  /// - Returns: the token's id.
  /// - Throws: `GenerationError.nonFiniteLogits`.
  public func sample(
    _ logits: UnsafeBufferPointer<Float>, _ options: SamplingOptions, uniform: Double, step: Int
  ) throws(GenerationError) -> Int32 {
    let count = min(logits.count, tokenLimit)
    var best = 0
    for id in 0..<count {
      guard logits[id].isFinite else { throw .nonFiniteLogits(step: step) }
      if logits[id] > logits[best] { best = id }
    }
    if options.temperature == 0 || count <= 1 { return Int32(best) }
    collect(logits, count: count, options)
    let highest = logits[best] / options.temperature
    scaled.removeAll(keepingCapacity: true)
    for candidate in candidates { scaled.append(candidate.logit / options.temperature) }
    weights = [Float](repeating: 0, count: scaled.count)
    _ = bb_kernels().pointee.exp_sum(scaled, highest, &weights, scaled.count)
    return draw(kept(options), uniform)
  }

  /// Fills `candidates`: the likeliest in order when a filter needs the order, else all ids in turn.
  private func collect(
    _ logits: UnsafeBufferPointer<Float>, count: Int, _ options: SamplingOptions
  ) {
    candidates.removeAll(keepingCapacity: true)
    let limit = min(options.topK ?? count, count)
    for id in 0..<limit { candidates.append(Candidate(logit: logits[id], id: Int32(id))) }
    if limit < count {
      // A heap of the likeliest so far, the least of them on top; a later id never replaces an equal one.
      for root in stride(from: limit / 2 - 1, through: 0, by: -1) { sink(root) }
      for id in limit..<count where logits[id] > candidates[0].logit {
        candidates[0] = Candidate(logit: logits[id], id: Int32(id))
        sink(0)
      }
    }
    if limit < count || options.topP < 1 { candidates.sort(by: Candidate.isBefore) }
  }

  /// Restores the heap below `root`: nobody comes before those under it.
  private func sink(_ root: Int) {
    var root = root
    while true {
      var least = root
      for child in 2 * root + 1...2 * root + 2
      where child < candidates.count && Candidate.isBefore(candidates[least], candidates[child]) {
        least = child
      }
      if least == root { return }
      candidates.swapAt(root, least)
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
