import Kernels
import SystemCalls

extension GroupQuantizedWeights {
  /// Rounds a matrix to codes of 8 bits, to nearest, around zero: scale = max magnitude / 127 for
  /// each group of a row, NaN where a value is NaN or infinite.
  ///
  /// - Parameters:
  ///   - weights: the matrix.
  ///   - groupSize: inputs that share a scale.
  ///   - workers: threads that round; their number changes no bit.
  /// - Throws: `TensorError.outOfMemory`.
  public init(
    quantizing weights: any LinearWeights, groupSize: Int = 128, workers: Int = 1
  ) throws(TensorError) {
    let part = try RoundedPart(
      rows: weights.outFeatures, inputs: weights.inFeatures, bits: 8, groupSize: groupSize)
    RoundedPart.fill([part], from: weights, workers: workers)
    self = part.weights
  }
}

extension TwoPartWeights {
  /// Quantizes a matrix to nearest, in groups of inputs that share a scale: to codes of 8 bits, and
  /// what those leave to codes of 4 bits, with scale = max magnitude / 7.
  ///
  /// - Parameters:
  ///   - weights: the matrix.
  ///   - groupSize: inputs that share a scale.
  ///   - workers: threads that round; their number changes no bit.
  /// - Throws: `TensorError.outOfMemory`.
  public init(
    quantizing weights: any LinearWeights, groupSize: Int = 128, workers: Int = 1
  ) throws(TensorError) {
    let parts = try [8, 4].map { (bits) throws(TensorError) in
      try RoundedPart(
        rows: weights.outFeatures, inputs: weights.inFeatures, bits: bits, groupSize: groupSize)
    }
    RoundedPart.fill(parts, from: weights, workers: workers)
    self.init(parts)
  }

  /// A matrix of two parts that are filled.
  fileprivate init(_ parts: [RoundedPart]) {
    self.init(coarse: parts[0].weights, fine: parts[1].weights, lengths: parts[1].blockLengths)
  }
}

/// Rounds a matrix of floats as its rows arrive, so that it is never held as they are: to the codes
/// of `WeightPacking.quantized`.
///
/// Sendable by rule: threads put different rows, and `weights` is used when all have arrived.
public struct RoundingPacker: @unchecked Sendable {
  /// What arrives together starts at a multiple of this many rows.
  public static let blockRows = DensePacker.blockRows
  private let parts: [RoundedPart]
  private let format: bb_float_format
  private let elementBytes: Int

  /// Takes memory for a matrix of `shape`, `[out, in]`, of F32, F16 or BF16, in `bits`: 8 or 12.
  ///
  /// - Throws: `TensorError` naming `name` when it is no matrix of such floats, or memory is short.
  public init(
    dtype: DType, shape: [Int], name: String, bits: Int
  ) throws(TensorError) {
    guard shape.count == 2, shape[0] > 0, shape[1] > 0 else {
      throw .shapeMismatch(what: "\(name) as a matrix", expected: [1, 1], found: shape)
    }
    switch dtype {
    case .f32: format = BB_F32
    case .f16: format = BB_F16
    case .bf16: format = BB_BF16
    default: throw .unsupportedType(what: name, dtype: dtype)
    }
    elementBytes = dtype.bits / 8
    parts = try (bits == 8 ? [8] : [8, 4]).map { (bits) throws(TensorError) in
      try RoundedPart(rows: shape[0], inputs: shape[1], bits: bits, groupSize: 128)
    }
  }

  /// The matrix, once every row was put.
  public var weights: any LinearWeights {
    parts.count == 1 ? parts[0].weights : TwoPartWeights(parts)
  }

  /// Rounds `rows`, which start at a multiple of `blockRows` and end at one or with the matrix.
  ///
  /// - Parameters:
  ///   - rows: rows of the matrix.
  ///   - bytes: their elements, row-major.
  public func put(_ rows: Range<Int>, _ bytes: UnsafeRawBufferPointer) {
    let (step, rowBytes) = (Self.blockRows, parts[0].inputs * elementBytes)
    let isWhole = rows.upperBound % step == 0 || rows.upperBound == parts[0].rows
    precondition(
      rows.lowerBound % step == 0 && isWhole && rows.upperBound <= parts[0].rows
        && bytes.count >= rows.count * rowBytes, "rows \(rows) of \(parts[0].rows)")
    guard let from = bytes.baseAddress else { return }
    let widen = bb_kernels().pointee.widen
    let scratch = RoundedPart.Scratch(inputs: parts[0].inputs)
    for block in rows.firstBlock..<rows.endBlock {
      RoundedPart.fill(parts, block: block, in: scratch) { row, target in
        widen(from + (row - rows.lowerBound) * rowBytes, format, target, parts[0].inputs)
      }
    }
  }
}

/// Codes of a matrix in the making, in the kernels' blocks of 16 rows.
///
/// Sendable by rule: threads fill different blocks, and `weights` is used when all are filled.
private struct RoundedPart: @unchecked Sendable {
  let bits: Int
  let rows: Int
  let inputs: Int
  let group: Int
  let groups: Int
  private let format: bb_row_format
  private let lines: AlignedBytes
  private let scales: AlignedBytes
  /// Of each row of codes what it is long as floats.
  private let lengths: AlignedBytes
  /// How many scales of codes of 8 bits, which the kernel makes, one of `bits` is.
  private let factor: Float

