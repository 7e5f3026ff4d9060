import Kernels

/// Puts codes into the kernels' blocks of 16 rows as they arrive, so that no second copy of them is
/// held.
///
/// Sendable by rule: threads put different rows, or different words, and `weights` is used when all
/// have arrived.
public struct CodePacker: @unchecked Sendable {
  /// Rows that arrive together start at a multiple of this many.
  public static let blockRows = 16
  /// The matrix, once every code was put.
  public let weights: GroupQuantizedWeights
  private let format: bb_row_format
  private let lines: AlignedBytes
  /// Position -> original input, where columns are put in the order of their groups.
  private let order: [Int32]?

  /// Takes memory for the codes of `grid`. Scales are kept in `scaleType`, or in the narrowest of
  /// F16, BF16 and F32 that holds them all exactly.
  ///
  /// - Throws: `TensorError.invalidQuantization` when the group size is neither a multiple of 8 nor
  ///   the whole row, or groups of an activation-ordered matrix are not all full;
  ///   `TensorError.outOfMemory`.
  public init(_ grid: CodeGrid, scaleType: DType? = nil) throws(TensorError) {
    guard grid.groupSize % 8 == 0 || grid.groupSize >= grid.inFeatures else {
      throw .invalidQuantization("groups of \(grid.groupSize): a multiple of 8 is needed")
    }
    order = try Self.groupOrder(grid)
    format = grid.bits == 8 ? BB_ROWS_INT8 : BB_ROWS_INT4
    let (rows, groups) = (grid.outFeatures, grid.groups)
    let blocks = (rows + Self.blockRows - 1) / Self.blockRows
    lines = try AlignedBytes(weights: blocks * bb_block_bytes(format, grid.inFeatures))
    let scaleFormat =
      switch scaleType {
      case .f16?: BB_F16
      case .bf16?: BB_BF16
      case .f32?: BB_F32
      default: Self.exactFormat(for: grid.scales)
      }
    weights = GroupQuantizedWeights(
      grid, order: order,
      packed: PackedMatrix(
        format, rows: rows, inputs: grid.inFeatures, group: min(grid.groupSize, grid.inFeatures),
        lines: lines,
        scales: try Self.interleave(grid.scales, rows: rows, groups: groups, format: scaleFormat),
        scaleFormat: scaleFormat,
        zeros: try grid.zeros.map { values throws(TensorError) in
          try Self.interleave(values, rows: rows, groups: groups, format: BB_F32)
        }, zero: grid.symmetricZero))
  }

  /// Whether words of codes can be put as files hold them: those of 4 and 8 bits whose columns stay
  /// in their order.
  public var takesWords: Bool { order == nil && [4, 8].contains(weights.bits) }

  /// Packs `rows`, which start at a multiple of `blockRows` and end at one or with the matrix.
  ///
  /// - Parameters:
  ///   - rows: rows of the matrix.
  ///   - codes: a byte each, row-major.
  public func put(_ rows: Range<Int>, codes: UnsafeBufferPointer<UInt8>) {
    let inputs = weights.inFeatures
    check(rows, has: codes.count, expected: rows.count * inputs)
    let pack = bb_format_of(format).pointee.pack
    withUnsafeTemporaryAllocation(
      of: UInt8.self, capacity: order == nil ? 1 : Self.blockRows * inputs
    ) { gathered in
      forEachBlock(of: rows) { first, count, lines in
        guard let from = codes.baseAddress.map({ $0 + (first - rows.lowerBound) * inputs }) else {
          return
        }
        guard let order, let ordered = gathered.baseAddress else {
          return pack(from, count, inputs, lines)
        }
        for row in 0..<count {
          for position in 0..<inputs {
            ordered[row * inputs + position] = from[row * inputs + Int(order[position])]
          }
        }
        pack(ordered, count, inputs, lines)
      }
    }
  }

  /// Packs `rows`, which start at a multiple of `blockRows` and end at one or with the matrix,
  /// where `takesWords`.
  ///
  /// - Parameters:
  ///   - rows: rows of the matrix.
  ///   - words: 32 bits each, codes from the lowest bits on, every row in words of its own.
  public func put(_ rows: Range<Int>, words: UnsafeRawBufferPointer) {
    precondition(takesWords, "codes of \(weights.bits) bits as words")
    let words = words.bindMemory(to: UInt32.self)
    let width = (weights.inFeatures * weights.bits + 31) / 32
    check(rows, has: words.count, expected: rows.count * width)
    forEachBlock(of: rows) { first, count, lines in
      guard let from = words.baseAddress else { return }
      bb_pack_code_words(
        UInt32(weights.bits), from + (first - rows.lowerBound) * width, width, 1, count, width,
        lines)
    }
  }

