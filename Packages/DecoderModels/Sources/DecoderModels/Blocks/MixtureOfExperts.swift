import Kernels
import Tensors

/// A mixture of experts (arXiv:1701.06538): many gated feed-forward layers, of which a router sends
/// each token to a few, and where there is one a shared expert that sees all tokens.
///
/// `y = sum of p_e expert_e(x) + sigmoid(x . g) shared(x)` over the likeliest experts by `softmax(x
/// W^T)`. Router and gate are multiplied in F32 whatever the numerics. The tokens of a batch are
/// grouped by expert, and no other expert is read; outputs are summed in the order of the experts,
/// so that a token's bits do not depend on its batch.
public struct MixtureOfExperts: FeedForward {
  /// An expert that sees all tokens.
  public struct Shared: Sendable {
    /// The layer.
    public fileprivate(set) var expert: GatedFeedForward
    /// `[1, hidden]`: the sigmoid of the product is what its output is multiplied by.
    public let gate: Linear

    /// A shared expert.
    public init(expert: GatedFeedForward, gate: Linear) {
      self.expert = expert
      self.gate = gate
    }
  }

  /// `[experts, hidden]`.
  public let router: Linear
  /// All of one size.
  public private(set) var experts: [GatedFeedForward]
  /// The expert that sees all tokens.
  public private(set) var shared: Shared?
  /// Experts that a token is sent to.
  public let chosen: Int
  /// Whether their weights are divided by their sum.
  public let normalizes: Bool

  /// A layer of these parts; there are at least `chosen` experts, as many as the router has rows.
  public init(
    router: Linear, experts: [GatedFeedForward], shared: Shared? = nil, chosen: Int,
    normalizes: Bool
  ) {
    precondition(
      chosen > 0 && chosen <= experts.count && router.weights.outFeatures == experts.count,
      "\(chosen) of \(experts.count) experts, \(router.weights.outFeatures) rows")
    self.router = router
    self.experts = experts
    self.shared = shared
    self.chosen = chosen
    self.normalizes = normalizes
  }

  /// See `BlockPart`. Inputs of all experts first, the shared one last, then what their last layers
  /// multiply.
  public var sites: [Site] {
    get {
      var all: [(expert: GatedFeedForward, share: Double)] = []
      for expert in experts { all.append((expert, Double(chosen) / Double(experts.count))) }
      if let shared { all.append((shared.expert, 1)) }
      return all.map { Site([$0.expert.gate, $0.expert.up], isPartInput: true, share: $0.share) }
        + all.map { Site([$0.expert.down], isPartInput: false, share: $0.share) }
    }
    set {
      let parts = newValue.count / 2
      for part in 0..<parts {
        let both = [newValue[part], newValue[parts + part]]
        if part < experts.count {
          experts[part].sites = both
        } else {
          shared?.expert.sites = both
        }
      }
    }
  }

  /// See `BlockPart`.
  public var firstWeights: any LinearWeights { router.weights }
  /// See `BlockPart`.
  public var otherParameters: Int { 0 }
  /// See `BlockPart`.
  public var keptLinears: [Linear] { [router] + (shared.map { [$0.gate] } ?? []) }

  /// See `Mixer` and `FeedForward`.
  public var scratchWidth: Int {
    let hidden = router.weights.inFeatures
    let ofShared = shared.map { 2 * $0.expert.gate.weights.outFeatures + hidden } ?? 0
    // Input, gate, up and down of each expert.
    return experts.count + chosen * 2 * (hidden + experts[0].gate.weights.outFeatures) + ofShared
  }

