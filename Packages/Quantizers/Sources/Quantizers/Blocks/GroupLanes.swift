import Tensors

/// Sixteen groups of weights side by side, a group in each lane, with what an error in a weight
/// counts.
struct GroupLanes {
  /// Weights of a group.
  let size: Int
  /// `[size]`: the same place of every group; zero for groups that are not there.
  let values: [Lanes]
  /// `[size]`: at least the root mean square of the group.
  let importance: [Lanes]

  /// Consecutive groups, at most sixteen.
  init(_ weights: UnsafeBufferPointer<Float>, size: Int) {
    self.size = size
    let groups = weights.count / size
    values = (0..<size).map { place in
      var lanes = Lanes(repeating: 0)
      for group in 0..<groups { lanes[group] = weights[group * size + place] }
      return lanes
    }
    let squares = values.reduce(Lanes(repeating: 0)) { $0 + $1 * $1 }
    let typical = (squares / Float(size)).squareRoot()
    importance = values.map { typical + $0.magnitudes }
  }

  /// The numbers of lanes as codes of a group, place after place.
  static func bytes(_ codes: [Lanes], ofLane lane: Int) -> [UInt8] {
    codes.map { UInt8($0[lane]) }
  }
}

extension Lanes {
  /// One over each lane, and 0 where a lane is not above 0 or so small that this is no number.
  @inline(__always)
  var inverses: Lanes { (1 / self).replacing(with: 0, where: self .< 1e-35) }
}
