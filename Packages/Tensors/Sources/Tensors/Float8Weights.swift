import Kernels

/// A matrix of 8-bit floats (E4M3) with a scale for each group of inputs of a row, kept in its own
/// bits: a product makes floats of 16 rows at a time. Where a model wants its tokens in 8-bit
/// floats too, both are multiplied as pairs of BF16, which hold them exactly, and scales follow
/// behind the sum.
///
/// Sendable by rule: its memory is written while it is made and by nobody later.
public final class Float8Weights: LinearWeights, @unchecked Sendable {
  /// Rows: output features.
  public let outFeatures: Int
  /// Columns: input features.
  public let inFeatures: Int
  /// Inputs that share a scale.
  public let groupSize: Int
  /// What becomes of the activations: `.float8`, or nothing.
  public let tokenRounding: TokenRounding?
  /// `[blocks of 16][inputs][16]`.
  private let codes: AlignedBytes
  /// `[blocks of 16][groups][16]` of F32.
  private let scales: AlignedBytes

  /// Bytes this matrix holds in memory.
  public var byteCount: Int { codes.count + scales.count }
  /// The format in words.
  public var formatName: String {
    "FP8 " + (groupSize < inFeatures ? "group \(groupSize)" : "per channel")
      + (tokenRounding.map { ", " + $0.title } ?? "")
  }
  /// Bits of a weight.
  public var bits: Int { 8 }
  private var groups: Int { (inFeatures + groupSize - 1) / groupSize }

  /// Takes memory for a matrix; `put` fills it.
  ///
  /// - Parameters:
  ///   - shape: `[out, in]`.
  ///   - groupSize: inputs that share a scale.
  ///   - rowScales: `[out, groups]`.
  ///   - tokenRounding: `.float8` where tokens are rounded too; one scale a row is needed then.
  ///   - name: for messages.
  /// - Throws: `TensorError` when the sizes do not fit together or memory is short.
  public init(
    shape: [Int], groupSize: Int, rowScales: [Float], tokenRounding: TokenRounding? = nil,
    name: String
  ) throws(TensorError) {
    guard shape.count == 2, shape[0] > 0, shape[1] > 0, groupSize > 0 else {
      throw .shapeMismatch(what: "\(name) as a matrix", expected: [1, 1], found: shape)
    }
    outFeatures = shape[0]
    inFeatures = shape[1]
    self.groupSize = min(groupSize, shape[1])
    self.tokenRounding = tokenRounding
    guard tokenRounding == nil || tokenRounding == .float8 && groupSize >= shape[1] else {
      throw .invalidQuantization(
        "\(name): tokens rounded as \(tokenRounding?.rawValue ?? "") for groups of \(groupSize) of \(shape[1]) inputs"
      )
    }
    let (blocks, groups) = ((shape[0] + 15) / 16, (shape[1] + self.groupSize - 1) / self.groupSize)
    guard rowScales.count == shape[0] * groups else {
      throw .invalidQuantization("\(name): \(rowScales.count) scales for [\(shape[0]), \(groups)]")
    }
    codes = try AlignedBytes(weights: blocks * 16 * shape[1])
    scales = try AlignedBytes(count: blocks * groups * 16 * 4)
    let rows = shape[0]
    scales.withMutableBytes { target in
      let target = target.bindMemory(to: Float.self)
      for row in 0..<rows {
        for group in 0..<groups {
          target[(row / 16 * groups + group) * 16 + row % 16] = rowScales[row * groups + group]
        }
      }
    }
  }

  /// Rows of codes, row-major, which start at a multiple of 16; threads put different ones, before
  /// the weights are used.
  public func put(_ rows: Range<Int>, _ bytes: UnsafeRawBufferPointer) {
    precondition(
      rows.lowerBound % 16 == 0 && rows.upperBound <= outFeatures
        && bytes.count >= rows.count * inFeatures, "rows \(rows) of \(outFeatures)")
    codes.withMutableBytes { target in
      for row in rows {
        let from = (row - rows.lowerBound) * inFeatures
        let to = row / 16 * inFeatures * 16 + row % 16
        for input in 0..<inFeatures { target[to + input * 16] = bytes[from + input] }
      }
    }
  }

