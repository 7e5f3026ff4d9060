import Kernels

/// Integer codes with one scale for each group of inputs of a row, held packed: 8-bit codes as bytes, 4-bit codes
/// as nibbles, 2- and 3-bit codes as nibbles too (the kernels read those).
///
/// With `Numerics.exact` codes are converted to F32 in registers and multiplied with the activations as they are; with
/// `.int8` the activations are quantized and sums inside a group are integers.
/// When the groups do not lie in a row (activation order), columns are stored in group order and the activations
/// are gathered before the multiply.
public struct GroupQuantizedWeights: LinearWeights {
  /// Rows: output features.
  public let outFeatures: Int
  /// Columns: input features.
  public let inFeatures: Int
  /// Bits of one code as quantized: 2, 3, 4 or 8.
  public let bits: Int
  /// Inputs that share a scale.
  public let groupSize: Int
  private let packed: PackedMatrix
  /// Position -> original input, when columns were reordered.
  private let order: [Int32]?

  /// Bytes this matrix holds in memory.
  public var byteCount: Int { packed.byteCount + (order?.count ?? 0) * 4 }
  /// The format in words.
  public var formatName: String {
    "\(bits)-bit " + (groupSize < inFeatures ? "group \(groupSize)" : "per channel")
  }

  /// Packs a quantized matrix; scales are kept in the narrowest of F16, BF16 and F32 that holds them all exactly.
  ///
  /// - Throws: `TensorError.invalidQuantization` when the group size is neither a multiple of 8 nor the whole row, or
  ///   groups of an activation-ordered matrix are not all full; `TensorError.outOfMemory`.
  public init(_ matrix: QuantizedMatrix) throws(TensorError) {
    guard matrix.groupSize % 8 == 0 || matrix.groupSize >= matrix.inFeatures else {
      throw .invalidQuantization("groups of \(matrix.groupSize): a multiple of 8 is needed")
    }
    outFeatures = matrix.outFeatures
    inFeatures = matrix.inFeatures
    bits = matrix.bits
    groupSize = min(matrix.groupSize, matrix.inFeatures)
    order = try Self.groupOrder(matrix)
    let format = matrix.bits == 8 ? BB_ROWS_INT8 : BB_ROWS_INT4
    let scaleFormat = Self.exactFormat(for: matrix.scales)
    let (rows, groups) = (matrix.outFeatures, matrix.groups)
    packed = PackedMatrix(
      format, rows: rows, inputs: inFeatures, group: groupSize,
      lines: try Self.packCodes(matrix, order: order, format: format),
      scales: try Self.interleave(matrix.scales, rows: rows, groups: groups, format: scaleFormat),
      scaleFormat: scaleFormat,
      zeros: try matrix.zeros.map { values throws(TensorError) in
        try Self.interleave(values, rows: rows, groups: groups, format: BB_F32)
      }, zero: matrix.symmetricZero)
  }

  /// Codes of 8 or 4 bits around their middle, packed already.
  init(
    bits: Int, rows: Int, inputs: Int, groupSize: Int, lines: AlignedBytes, scales: AlignedBytes,
    scaleFormat: bb_float_format
  ) {
    outFeatures = rows
    inFeatures = inputs
    self.bits = bits
    self.groupSize = groupSize
    packed = PackedMatrix(
      bits == 8 ? BB_ROWS_INT8 : BB_ROWS_INT4, rows: rows, inputs: inputs, group: groupSize,
      lines: lines, scales: scales, scaleFormat: scaleFormat, zeros: nil,
      zero: Float(1 << (bits - 1)))
    order = nil
  }

  /// See `LinearWeights.activations`.
  public func activations(for numerics: Numerics) -> ActivationScheme {
    numerics.activations(forCodesInGroupsOf: bb_activation_group(groupSize, inFeatures))
  }

  /// See `LinearWeights.product`.
  public func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct {
    let ordered = order.map { LinearInput(input, columns: $0, on: pool) } ?? input
    return packed.product(of: ordered, as: activations(for: input.numerics), into: y, on: pool)
  }

