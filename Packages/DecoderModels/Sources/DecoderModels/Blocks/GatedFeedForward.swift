import Tensors

/// `down(silu(gate(x)) * up(x))` (SwiGLU, arXiv:2002.05202).
public struct GatedFeedForward: FeedForward {
  /// `[intermediate, hidden]`.
  public private(set) var gate: Linear
  /// `[intermediate, hidden]`.
  public private(set) var up: Linear
  /// `[hidden, intermediate]`.
  public private(set) var down: Linear

  /// A layer of these parts.
  public init(gate: Linear, up: Linear, down: Linear) {
    self.gate = gate
    self.up = up
    self.down = down
  }

  /// See `BlockPart`.
  public var sites: [Site] {
    get { [Site([gate, up], isPartInput: true), Site([down], isPartInput: false)] }
    set {
      (gate, up) = (newValue[0].linears[0], newValue[0].linears[1])
      down = newValue[1].linears[0]
    }
  }

  /// See `BlockPart`.
  public var firstWeights: any LinearWeights { gate.weights }
  /// See `BlockPart`.
  public var lastLinear: Linear? { down }
  /// See `BlockPart`.
  public var otherParameters: Int { 0 }
  /// See `Mixer` and `FeedForward`.
  public var scratchWidth: Int { 2 * gate.weights.outFeatures }

  /// See `Mixer` and `FeedForward`.
  public func run(in pass: BlockPass, next: (any LinearWeights)?) {
    guard pass.shows(0) else { return }
    let (rows, width) = (pass.input.tokens, gate.weights.outFeatures)
    let g = DisjointMemory(pass.scratch(0, rows * width))
    let u = DisjointMemory(pass.scratch(1, rows * width))
    pass.pool.prefetchWeights(down.weights)
    pass.pool.run([gated(pass.input, in: pass, into: g.base, beside: u.base)])
    pass.input.reset(g.base, tokens: rows, width: width)
    guard pass.shows(1) else { return }
    if let next { pass.pool.prefetchWeights(next) }
    pass.addProduct(down, through: 1)
  }

  /// `silu(gate(x)) * up(x)` of an input, into `g` `[rows, intermediate]`; `u`, of the same size,
  /// is for `up(x)`.
  func gated(
    _ input: LinearInput, in pass: BlockPass, into g: UnsafeMutablePointer<Float>,
    beside u: UnsafeMutablePointer<Float>
  ) -> LinearProduct {
    let (rows, width) = (input.tokens, gate.weights.outFeatures)
    let both = pass.product(gate, of: input, into: g).fused(
      with: pass.product(up, of: input, into: u))
    let (g, u) = (DisjointMemory(g), DisjointMemory(u))
    return both.epilogue { [kernels = pass.kernels] part in
      for at in stride(from: part.lowerBound, to: rows * width, by: width) {
        kernels.silu_multiply(g + at, u + at, g + at, part.count)
      }
    }
  }
}