  /// See `LinearWeights.activations`: as they are, unless the model wants them rounded.
  public func activations(for numerics: Numerics) -> ActivationScheme {
    tokenRounding == nil || numerics == .exact ? .float : .float8
  }

  /// See `LinearWeights.product`.
  public func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct {
    let (rows, tokens, width) = (outFeatures, input.tokens, inFeatures)
    let scheme = activations(for: input.numerics)
    let prepared = input.prepared(for: scheme, on: pool)
    let y = DisjointMemory(y)
    if scheme == .float8 { return roundedProduct(of: prepared, into: y) }
    return LinearProduct(features: rows, tokens: tokens, cost: rows * width * tokens) { part in
      let lines = UnsafeMutablePointer<Float>.allocate(capacity: width * 16 + 32)
      defer { lines.deallocate() }
      // Lines are read as whole cache lines.
      let start = UnsafeMutableRawPointer(lines).alignedUp(toMultipleOf: 64)
        .assumingMemoryBound(to: Float.self)
      for block in part.firstBlock..<part.endBlock {
        bb_float8_expand(
          self.codes.start(of: UInt8.self) + block * width * 16,
          self.scales.start(of: Float.self) + block * self.groups * 16, width, self.groupSize, start
        )
        if width % 2 != 0 { for row in 0..<16 { start[width * 16 + row] = 0 } }
        var matrix = bb_matrix(
          format: BB_ROWS_F32, rows: min(16, rows - block * 16), inputs: width, group: width,
          lines: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), scales: nil,
          scale_format: BB_F32, zeros: nil, zero: 0)
        var activations = prepared.activations
        bb_multiply(bb_kernels(), &matrix, &activations, tokens, y + block * 16, rows, 0, 1)
      }
    }
  }

  /// The product with tokens of 8-bit floats.
  private func roundedProduct(
    of prepared: PreparedInput, into y: DisjointMemory<Float>
  ) -> LinearProduct {
    let (rows, tokens, width) = (outFeatures, prepared.tokens, inFeatures)
    let cost = rows * width * tokens / ActivationScheme.float8.costDivisor
    return LinearProduct(features: rows, tokens: tokens, cost: cost) { part in
      let pairs = UnsafeMutablePointer<UInt16>.allocate(capacity: (width + 1) / 2 * 32 + 32)
      defer { pairs.deallocate() }
      let start = UnsafeMutableRawPointer(pairs).alignedUp(toMultipleOf: 64)
        .assumingMemoryBound(to: UInt16.self)
      var activations = prepared.activations
      guard let tokenScales = activations.scales else { return }
      for block in part.firstBlock..<part.endBlock {
        let count = min(16, rows - block * 16)
        bb_float8_expand_pairs(
          self.codes.start(of: UInt8.self) + block * width * 16, width, start)
        var matrix = bb_matrix(
          format: BB_ROWS_BF16, rows: count, inputs: width, group: width,
          lines: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), scales: nil,
          scale_format: BB_F32, zeros: nil, zero: 0)
        bb_multiply(bb_kernels(), &matrix, &activations, tokens, y + block * 16, rows, 0, 1)
        let scales = self.scales.start(of: Float.self) + block * 16
        for token in 0..<tokens {
          let sums = y + token * rows + block * 16
          for row in 0..<count { sums[row] = sums[row] * tokenScales[token] * scales[row] }
        }
      }
    }
  }

  /// See `LinearWeights.withPackedRows`.
  public func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void) { codes.withBytes(body) }

  /// See `LinearWeights.copyRow`.
  public func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    precondition(index >= 0 && index < outFeatures, "row \(index) of \(outFeatures)")
    let codes = codes.start(of: UInt8.self) + index / 16 * inFeatures * 16 + index % 16
    let scales = scales.start(of: Float.self) + index / 16 * groups * 16 + index % 16
    for input in 0..<inFeatures {
      target[input] = bb_float8_value(codes[input * 16]) * scales[input / groupSize * 16]
    }
  }
}
