import Kernels
import Tensors

/// `down(activation(up(x)))`.
public struct PlainFeedForward: FeedForward {
  /// What is applied to each value between the two layers.
  public enum Activation: Sendable, Hashable {
    case relu
    /// `x / 2 (1 + erf(x / sqrt 2))` (arXiv:1606.08415), exact, not its tanh form.
    case gelu

    func apply(_ kernels: bb_kernel_table, _ x: UnsafeMutablePointer<Float>, _ count: Int) {
      switch self {
      case .relu: kernels.relu(x, count)
      case .gelu: kernels.gelu(x, count)
      }
    }
  }

  /// `[intermediate, hidden]`.
  public private(set) var up: Linear
  /// `[hidden, intermediate]`.
  public private(set) var down: Linear
  /// What stands between.
  public let activation: Activation

  /// A layer of these parts.
  public init(up: Linear, down: Linear, activation: Activation) {
    self.up = up
    self.down = down
    self.activation = activation
  }

  /// See `BlockPart`.
  public var sites: [Site] {
    get { [Site([up], isPartInput: true), Site([down], isPartInput: false)] }
    set { (up, down) = (newValue[0].linears[0], newValue[1].linears[0]) }
  }

  /// See `BlockPart`.
  public var firstWeights: any LinearWeights { up.weights }
  /// See `BlockPart`.
  public var lastLinear: Linear? { down }
  /// See `BlockPart`.
  public var otherParameters: Int { 0 }
  /// See `Mixer` and `FeedForward`.
  public var scratchWidth: Int { up.weights.outFeatures + down.weights.outFeatures }

  /// See `Mixer` and `FeedForward`.
  public func run(in pass: BlockPass, next: (any LinearWeights)?) {
    guard pass.shows(0) else { return }
    let (rows, width) = (pass.input.tokens, up.weights.outFeatures)
    let u = DisjointMemory(pass.scratch(0, rows * width))
    pass.pool.prefetchWeights(down.weights)
    pass.pool.run([
      pass.product(up, into: u.base).epilogue { [kernels = pass.kernels, activation] part in
        for at in stride(from: part.lowerBound, to: rows * width, by: width) {
          activation.apply(kernels, u + at, part.count)
        }
      }
    ])
    pass.input.reset(u.base, tokens: rows, width: width)
    guard pass.shows(1) else { return }
    if let next { pass.pool.prefetchWeights(next) }
    pass.addProduct(down, through: 1)
  }
}
