import KVLayout

extension WeightPrecision {
  /// Rows of a block.
  private static let rows = 16
  /// Bytes of a line.
  private static let line = 64

  /// The bytes of one matrix `[rows, columns]` in the engine's memory: blocks of 16 rows, whose
  /// lines of 64 bytes hold a few inputs of all 16. Scales are held in 16 bits, which is how every
  /// quantizer here and the usual checkpoints have them.
  public func packedBytes(rows: Int, columns: Int) -> Int {
    let blocks = rows.pieces(of: Self.rows)
    guard let groupSize else {
      // BF16: 2 inputs a line.
      return Saturating.product(blocks, columns.pieces(of: 2), Self.line)
    }
    // 8-bit codes: 4 inputs a line; narrower ones: 8, as nibbles.
    let codes = Saturating.product(blocks, columns.pieces(of: bits == 8 ? 4 : 8), Self.line)
    let scales = Saturating.product(
      blocks, columns.pieces(of: min(groupSize, columns)), Self.rows)
    return Saturating.sum(codes, Saturating.product(scales, hasZeroPoints ? 2 + 4 : 2))
  }
}
