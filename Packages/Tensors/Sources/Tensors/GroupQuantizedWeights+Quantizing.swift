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
    let parts = [try RoundedPart(of: weights, bits: 8, groupSize: groupSize)]
    RoundedPart.fill(parts, from: weights, workers: workers)
    self = parts[0].weights
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
    let parts = [
      try RoundedPart(of: weights, bits: 8, groupSize: groupSize),
      try RoundedPart(of: weights, bits: 4, groupSize: groupSize),
    ]
    RoundedPart.fill(parts, from: weights, workers: workers)
    self.init(coarse: parts[0].weights, fine: parts[1].weights)
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
  /// For the byte of every signed code of 8 bits, which the kernel makes, the unsigned one of
  /// `bits` that is nearest; and how many of the former's scales the latter's is.
  private let table: [UInt8]
  private let factor: Float

  /// Takes the memory.
  init(of weights: any LinearWeights, bits: Int, groupSize: Int) throws(TensorError) {
    self.bits = bits
    (rows, inputs) = (weights.outFeatures, weights.inFeatures)
    group = min(groupSize, inputs)
    groups = (inputs + group - 1) / group
    format = bits == 8 ? BB_ROWS_INT8 : BB_ROWS_INT4
    let blocks = (rows + 15) / 16
    lines = try AlignedBytes(weights: blocks * bb_block_bytes(format, inputs))
    scales = try AlignedBytes(count: blocks * groups * 16 * MemoryLayout<Float>.size)
    let middle = 1 << (bits - 1)
    table = (0...255).map { byte in
      let code = Double(Int8(truncatingIfNeeded: byte)) * Double(middle - 1) / 127
      return UInt8(clamping: middle + Int(code.rounded(.toNearestOrEven)))
    }
    factor = 127 / Float(middle - 1)
  }

  /// The matrix, once all blocks are filled.
  var weights: GroupQuantizedWeights {
    GroupQuantizedWeights(
      bits: bits, rows: rows, inputs: inputs, groupSize: group, lines: lines, scales: scales,
      scaleFormat: BB_F32)
  }

  /// Rounds all rows of a matrix to the first part, what that leaves to the next, and so on, blocks
  /// of 16 rows on several threads.
  static func fill(_ parts: [RoundedPart], from weights: any LinearWeights, workers: Int) {
    let blocks = (weights.outFeatures + 15) / 16
    let threads = max(1, min(workers, blocks))
    SystemThread.forEach(threads) { thread in
      let scratch = Scratch(inputs: weights.inFeatures)
      for block in blocks * thread / threads..<blocks * (thread + 1) / threads {
        let first = block * 16
        let count = min(16, weights.outFeatures - first)
        for index in 0..<count {
          weights.copyRow(first + index, into: scratch.row)
          for (number, part) in parts.enumerated() {
            part.round(
              scratch, to: scratch.codes(number) + index * part.inputs, block: block,
              index: index, leavesRest: number + 1 < parts.count)
          }
        }
        for (number, part) in parts.enumerated() {
          part.pack(scratch.codes(number), count: count, block: block)
        }
      }
    }
  }

  /// Rounds the row in `scratch` to `codes`; `leavesRest` takes from the row what the codes stand
  /// for.
  private func round(
    _ scratch: Scratch, to codes: UnsafeMutablePointer<UInt8>, block: Int, index: Int,
    leavesRest: Bool
  ) {
    let (row, signed, found) = (scratch.row, scratch.signed, scratch.scales.reserve(groups))
    bb_kernels().pointee.quantize(
      row, inputs, group, signed, found, scratch.sums.reserve(groups))
    table.withUnsafeBufferPointer { table in
      for column in 0..<inputs { codes[column] = table[Int(UInt8(bitPattern: signed[column]))] }
    }
    let middle = Float(1 << (bits - 1))
    scales.withMutableBytes { bytes in
      let scales = bytes.bindMemory(to: Float.self)
      for part in 0..<groups {
        let scale = found[part] * factor
        scales[(block * groups + part) * 16 + index] = scale
        if !leavesRest { continue }
        for column in part * group..<min((part + 1) * group, inputs) {
          row[column] -= scale * (Float(codes[column]) - middle)
        }
      }
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
  private final class Scratch {
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