  /// Packs some words of every row, where `takesWords`.
  ///
  /// - Parameters:
  ///   - range: which words of a row.
  ///   - columns: the words, those of all rows with one number together: `[range.count, rows]`.
  public func put(words range: Range<Int>, columns: UnsafeRawBufferPointer) {
    precondition(takesWords, "codes of \(weights.bits) bits as words")
    let words = columns.bindMemory(to: UInt32.self)
    let rows = weights.outFeatures
    precondition(
      range.upperBound * 32 <= weights.inFeatures * weights.bits
        && words.count >= range.count * rows, "words \(range) of \(rows) rows")
    forEachBlock(of: 0..<rows) { first, count, lines in
      guard let from = words.baseAddress else { return }
      bb_pack_code_words(
        UInt32(weights.bits), from + first, 1, rows, count, range.count,
        lines + range.lowerBound * 64)
    }
  }

  private func check(_ rows: Range<Int>, has count: Int, expected: Int) {
    let isWhole = rows.upperBound % Self.blockRows == 0 || rows.upperBound == weights.outFeatures
    precondition(
      rows.lowerBound % Self.blockRows == 0 && isWhole && rows.upperBound <= weights.outFeatures
        && count >= expected, "rows \(rows) of \(weights.outFeatures)")
  }

  /// Hands out the first row, the number of rows and the lines of each block that `rows` lie in.
  private func forEachBlock(
    of rows: Range<Int>,
    _ body: (_ first: Int, _ count: Int, _ lines: UnsafeMutablePointer<UInt8>) -> Void
  ) {
    let stride = bb_block_bytes(format, weights.inFeatures)
    lines.withMutableBytes { target in
      guard let to = target.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
      for first in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: Self.blockRows) {
        body(
          first, min(Self.blockRows, rows.upperBound - first), to + first / Self.blockRows * stride)
      }
    }
  }

  /// The inputs sorted by group, or nil when groups are consecutive already.
  private static func groupOrder(_ grid: CodeGrid) throws(TensorError) -> [Int32]? {
    guard let index = grid.groupIndex else { return nil }
    let consecutive = index.indices.allSatisfy { index[$0] == Int32($0 / grid.groupSize) }
    if consecutive { return nil }
    let order = index.indices.sorted { (index[$0], $0) < (index[$1], $1) }.map { Int32($0) }
    for (position, input) in order.enumerated()
    where index[Int(input)] != Int32(position / grid.groupSize) {
      throw .invalidQuantization(
        "group \(index[Int(input)]) does not hold exactly \(grid.groupSize) inputs")
    }
    return order
  }

  private static func exactFormat(for values: [Float]) -> bb_float_format {
    var narrow = [UInt16](repeating: 0, count: values.count)
    var widened = [Float](repeating: 0, count: values.count)
    for format in [BB_F16, BB_BF16] {
      bb_kernels().pointee.narrow(values, format, &narrow, values.count)
      bb_kernels().pointee.widen(narrow, format, &widened, values.count)
      if widened == values { return format }
    }
    return BB_F32
  }

  /// `[rows, groups]` -> `[blocks][groups][16]` in `format`; rows beyond the last are 0.
  private static func interleave(
    _ values: [Float], rows: Int, groups: Int, format: bb_float_format
  ) throws(TensorError) -> AlignedBytes {
    let blocks = (rows + 15) / 16
    let ordered = [Float](unsafeUninitializedCapacity: blocks * groups * 16) { target, filled in
      values.withUnsafeBufferPointer { values in
        for block in 0..<blocks {
          for group in 0..<groups {
            for row in 0..<16 {
              let isThere = block * 16 + row < rows
              target.initializeElement(
                at: (block * groups + group) * 16 + row,
                to: isThere ? values[(block * 16 + row) * groups + group] : 0)
            }
          }
        }
      }
      filled = blocks * groups * 16
    }
    let bytes = try AlignedBytes(count: ordered.count * (format == BB_F32 ? 4 : 2), zeroed: false)
    bytes.withMutableBytes { target in
      if let base = target.baseAddress {
        bb_kernels().pointee.narrow(ordered, format, base, ordered.count)
      }
    }
    return bytes
  }
}
