import Kernels

/// A matrix of GGUF's blocks, kept in its own bits: nothing that the file says is lost, nothing is
/// held twice.
///
/// Rows stand in blocks of 16 as for all weights. A product takes a few blocks at a time, makes
/// bytes of their codes where these are not plain nibbles or bytes, and floats of their scales, and
/// hands that to the kernels of integer codes.
///
/// Sendable by rule: its memory is written by the packer, before the weights are used, and by
/// nobody later.
public final class BlockQuantizedWeights: LinearWeights, @unchecked Sendable {
  /// Rows: output features.
  public let outFeatures: Int
  /// Columns: input features.
  public let inFeatures: Int
  /// The type of the blocks.
  public let type: BlockType
  fileprivate let matrix: bb_ggml_matrix
  private let lines: AlignedBytes
  private let parts: [AlignedBytes]

  /// Bytes this matrix holds in memory.
  public var byteCount: Int { parts.reduce(lines.count) { $0 + $1.count } }
  /// The format in words.
  public var formatName: String { type.name }
  /// Bits of a code.
  public var bits: Int { type.codeBits }

  /// Takes memory for a matrix of this size.
  ///
  /// - Throws: `TensorError` when the blocks do not divide a row or memory is short.
  fileprivate init(type: BlockType, rows: Int, inputs: Int, name: String) throws(TensorError) {
    guard rows > 0, inputs > 0, inputs % type.elements == 0 else {
      throw .shapeMismatch(
        what: "\(name) in blocks of \(type.elements)", expected: [1, type.elements],
        found: [rows, inputs])
    }
    outFeatures = rows
    inFeatures = inputs
    self.type = type
    let blocks = (rows + 15) / 16
    let description = type.table
    let lines = try AlignedBytes(weights: blocks * bb_ggml_line_bytes(type.type, inputs))
    let elements = blocks * 16 * inputs
    func part(_ isThere: Bool, _ count: Int) throws(TensorError) -> AlignedBytes? {
      isThere ? try AlignedBytes(count: count, zeroed: false) : nil
    }
    let d = try AlignedBytes(count: elements / type.elements * 2, zeroed: false)
    let low = try part(description.has_lows != 0, elements / type.elements * 2)
    let scales = try part(description.has_scales != 0, elements / type.groupSize)
    let lows = try part(
      description.has_lows != 0 && description.has_scales != 0, elements / type.groupSize)
    self.lines = lines
    parts = [d, low, scales, lows].compactMap(\.self)
    matrix = bb_ggml_matrix(
      type: type.type, rows: rows, inputs: inputs,
      lines: UnsafeMutablePointer(mutating: lines.start(of: UInt8.self)),
      d: UnsafeMutablePointer(mutating: d.start(of: UInt16.self)),
      low: low.map { UnsafeMutablePointer(mutating: $0.start(of: UInt16.self)) },
      scales: scales.map { UnsafeMutablePointer(mutating: $0.start(of: Int8.self)) },
      lows: lows.map { UnsafeMutablePointer(mutating: $0.start(of: UInt8.self)) })
  }

  /// See `LinearWeights.activations`.
  public func activations(for numerics: Numerics) -> ActivationScheme {
    numerics.activations(forCodesInGroupsOf: bb_activation_group(type.groupSize, inFeatures))
  }

  /// See `LinearWeights.product`.
  public func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct {
    let scheme = activations(for: input.numerics)
    let prepared = input.prepared(for: scheme, on: pool)
    let y = DisjointMemory(y)
    let (rows, tokens) = (outFeatures, input.tokens)
    let cost = rows * inFeatures * tokens / scheme.costDivisor
    return LinearProduct(features: rows, tokens: tokens, cost: cost) { part in
      self.eachExpanded(part, tokens: tokens) { matrix, row in
        var (matrix, activations) = (matrix, prepared.activations)
        bb_multiply(
          bb_kernels(), &matrix, &activations, tokens, y + row, rows, 0, (matrix.rows + 15) / 16)
      }
    }
  }