  /// See `Mixer` and `FeedForward`.
  public func run(in pass: BlockPass, next: (any LinearWeights)?) {
    let (routes, sharedWeights) = route(in: pass)
    guard let first = routes.used.first else { return }
    let (rows, slots) = (pass.input.tokens, routes.rows.count)
    let isInTurn = rows <= Self.rowsInTurn
    pass.pool.prefetchWeights(
      inTurn: (isInTurn ? routes.used : [first]).map { experts[$0.expert].gate.weights })
    let width = experts[0].gate.weights.outFeatures
    pass.selection.reset(rows: routes.rows, of: pass.input)
    var inputs = routes.used.map { pass.selection.slice($0.slots) }
    for (used, input) in zip(routes.used, inputs) {
      guard pass.shows(used.expert, of: input) else { return }
    }
    guard shared == nil || pass.shows(experts.count) else { return }

    let (g, u) = (pass.scratch(0, slots * width), pass.scratch(1, slots * width))
    var products = zip(routes.used, inputs).map { used, input in
      let start = used.slots.lowerBound * width
      return experts[used.expert].gated(input, in: pass, into: g + start, beside: u + start)
    }
    if isInTurn { products = [LinearProduct(inTurn: products)] }
    let sharedGate = shared.map { shared in
      let width = shared.expert.gate.weights.outFeatures
      let (g, u) = (pass.scratch(2, rows * width), pass.scratch(3, rows * width))
      products.append(shared.expert.gated(pass.input, in: pass, into: g, beside: u))
      return (g, width)
    }
    pass.pool.prefetchWeights(experts[first.expert].down.weights)
    pass.pool.run(products)

    pass.selection.reset(g, tokens: slots, width: width)
    inputs = routes.used.map { pass.selection.slice($0.slots) }
    let place = experts.count + (shared == nil ? 0 : 1)
    for (used, input) in zip(routes.used, inputs) {
      guard pass.shows(place + used.expert, of: input) else { return }
    }
    if let (g, width) = sharedGate {
      pass.input.reset(g, tokens: rows, width: width)
      guard pass.shows(place + experts.count) else { return }
    }
    if let next { pass.pool.prefetchWeights(next) }
    addOutputs(of: inputs, routes, sharedWeights, in: pass)
  }

  /// Up to so many rows an expert has few of them, and memory is what products wait for: threads
  /// take experts in turn and read each in one go. With more rows a share of each expert keeps them
  /// even, however the rows are spread.
  private static let rowsInTurn = 16

  /// Where the rows of the input go, and what the shared expert's output of each is multiplied by.
  private func route(in pass: BlockPass) -> (ExpertRoutes, shared: [Float]) {
    let (rows, count, kernels) = (pass.input.tokens, experts.count, pass.kernels)
    let input = LinearInput(
      pass.input.rows(on: pass.pool), tokens: rows, width: pass.width, numerics: .exact)
    let scores = DisjointMemory(pass.scratch(4, rows * count))
    let gate = pass.scratch(5, rows)
    var products = [pass.product(router, of: input, into: scores.base)]
    if let shared { products.append(pass.product(shared.gate, of: input, into: gate)) }
    pass.pool.run(products)
    let choices = [ExpertRoutes.Choice](unsafeUninitializedCapacity: rows * chosen) {
      buffer, filled in
      if let target = buffer.baseAddress.map({ DisjointMemory($0) }) {
        // A comparison costs about as much as a product.
        pass.pool.split(rows, cost: rows * count * chosen) { [chosen, normalizes] part in
          for row in part {
            ExpertRoutes.choose(
              among: scores + row * count, experts: count, count: chosen, normalizes: normalizes,
              kernels, into: target + row * chosen)
          }
        }
      }
      filled = rows * chosen
    }
    let weights = shared == nil ? [] : (0..<rows).map { kernels.sigmoid(gate[$0]) }
    return (ExpertRoutes(choices, each: chosen, experts: count), weights)
  }

  /// Adds the experts' outputs to the residual stream: `inputs` are what the last layers of those
  /// in use multiply, and the pass's input that of the shared one.
  private func addOutputs(
    of inputs: [LinearInput], _ routes: ExpertRoutes, _ sharedWeights: [Float], in pass: BlockPass
  ) {
    let (rows, width, x) = (pass.count, pass.width, DisjointMemory(pass.residual))
    let y = DisjointMemory(pass.scratch(1, routes.rows.count * width))
    var products = zip(routes.used, inputs).map { used, input in
      pass.product(experts[used.expert].down, of: input, into: y + used.slots.lowerBound * width)
    }
    let ofShared = DisjointMemory(pass.scratch(3, sharedWeights.count * width))
    if let shared { products.append(pass.product(shared.expert.down, into: ofShared.base)) }
    pass.pool.run([
      LinearProduct(together: products).epilogue { [kernels = pass.kernels, chosen] part in
        for row in 0..<rows {
          let target = x + (row * width + part.lowerBound)
          for slot in routes.slots[row * chosen..<(row + 1) * chosen] {
            kernels.add_scaled(
              target, y + (slot * width + part.lowerBound), routes.weights[slot], part.count)
          }
          if sharedWeights.isEmpty { continue }
          kernels.add_scaled(
            target, ofShared + (row * width + part.lowerBound), sharedWeights[row], part.count)
        }
      }
    ])
  }
}

extension bb_kernel_table {
  /// `1 / (1 + exp(-x))`.
  fileprivate func sigmoid(_ x: Float) -> Float {
    var power: Float = 0
    return 1 / (1 + exp_sum([-x], 0, &power, 1))
  }
}
