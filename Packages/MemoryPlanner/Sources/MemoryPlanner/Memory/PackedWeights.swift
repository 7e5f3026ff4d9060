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
    packedBytes(rows: rows, columns: columns, bits: bits)
  }

  /// The same in other bits.
  private func packedBytes(rows: Int, columns: Int, bits: Int) -> Int {
    let blocks = rows.pieces(of: Self.rows)
    if bits == 16 {
      // 2 inputs a line.
      return Saturating.product(blocks, columns.pieces(of: 2), Self.line)
    }
    // 8-bit codes: 4 inputs a line; narrower ones: 8, as nibbles.
    let codes = Saturating.product(blocks, columns.pieces(of: bits == 8 ? 4 : 8), Self.line)
    let groups = columns.pieces(of: max(1, min(groupSize ?? columns, columns)))
    let scales = Saturating.product(blocks, groups, Self.rows)
    return Saturating.sum(codes, Saturating.product(scales, hasZeroPoints ? 2 + 4 : 2))
  }

  /// The bytes of a layer of a block in the engine's memory; of a scheme with the parts that its
  /// form adds to the codes.
  ///
  /// - Parameters:
  ///   - linear: one such layer.
  ///   - width: of the residual stream.
  /// - Returns: bytes of one of them.
  func packedBytes(of linear: BlockShape.Linear, width: Int) -> Int {
    let (rows, columns) = (linear.rows, linear.columns)
    switch scheme {
    case nil, .w8a8Integer, .w4a16: return packedBytes(rows: rows, columns: columns)
    case .w8a8Float:
      // Lines as those of 8-bit codes, and scales in F32.
      return Saturating.product(
        rows.pieces(of: Self.rows),
        Saturating.sum(
          Saturating.product(columns.pieces(of: 4), Self.line), Saturating.product(Self.rows, 4)))
    case .quikW4A4, .w4a4Rotated:
      let kept = scheme?.outliers(inputs: columns, width: width) ?? 0
      let codes = packedBytes(
        rows: rows, columns: columns - kept, bits: linear.bits(in: scheme) ?? bits)
      let floats =
        kept == 0 ? 0 : WeightPrecision.bf16.packedBytes(rows: rows, columns: kept)
      // What a row of codes adds up to, and which inputs are which.
      let numbers = Saturating.sum(rows, kept == 0 ? 0 : columns)
      return Saturating.sum(codes, floats, Saturating.product(4, numbers))
    }
  }
}

extension BlockShape.Linear {
  /// Bits of its codes in a scheme.
  func bits(in scheme: WeightScheme?) -> Int? { isWide ? scheme?.wideBits : scheme?.bits }
}