  /// Takes the memory.
  init(rows: Int, inputs: Int, bits: Int, groupSize: Int) throws(TensorError) {
    self.bits = bits
    (self.rows, self.inputs) = (rows, inputs)
    group = min(groupSize, inputs)
    groups = (inputs + group - 1) / group
    format = bits == 8 ? BB_ROWS_INT8 : BB_ROWS_INT4
    let blocks = (rows + 15) / 16
    lines = try AlignedBytes(weights: blocks * bb_block_bytes(format, inputs))
    scales = try AlignedBytes(count: blocks * groups * 16 * MemoryLayout<Float>.size)
    lengths = try AlignedBytes(count: blocks * 16 * MemoryLayout<Float>.size)
    factor = 127 / Float((1 << (bits - 1)) - 1)
  }

  /// The matrix, once all blocks are filled.
  var weights: GroupQuantizedWeights {
    GroupQuantizedWeights(
      bits: bits, rows: rows, inputs: inputs, groupSize: group, lines: lines, scales: scales,
      scaleFormat: BB_F32)
  }

  /// What the longest row of each block is long, once all are filled.
  var blockLengths: [Float] {
    lengths.withBytes { bytes in
      let lengths = bytes.bindMemory(to: Float.self)
      return stride(from: 0, to: lengths.count, by: 16).map { start in
        lengths[start..<start + 16].reduce(0) { $1.isNaN ? $1 : max($0, $1) }
      }
    }
  }

  /// Rounds all rows of a matrix to the first part, what that leaves to the next, and so on, blocks
  /// of 16 rows on several threads.
  static func fill(_ parts: [RoundedPart], from weights: any LinearWeights, workers: Int) {
    let blocks = (weights.outFeatures + 15) / 16
    let threads = max(1, min(workers, blocks))
    SystemThread.forEach(threads) { thread in
      let scratch = Scratch(inputs: weights.inFeatures)
      for block in blocks * thread / threads..<blocks * (thread + 1) / threads {
        fill(parts, block: block, in: scratch) { weights.copyRow($0, into: $1) }
      }
    }
  }

  /// Rounds the rows of a block, which `copyRow` makes.
  static func fill(
    _ parts: [RoundedPart], block: Int, in scratch: Scratch,
    from copyRow: (Int, UnsafeMutablePointer<Float>) -> Void
  ) {
    let count = min(16, parts[0].rows - block * 16)
    for index in 0..<count {
      copyRow(block * 16 + index, scratch.row)
      for (number, part) in parts.enumerated() {
        part.round(
          scratch, to: scratch.codes(number) + index * part.inputs, block: block, index: index,
          leavesRest: number + 1 < parts.count)
      }
    }
    for (number, part) in parts.enumerated() {
      part.pack(scratch.codes(number), count: count, block: block)
    }
  }

  /// Rounds the row in `scratch` to `codes`; `leavesRest` takes from the row what the codes stand
  /// for.
  private func round(
    _ scratch: Scratch, to codes: UnsafeMutablePointer<UInt8>, block: Int, index: Int,
    leavesRest: Bool
  ) {
    let (row, signed, found) = (scratch.row, scratch.signed, scratch.scales.reserve(groups))
    let kernels = bb_kernels().pointee
    kernels.quantize(row, inputs, group, signed, found, scratch.sums.reserve(groups))
    let middle = Float(1 << (bits - 1))
    var squares: Float = 0
    scales.withMutableBytes { bytes in
      let scales = bytes.bindMemory(to: Float.self)
      for part in 0..<groups {
        let scale = found[part] * factor
        scales[(block * groups + part) * 16 + index] = scale
        let columns = part * group..<min((part + 1) * group, inputs)
        let (from, to) = (signed + columns.lowerBound, codes + columns.lowerBound)
        squares += scale * scale * Float(kernels.recode(from, columns.count, UInt32(bits), to))
        if !leavesRest { continue }
        for column in columns { row[column] -= scale * (Float(codes[column]) - middle) }
      }
    }
    lengths.withMutableBytes {
      $0.bindMemory(to: Float.self)[block * 16 + index] = squares.squareRoot()
    }
  }

  private func pack(_ codes: UnsafePointer<UInt8>, count: Int, block: Int) {
    lines.withMutableBytes { bytes in
      guard let lines = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
      bb_format_of(format).pointee.pack(
        codes, count, inputs, lines + block * bb_block_bytes(format, inputs))
    }
  }

  /// What one thread works in.
  final class Scratch {
    let inputs: Int
    let scales = GrowingBuffer<Float>()
    let sums = GrowingBuffer<Int32>()
    private let floats = GrowingBuffer<Float>()
    private let bytes = GrowingBuffer<Int8>()
    private let coded = [GrowingBuffer<UInt8>(), GrowingBuffer<UInt8>()]

    init(inputs: Int) { self.inputs = inputs }

    /// The row under work.
    var row: UnsafeMutablePointer<Float> { floats.reserve(inputs) }
    /// Its codes as the kernel makes them, which may write a few more.
    var signed: UnsafeMutablePointer<Int8> { bytes.reserve(inputs + 8) }
    /// The codes of 16 rows of a part.
    func codes(_ part: Int) -> UnsafeMutablePointer<UInt8> { coded[part].reserve(16 * inputs) }
  }
}
