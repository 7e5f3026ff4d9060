import KVCaches
import Tensors

/// A decoder block as data: norms, a mixer, a feed-forward layer, and how they are put together. It
/// can be loaded, changed and dropped alone.
public struct DecoderBlock: Sendable {
  /// How the parts are put together.
  public enum Arrangement: Sendable, Hashable {
    /// `x += mixer(norm0(x)); x += feedForward(norm1(x))`.
    case preNorm
    /// `x = norm0(x + mixer(x)); x = norm1(x + feedForward(x))`.
    case postNorm
    /// `x += mixer(norm0(x)) + feedForward(norm1(x))`; with one norm both read the same.
    case parallel
  }

  /// How the parts are put together.
  public let arrangement: Arrangement
  /// Two, or one that parallel parts share.
  public var norms: [Norm]
  /// Mixes tokens.
  public var mixer: any Mixer
  /// Works on each token alone.
  public var feedForward: any FeedForward

  /// A block of these parts.
  public init(
    _ arrangement: Arrangement, norms: [Norm], mixer: any Mixer, feedForward: any FeedForward
  ) {
    precondition(
      norms.count == 2 || norms.count == 1 && arrangement == .parallel,
      "a block with \(norms.count) norms")
    self.arrangement = arrangement
    self.norms = norms
    self.mixer = mixer
    self.feedForward = feedForward
  }

  /// Steps after each of which the residual stream is complete, so that a later one can begin with
  /// it alone.
  public var stepCount: Int { arrangement == .parallel ? 1 : 2 }

  /// The linear layers by the input they multiply, in the order of computation. Setting it takes
  /// the same layers with other weights.
  public var sites: [Site] {
    get {
      let second = norms.count - 1
      return placed(mixer.sites, norm: 0, step: 0)
        + placed(feedForward.sites, norm: second, step: stepCount - 1)
    }
    set {
      let count = mixer.sites.count
      mixer.sites = Array(newValue[..<count])
      feedForward.sites = Array(newValue[count...])
    }
  }

  private func placed(_ sites: [Site], norm: Int, step: Int) -> [Site] {
    sites.map { site in
      var site = site
      site.norm = site.isPartInput && arrangement != .postNorm ? norm : nil
      site.step = step
      return site
    }
  }

  /// The layer whose product with the input of its site is all that is missing at the end of a step;
  /// nil where a step ends otherwise. See `BlockPass.addProduct(_:of:to:through:)`.
  public func lastLinear(ofStep step: Int) -> Linear? {
    guard arrangement == .preNorm else { return nil }
    return step == 0 ? mixer.lastLinear : feedForward.lastLinear
  }

  /// Linear layers beside `sites`, which are never quantized.
  public var keptLinears: [Linear] { mixer.keptLinears + feedForward.keptLinears }

  /// Numbers beside the weights and biases of `sites` and `keptLinears`.
  public var otherParameters: Int {
    norms.reduce(mixer.otherParameters + feedForward.otherParameters) { $0 + $1.parameters }
  }

  /// Bytes in memory.
  public var byteCount: Int {
    (sites.flatMap(\.linears) + keptLinears).reduce(otherParameters * 4) { $0 + $1.byteCount }
  }

  /// The format of the weights that are multiplied last.
  public var formatName: String { sites.last?.linears.last?.weights.formatName ?? "" }

  /// Runs the block, or one of its steps: `x` `[rows, width]` is its input and becomes its output.
  ///
  /// - Parameters:
  ///   - rows: what the rows are; where only some are wanted, those come to stand at the front of
  ///     `x`.
  ///   - x: replaced in place.
  ///   - caches: the sequences' caches; the rows are appended. Of a batch in which only some rows
  ///     are wanted, no cache may need the queries of all.
  ///   - pass: working memory.
  ///   - step: the step, or nil for all.
  ///   - next: the weights that are multiplied after the block, to be prefetched.
  ///   - observe: sees the inputs of the sites.
  /// - Throws: `TensorError.outOfMemory` when a cache cannot grow.
  public func run(
    _ rows: BlockRows, x: UnsafeMutablePointer<Float>, caches: inout [KVCache], in pass: BlockPass,
    step: Int? = nil, next: (any LinearWeights)? = nil, observe: BlockPass.Observer? = nil
  ) throws(TensorError) {
    let mixes = step != 1
    pass.start(x, count: mixes ? rows.layout.count : rows.outputCount, observe: observe)
    let isParallel = arrangement == .parallel
    if mixes {
      if isParallel { pass.hold() }
      pass.take(arrangement == .postNorm ? nil : norms[0], scratch: mixer.scratchWidth)
      try mixer.run(rows, caches: &caches, in: pass, next: feedForward.firstWeights)
      if pass.isStopped { return }
      if arrangement == .postNorm { pass.normalize(by: norms[0]) }
    }
    guard isParallel || step != 0, pass.count > 0 else { return }
    pass.take(
      arrangement == .postNorm ? nil : norms[norms.count - 1], scratch: feedForward.scratchWidth,
      isHeld: isParallel, firstSite: mixer.sites.count)
    feedForward.run(in: pass, next: next)
    if arrangement == .postNorm, !pass.isStopped { pass.normalize(by: norms[1]) }
  }
}
