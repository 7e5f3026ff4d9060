import Kernels
import Tensors

/// A mixture of experts (arXiv:1701.06538): many gated feed-forward layers, of which a router sends
/// each token to a few, and where there is one a shared expert that sees all tokens.
///
/// `y = sum of p_e expert_e(x) + sigmoid(x . g) shared(x)` over the likeliest experts by `softmax(x
/// W^T)`. Router and gate are multiplied in F32 whatever the numerics. The tokens of a batch are
/// grouped by expert, and no other expert is read; a few experts at a time are at work, and outputs
/// are summed in the order of the experts, so that a token's bits do not depend on its batch.
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

  /// See `Mixer` and `FeedForward`. Of a chunk as many rows are at work in experts as it has.
  public var scratchWidth: Int {
    let hidden = router.weights.inFeatures
    let ofShared = shared.map { 2 * $0.expert.gate.weights.outFeatures + hidden } ?? 0
    // Input, gate, up and down of an expert.
    return experts.count + 2 * (hidden + experts[0].gate.weights.outFeatures) + ofShared
  }

  /// See `Mixer` and `FeedForward`.
  public func run(in pass: BlockPass, next: (any LinearWeights)?) {
    let (routes, sharedWeights) = route(in: pass)
    // Whoever observes sees the inputs of all experts before those of their last layers.
    let rounds = routes.rounds(ofRows: pass.isObserved ? .max : Self.rowsAtOnce)
    // Spaces that are large enough for every round.
    let (most, width) = (
      rounds.reduce(0) { max($0, $1.slots.count) }, experts[0].gate.weights.outFeatures
    )
    _ = (pass.scratch(0, most * width), pass.scratch(1, most * max(width, pass.width)))
    // Without a norm they are the residual stream, to which the outputs of a round are added.
    if rounds.count > 1 { pass.input.keepRows() }
    for round in rounds {
      let isLast = round.slots.upperBound == routes.rows.count
      guard let gated = gated(round, of: routes, withShared: isLast, in: pass) else { return }
      if isLast, let next { pass.pool.prefetchWeights(next) }
      addOutputs(of: gated, round, of: routes, isLast ? sharedWeights : [], in: pass)
    }
  }

  /// Up to so many rows an expert has few of them, and memory is what products wait for: threads
  /// take experts in turn and read each in one go. With more rows a share of each expert keeps them
  /// even, however the rows are spread.
  private static let rowsInTurn = 16
  /// Rows that are at work in experts together, which bounds the working memory.
  private static let rowsAtOnce = ForwardPass.chunk

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

  // MARK: A round

  /// `silu(gate(x)) * up(x)` of the experts of a round, and of the shared one in the last round,
  /// whose then becomes the input of `pass`.
  ///
  /// - Returns: what the last layers of the experts multiply; nil where an observer ends the block.
  private func gated(
    _ round: ExpertRoutes.Round, of routes: ExpertRoutes, withShared isLast: Bool,
    in pass: BlockPass
  ) -> [LinearInput]? {
    let (rows, shared, used) = (pass.input.tokens, isLast ? shared : nil, routes.used[round.used])
    let isInTurn = rows <= Self.rowsInTurn
    pass.pool.prefetchWeightsNow(
      inTurn: used.prefix(isInTurn ? used.count : 1).map { experts[$0.expert].gate.weights })
    let inputs = inputs(of: round, of: routes, in: pass)
    for (used, input) in zip(used, inputs) {
      guard pass.shows(used.expert, of: input) else { return nil }
    }
    guard shared == nil || pass.shows(experts.count) else { return nil }

    let width = experts[0].gate.weights.outFeatures
    let count = round.slots.count
    let (g, u) = (pass.scratch(0, count * width), pass.scratch(1, count * width))
    var products = zip(used, inputs).map { used, input in
      let start = (used.slots.lowerBound - round.slots.lowerBound) * width
      return experts[used.expert].gated(input, in: pass, into: g + start, beside: u + start)
    }
    if isInTurn { products = [LinearProduct(inTurn: products)] }
    let ofShared = shared.map { shared in
      let width = shared.expert.gate.weights.outFeatures
      let (g, u) = (pass.scratch(2, rows * width), pass.scratch(3, rows * width))
      products.append(shared.expert.gated(pass.input, in: pass, into: g, beside: u))
      return (g, width)
    }
    if let first = used.first { pass.pool.prefetchWeights(experts[first.expert].down.weights) }
    pass.pool.run(products)

    pass.selection.reset(g, tokens: count, width: width)
    let gated = slices(of: pass.selection, round, of: routes)
    let place = experts.count + (self.shared == nil ? 0 : 1)
    for (used, input) in zip(used, gated) {
      guard pass.shows(place + used.expert, of: input) else { return nil }
    }
    if let (g, width) = ofShared {
      pass.input.reset(g, tokens: rows, width: width)
      guard pass.shows(place + experts.count) else { return nil }
    }
    return gated
  }

  /// What the experts of a round multiply: their rows of the input.
  private func inputs(
    of round: ExpertRoutes.Round, of routes: ExpertRoutes, in pass: BlockPass
  ) -> [LinearInput] {
    // All experts of a single row multiply that one.
    if pass.input.tokens == 1 { return round.used.map { _ in pass.input } }
    pass.selection.reset(rows: Array(routes.rows[round.slots]), of: pass.input)
    return slices(of: pass.selection, round, of: routes)
  }

  /// The rows of each expert of a round, of an input that has those of all.
  private func slices(
    of input: LinearInput, _ round: ExpertRoutes.Round, of routes: ExpertRoutes
  ) -> [LinearInput] {
    let start = round.slots.lowerBound
    return routes.used[round.used].map {
      input.slice($0.slots.lowerBound - start..<$0.slots.upperBound - start)
    }
  }

  /// Adds the experts' outputs to the residual stream: `inputs` are what the last layers of those
  /// in a round multiply, and the pass's input that of the shared one, where it has weights.
  private func addOutputs(
    of inputs: [LinearInput], _ round: ExpertRoutes.Round, of routes: ExpertRoutes,
    _ sharedWeights: [Float], in pass: BlockPass
  ) {
    let (rows, width, x, slots) = (
      pass.count, pass.width, DisjointMemory(pass.residual), round.slots
    )
    let y = DisjointMemory(pass.scratch(1, slots.count * width))
    var products = zip(routes.used[round.used], inputs).map { used, input in
      pass.product(
        experts[used.expert].down, of: input,
        into: y + (used.slots.lowerBound - slots.lowerBound) * width)
    }
    let ofShared = DisjointMemory(pass.scratch(3, sharedWeights.count * width))
    if let shared, !sharedWeights.isEmpty {
      products.append(pass.product(shared.expert.down, into: ofShared.base))
    }
    pass.pool.run([
      LinearProduct(together: products).epilogue { [kernels = pass.kernels, chosen] part in
        for row in 0..<rows {
          let target = x + (row * width + part.lowerBound)
          for slot in routes.slots[row * chosen..<(row + 1) * chosen] where slots.contains(slot) {
            kernels.add_scaled(
              target, y + ((slot - slots.lowerBound) * width + part.lowerBound),
              routes.weights[slot], part.count)
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
