import KVLayout

/// The bytes of all tensors in the files that `quantize` writes of a model stored in BF16, before
/// any compression: `pack-quantized` layers, `int-quantized` and `float-quantized` ones of W8A8,
/// and those of W4A4 as `OutlierFormat` (`ModelLoader`) says.
public struct StoredWeights: Sendable {
  /// Bytes of all tensors.
  public let bytes: Int

  /// Counts the tensors of a model.
  ///
  /// - Parameters:
  ///   - shape: the model's sizes.
  ///   - precision: how its linear layers are stored.
  public init(_ shape: ModelShape, _ precision: WeightPrecision) {
    let embeddings = shape.tiesEmbeddings(in: precision) ? 1 : 2
    let floats = Saturating.sum(
      Saturating.product(embeddings, shape.embeddingParameters),
      shape.overKeptLinears { $0.parameters }, shape.normParameters, shape.biasParameters)
    bytes = Saturating.sum(
      Saturating.product(2, floats),
      shape.overLinears { Self.bytes(of: $0, precision, width: shape.hiddenSize) })
  }

  /// Bytes of the sizes of a matrix, two numbers of 64 bits, which go with packed codes.
  private static let sizes = 16

  private static func bytes(
    of linear: BlockShape.Linear, _ precision: WeightPrecision, width: Int
  ) -> Int {
    let (rows, columns) = (linear.rows, linear.columns)
    switch precision.scheme {
    case .w8a8Integer, .w8a8Float: return Saturating.product(rows, Saturating.sum(columns, 2))
    case .quikW4A4, .w4a4Rotated:
      let kept = precision.scheme?.outliers(inputs: columns, width: width) ?? 0
      let words = packedWords(
        columns - kept, bits: linear.bits(in: precision.scheme) ?? precision.bits)
      return Saturating.sum(
        Saturating.product(rows, Saturating.sum(4 * words, 2, 2 * kept)), 4 * kept, sizes)
    case nil, .w4a16:
      guard let group = precision.groupSize else { return Saturating.product(2, rows, columns) }
      let groups = columns.pieces(of: group)
      let zeros =
        precision.hasZeroPoints
        ? Saturating.product(4, packedWords(rows, bits: precision.bits), groups) : 0
      return Saturating.sum(
        Saturating.product(
          rows, Saturating.sum(4 * packedWords(columns, bits: precision.bits), 2 * groups)),
        zeros, sizes)
    }
  }

  /// Words of 32 bits that hold so many codes, none of which is cut.
  private static func packedWords(_ codes: Int, bits: Int) -> Int {
    Saturating.product(codes, bits).pieces(of: 32)
  }
}