  /// Some rows of the matrix, a few blocks of 16 at a time, in the form that the kernels take, with
  /// the first row.
  private func eachExpanded(
    _ part: Range<Int>, tokens: Int, _ body: (bb_matrix, Int) -> Void
  ) {
    let isPlain = bb_ggml_has_plain_lines(type.type) != 0
    let groups = inFeatures / type.groupSize
    // Tiles of several tokens take more than one block.
    let step = tokens > 1 ? Self.blocksOfTile : 1
    let lineBytes = isPlain ? 0 : inFeatures * 16
    let scaleBytes = groups * 16 * MemoryLayout<Float>.size
    let scratch = UnsafeMutableRawPointer.allocate(
      byteCount: step * (lineBytes + 2 * scaleBytes) + 64, alignment: 64)
    defer { scratch.deallocate() }
    let codes = isPlain ? nil : scratch.assumingMemoryBound(to: UInt8.self)
    let scales = (scratch + step * lineBytes).assumingMemoryBound(to: Float.self)
    let zeros = type.hasLows ? scales + step * groups * 16 : nil
    let stored = bb_ggml_line_bytes(type.type, inFeatures)
    var block = part.firstBlock
    var source = matrix
    while block < part.endBlock {
      let count = min(step, part.endBlock - block)
      for index in 0..<count {
        bb_ggml_expand(
          &source, block + index, codes.map { $0 + index * lineBytes },
          scales + index * groups * 16, zeros.map { $0 + index * groups * 16 })
      }
      let expanded = bb_matrix(
        format: isPlain && type.codeBits == 4 ? BB_ROWS_INT4 : BB_ROWS_INT8,
        rows: min(count * 16, outFeatures - block * 16), inputs: inFeatures, group: type.groupSize,
        lines: codes.map { UnsafePointer($0) } ?? UnsafePointer(matrix.lines + block * stored),
        scales: UnsafeRawPointer(scales).assumingMemoryBound(to: UInt8.self), scale_format: BB_F32,
        zeros: zeros.map { UnsafePointer($0) }, zero: type.zero)
      body(expanded, block * 16)
      block += count
    }
  }

  private static let blocksOfTile = 4

  /// See `LinearWeights.withPackedRows`.
  public func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void) { lines.withBytes(body) }

  /// See `LinearWeights.copyRow`: the values that the reference's decoder gives, bit for bit.
  public func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    precondition(index >= 0 && index < outFeatures, "row \(index) of \(outFeatures)")
    var matrix = matrix
    bb_ggml_row(&matrix, index, target)
  }
}

/// Puts rows of blocks into the form that multiplies as they arrive, so that no second copy of them
/// is held.
///
/// Sendable by rule: threads put different rows, and `weights` is used when all have arrived.
public struct BlockPacker: @unchecked Sendable {
  /// What arrives together starts at a multiple of this many rows.
  public static let blockRows = 16
  /// The matrix, once every row was put.
  public let weights: BlockQuantizedWeights

  /// Takes memory for a matrix of `shape`, `[out, in]`.
  ///
  /// - Throws: `TensorError` naming `name` when the blocks do not divide a row or memory is short.
  public init(type: BlockType, shape: [Int], name: String) throws(TensorError) {
    guard shape.count == 2 else {
      throw .shapeMismatch(what: "\(name) as a matrix", expected: [1, 1], found: shape)
    }
    weights = try BlockQuantizedWeights(type: type, rows: shape[0], inputs: shape[1], name: name)
  }

  /// Packs `rows`, which start at a multiple of `blockRows` and end at one or with the matrix.
  ///
  /// - Parameters:
  ///   - rows: rows of the matrix.
  ///   - bytes: their blocks, as the file has them.
  public func put(_ rows: Range<Int>, _ bytes: UnsafeRawBufferPointer) {
    let rowBytes = weights.inFeatures / weights.type.elements * weights.type.bytes
    let isWhole = rows.upperBound % 16 == 0 || rows.upperBound == weights.outFeatures
    precondition(
      rows.lowerBound % 16 == 0 && isWhole && rows.upperBound <= weights.outFeatures
        && bytes.count >= rows.count * rowBytes, "rows \(rows) of \(weights.outFeatures)")
    guard let from = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
    var matrix = weights.matrix
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: 16) {
      bb_ggml_pack(
        &matrix, row / 16, from + (row - rows.lowerBound) * rowBytes,
        min(16, rows.upperBound - row))
    }
  }
}
