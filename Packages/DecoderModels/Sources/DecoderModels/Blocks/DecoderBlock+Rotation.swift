import Tensors

extension DecoderBlock {
  /// Why residual stream, heads and inner products of the block cannot be rotated so that it
  /// computes what it did; nil where they can. A rotation needs norms without a mean, whose weights
  /// move into the layers that read them, layers whose outputs meet in sums alone, and widths of
  /// which a Hadamard matrix is known.
  ///
  /// Source: QuaRot, arXiv:2404.00456, sections 4.1 and 4.2.
  ///
  /// - Parameter place: names the block, such as `layer 3`.
  /// - Returns: words that follow "cannot be rotated:".
  public func rotationObstacle(_ place: String) -> String? {
    guard arrangement == .preNorm, norms.allSatisfy({ $0.kind == .rootMeanSquare }) else {
      return "\(place) has norms that subtract a mean or stand behind its parts"
    }
    guard let attention = mixer as? Attention, !attention.isGated,
      case .separate(_, _, let value) = attention.inputs, value.bias == nil,
      attention.output.bias == nil
    else { return "\(place) has no plain attention with values of their own without bias" }
    guard let forward = feedForward as? GatedFeedForward, forward.down.bias == nil else {
      return "\(place) has no gated feed-forward layer without bias (experts have none)"
    }
    let width = forward.down.weights.inFeatures
    return Hadamard(width: width) == nil
      ? Hadamard.obstacle("the input of \(forward.down.name)", width: width) : nil
  }
}

extension Hadamard {
  /// Why there is no rotation of something as wide as this.
  public static func obstacle(_ name: String, width: Int) -> String {
    "\(name) has \(width) numbers, which is no power of two times a known Hadamard order"
  }
}
