import Kernels

/// A rotation of rows of a width by a Hadamard matrix, all of whose elements are +-1 / sqrt(width):
/// it spreads what stands in a few numbers over all of them, and `rotate` and `rotateBack` undo
/// each other.
///
/// The width is a power of two, or a known Hadamard order times one. Known are Paley's two
/// constructions over primes (J. Math. Phys. 12, 1933): q + 1 for q = 3 mod 4 (12, 20, 44, 68 ...),
/// and 2 (q + 1) for q = 1 mod 4 (28, 36, 76 ...).
public struct Hadamard: Sendable, Equatable {
  /// Numbers of a row.
  public let width: Int
  /// The order of the part that is no power of two, or 1.
  private let order: Int
  /// `[order, order]` of ones and minus ones.
  private let matrix: [Int8]

  /// The rotation of a width; nil where no Hadamard matrix of its order is known here.
  public init?(width: Int) {
    guard width > 0 else { return nil }
    self.width = width
    let odd = width >> width.trailingZeroBitCount
    if odd == 1 {
      (order, matrix) = (1, [1])
      return
    }
    for factor in [4, 8, 16, 32] where width % (odd * factor) == 0 {
      guard let found = Self.paley(odd * factor) else { continue }
      (order, matrix) = (odd * factor, found)
      return
    }
    return nil
  }

  /// Rotates a row.
  public func rotate(_ row: UnsafeMutablePointer<Float>) { rotate(row, transposed: false) }

  /// Undoes `rotate`.
  public func rotateBack(_ row: UnsafeMutablePointer<Float>) { rotate(row, transposed: true) }

  private func rotate(_ row: UnsafeMutablePointer<Float>, transposed: Bool) {
    let part = width / order
    if part > 1 {
      let hadamard = bb_kernels().pointee.hadamard
      for index in 0..<order { hadamard(row + index * part, part) }
    }
    guard order > 1 else { return }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { mixed in
      guard let target = mixed.baseAddress else { return }
      bb_mix_rows(matrix, order, row, part, transposed ? 1 : 0, target)
      row.update(from: target, count: width)
    }
  }

  /// A Hadamard matrix of an order that Paley's constructions give, or nil.
  private static func paley(_ order: Int) -> [Int8]? {
    if isPrime(order - 1), (order - 1) % 4 == 3 { return paleyOne(order - 1) }
    if order % 2 == 0, isPrime(order / 2 - 1), (order / 2 - 1) % 4 == 1 {
      return paleyTwo(order / 2 - 1)
    }
    return nil
  }

  /// I + S with S the skew matrix `[0, 1; -1, Q]` of the quadratic residues of q.
  private static func paleyOne(_ q: Int) -> [Int8] {
    let (n, residue) = (q + 1, residues(q))
    return (0..<n * n).map { at in
      let (i, j) = at.quotientAndRemainder(dividingBy: n)
      if i == j { return 1 }
      if i == 0 { return 1 }
      if j == 0 { return -1 }
      return residue[((i - j) % q + q) % q]
    }
  }

  /// Of the symmetric matrix `[0, 1; 1, Q]` each 0 as `[1, -1; -1, -1]`, each other element times
  /// `[1, 1; 1, -1]`.
  private static func paleyTwo(_ q: Int) -> [Int8] {
    let (n, residue) = (2 * (q + 1), residues(q))
    return (0..<n * n).map { at in
      let (row, column) = at.quotientAndRemainder(dividingBy: n)
      let (i, j) = (row / 2, column / 2)
      if i == j { return row % 2 == 0 && column % 2 == 0 ? 1 : -1 }
      let sign: Int8 = row % 2 == 1 && column % 2 == 1 ? -1 : 1
      return sign * (i == 0 || j == 0 ? 1 : residue[((i - j) % q + q) % q])
    }
  }

  /// For each number below q: 1 for squares, -1 for others, 0 for 0.
  private static func residues(_ q: Int) -> [Int8] {
    var found = [Int8](repeating: -1, count: q)
    for x in 1..<q { found[x * x % q] = 1 }
    found[0] = 0
    return found
  }

  private static func isPrime(_ n: Int) -> Bool {
    guard n > 1 else { return false }
    var divisor = 2
    while divisor * divisor <= n {
      if n % divisor == 0 { return false }
      divisor += 1
    }
    return true
  }
}
