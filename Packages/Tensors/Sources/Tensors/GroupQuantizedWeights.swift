import Kernels

/// Integer codes with one scale for each group of inputs of a row, held packed: 8-bit codes as
/// bytes, 4-bit codes as nibbles, 2- and 3-bit codes as nibbles too (the kernels read those).
///
/// With `Numerics.exact` codes are converted to F32 in registers and multiplied with the
/// activations as they are; with `.int8` the activations are quantized and sums inside a group are
/// integers. Where a model wants tokens rounded (W8A8), a row's sum is one sum of integers,
/// whatever other numerics say. When the groups do not lie in a row (activation order), columns are
/// stored in group order and the activations are gathered before the multiply.
public struct GroupQuantizedWeights: LinearWeights {
  /// Rows: output features.
  public let outFeatures: Int
  /// Columns: input features.
  public let inFeatures: Int
  /// Bits of one code as quantized: 2, 3, 4 or 8.
  public let bits: Int
  /// Inputs that share a scale.
  public let groupSize: Int
  /// What becomes of the activations, of a matrix with one scale a row.
  public let tokenRounding: TokenRounding?
  private let packed: PackedMatrix
  /// Position -> original input, when columns were reordered.
  private let order: [Int32]?

  /// Bytes this matrix holds in memory.
  public var byteCount: Int { packed.byteCount + (order?.count ?? 0) * 4 }
  /// The format in words.
  public var formatName: String {
    "\(bits)-bit " + (groupSize < inFeatures ? "group \(groupSize)" : "per channel")
      + (tokenRounding.map { ", " + $0.title } ?? "")
  }

  /// Packs a quantized matrix, as `CodePacker` does.
  ///
  /// - Throws: as `CodePacker.init`.
  public init(_ matrix: QuantizedMatrix) throws(TensorError) {
    let packer = try CodePacker(matrix.grid)
    matrix.codes.withUnsafeBufferPointer { packer.put(0..<matrix.outFeatures, codes: $0) }
    self = packer.weights
  }

  /// Codes of `grid`, packed already or to be packed; `order` is for columns that are not stored in
  /// theirs.
  init(_ grid: CodeGrid, order: [Int32]?, packed: PackedMatrix) {
    outFeatures = grid.outFeatures
    inFeatures = grid.inFeatures
    bits = grid.bits
    groupSize = min(grid.groupSize, grid.inFeatures)
    tokenRounding = grid.tokenRounding
    self.order = order
    self.packed = packed
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
    tokenRounding = nil
    packed = PackedMatrix(
      bits == 8 ? BB_ROWS_INT8 : BB_ROWS_INT4, rows: rows, inputs: inputs, group: groupSize,
      lines: lines, scales: scales, scaleFormat: scaleFormat, zeros: nil,
      zero: Float(1 << (bits - 1)))
    order = nil
  }

  /// See `LinearWeights.activations`.
  public func activations(for numerics: Numerics) -> ActivationScheme {
    if let tokenRounding, numerics != .exact {
      return tokenRounding.activations(forRowsOf: inFeatures)
    }
    return numerics.activations(forCodesSharingScalesBy: groupSize, of: inFeatures)
  }

  /// See `LinearWeights.product`.
  public func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct {
    let ordered = order.map { LinearInput(input, columns: $0, on: pool) } ?? input
    return packed.product(of: ordered, as: activations(for: input.numerics), into: y, on: pool)
  }

  /// Products of some rows, which start at a multiple of 16, of a matrix whose columns are in their
  /// order.
  ///
  /// - Parameters:
  ///   - input: prepared as `activations` says.
  ///   - rows: rows of the matrix.
  ///   - y: for the first of them, with `stride` floats from one row of the input to the next.
  ///   - stride: see there.
  func multiply(
    _ input: PreparedInput, rows: Range<Int>, into y: UnsafeMutablePointer<Float>, stride: Int
  ) {
    precondition(order == nil, "rows \(rows) of a matrix in order")
    packed.multiply(input, rows: rows, into: y, stride: stride)
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
}
