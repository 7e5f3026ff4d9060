/// The probability that at least one of k replies is right.
public enum PassAtK {
  /// The unbiased estimate from n replies of which c are right: 1 - C(n-c, k) / C(n, k) (Chen et
  /// al., arXiv:2107.03374, section 2.1).
  ///
  /// - Parameters:
  ///   - right: c, from 0 to n.
  ///   - total: n.
  ///   - size: k, from 1 to n.
  /// - Returns: A number from 0 to 1.
  public static func estimate(right: Int, total: Int, size: Int) -> Double {
    precondition((0...total).contains(right) && (1...total).contains(size))
    guard total - right >= size else { return 1 }
    var miss = 1.0
    for rest in stride(from: total - right + 1, through: total, by: 1) {
      miss *= 1 - Double(size) / Double(rest)
    }
    return 1 - miss
  }
}