  /// Products of some rows, which start at a multiple of 16, of a matrix whose columns are in their order.
  ///
  /// - Parameters:
  ///   - input: prepared as `activations` says.
  ///   - rows: rows of the matrix.
  ///   - y: for the first of them, with `stride` floats from one row of the input to the next.
  ///   - stride: see there.
  func multiply(
    _ input: PreparedInput, rows: Range<Int>, into y: UnsafeMutablePointer<Float>, stride: Int
  ) {
    precondition(order == nil && rows.lowerBound % 16 == 0, "rows \(rows) of a matrix in order")
    var (matrix, activations) = (packed.matrix, input.activations)
    bb_multiply(
      bb_kernels(), &matrix, &activations, input.tokens, y - rows.lowerBound, stride,
      rows.firstBlock, rows.endBlock)
  }

  /// See `LinearWeights.withPackedRows`.
  public func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void) {
    packed.lines.withBytes(body)
  }

  /// See `LinearWeights.copyRow`.
  public func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    guard let order else { return packed.copyRow(index, into: target) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: inFeatures) { row in
      guard let ordered = row.baseAddress else { return }
      packed.copyRow(index, into: ordered)
      for (position, input) in order.enumerated() { target[Int(input)] = ordered[position] }
    }
  }

  /// The inputs sorted by group, or nil when groups are consecutive already.
  private static func groupOrder(_ matrix: QuantizedMatrix) throws(TensorError) -> [Int32]? {
    guard let index = matrix.groupIndex else { return nil }
    let consecutive = index.indices.allSatisfy { index[$0] == Int32($0 / matrix.groupSize) }
    if consecutive { return nil }
    let order = index.indices.sorted { (index[$0], $0) < (index[$1], $1) }.map { Int32($0) }
    for (position, input) in order.enumerated()
    where index[Int(input)] != Int32(position / matrix.groupSize) {
      throw .invalidQuantization(
        "group \(index[Int(input)]) does not hold exactly \(matrix.groupSize) inputs")
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

  private static func packCodes(
    _ matrix: QuantizedMatrix, order: [Int32]?, format: bb_row_format
  ) throws(TensorError) -> AlignedBytes {
    let (rows, inputs) = (matrix.outFeatures, matrix.inFeatures)
    let stride = bb_block_bytes(format, inputs)
    let lines = try AlignedBytes(count: (rows + 15) / 16 * stride)
    var gathered = [UInt8](repeating: 0, count: order == nil ? 0 : 16 * inputs)
    lines.withMutableBytes { target in
      matrix.codes.withUnsafeBufferPointer { codes in
        guard let to = target.baseAddress, let from = codes.baseAddress else { return }
        for block in 0..<(rows + 15) / 16 {
          let count = min(16, rows - block * 16)
          let start = from + block * 16 * inputs
          let lines = (to + block * stride).assumingMemoryBound(to: UInt8.self)
          guard let order else {
            bb_format_of(format).pointee.pack(start, count, inputs, lines)
            continue
          }
          for row in 0..<count {
            for position in 0..<inputs {
              gathered[row * inputs + position] = start[row * inputs + Int(order[position])]
            }
          }
          bb_format_of(format).pointee.pack(gathered, count, inputs, lines)
        }
      }
    }
    return lines
  }

  /// `[rows, groups]` -> `[blocks][groups][16]` in `format`; rows beyond the last are 0.
  private static func interleave(
    _ values: [Float], rows: Int, groups: Int, format: bb_float_format
  ) throws(TensorError) -> AlignedBytes {
    let blocks = (rows + 15) / 16
    var ordered = [Float](repeating: 0, count: blocks * groups * 16)
    for row in 0..<rows {
      for group in 0..<groups {
        ordered[(row / 16 * groups + group) * 16 + row % 16] = values[row * groups + group]
      }
    }
    let bytes = try AlignedBytes(count: ordered.count * (format == BB_F32 ? 4 : 2))
    bytes.withMutableBytes { target in
      if let base = target.baseAddress {
        bb_kernels().pointee.narrow(ordered, format, base, ordered.count)
      }
    }
    return bytes
  }
}
