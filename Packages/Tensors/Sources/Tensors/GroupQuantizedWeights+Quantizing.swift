import Kernels

extension GroupQuantizedWeights {
  /// Rounds a matrix to codes of 8 bits, to nearest, around zero: scale = max magnitude / 127 for
  /// each group of a row, NaN where a value is NaN or infinite. Works through 16 rows at a time.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  public init(quantizing weights: any LinearWeights, groupSize: Int = 128) throws(TensorError) {
    try self.init(quantizing: weights, bits: 8, groupSize: groupSize) { _, _ in }
  }

  /// Quantizes what a matrix of 8-bit codes leaves of another one to codes of 4 bits, by way of 8:
  /// scale = max magnitude / 7.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  init(
    quantizing weights: any LinearWeights, less coarse: GroupQuantizedWeights, groupSize: Int
  ) throws(TensorError) {
    var held = [Float](repeating: 0, count: weights.inFeatures)
    try self.init(quantizing: weights, bits: 4, groupSize: groupSize) { index, row in
      held.withUnsafeMutableBufferPointer { held in
        guard let base = held.baseAddress else { return }
        coarse.copyRow(index, into: base)
        for column in held.indices { row[column] -= held[column] }
      }
    }
  }

  /// `change` gets each row before it is quantized.
  private init(
    quantizing weights: any LinearWeights, bits: Int, groupSize: Int,
    change: (Int, UnsafeMutablePointer<Float>) -> Void
  ) throws(TensorError) {
    let (rows, inputs) = (weights.outFeatures, weights.inFeatures)
    let group = min(groupSize, inputs)
    let groups = (inputs + group - 1) / group
    let blocks = (rows + 15) / 16
    let format = bits == 8 ? BB_ROWS_INT8 : BB_ROWS_INT4
    let lineBytes = bb_block_bytes(format, inputs)
    let lines = try AlignedBytes(weights: blocks * lineBytes)
    let scales = try AlignedBytes(count: blocks * groups * 16 * MemoryLayout<Float>.size)
    let quantize = bb_kernels().pointee.quantize
    let pack = bb_format_of(format).pointee.pack
    // What the kernel's codes of 8 bits become, and what their scales are multiplied by.
    let (table, factor) = Self.codes(bits: bits)
    var row = [Float](repeating: 0, count: inputs)
    var signed = [Int8](repeating: 0, count: inputs + 8)
    var found = [Float](repeating: 0, count: groups)
    var sums = [Int32](repeating: 0, count: groups)
    var codes = [UInt8](repeating: 0, count: 16 * inputs)
    lines.withMutableBytes { lines in
      scales.withMutableBytes { scales in
        let scales = scales.bindMemory(to: Float.self)
        guard let target = lines.bindMemory(to: UInt8.self).baseAddress else { return }
        for block in 0..<blocks {
          let count = min(16, rows - block * 16)
          for index in 0..<count {
            row.withUnsafeMutableBufferPointer { row in
              guard let base = row.baseAddress else { return }
              weights.copyRow(block * 16 + index, into: base)
              change(block * 16 + index, base)
            }
            quantize(row, inputs, group, &signed, &found, &sums)
            for (part, scale) in found.enumerated() {
              scales[(block * groups + part) * 16 + index] = scale * factor
            }
            for column in 0..<inputs {
              codes[index * inputs + column] = table[Int(UInt8(bitPattern: signed[column]))]
            }
          }
          pack(codes, count, inputs, target + block * lineBytes)
        }
      }
    }
    self.init(
      bits: bits, rows: rows, inputs: inputs, groupSize: group, lines: lines, scales: scales,
      scaleFormat: BB_F32)
  }

  /// For the byte of every signed code of 8 bits the unsigned one of `bits` that is nearest; and
  /// how many of the former's scales the latter's is.
  private static func codes(bits: Int) -> (table: [UInt8], factor: Float) {
    let middle = 1 << (bits - 1)
    let table = (0...255).map { byte in
      let code = Double(Int8(truncatingIfNeeded: byte)) * Double(middle - 1) / 127
      return UInt8(clamping: middle + Int(code.rounded(.toNearestOrEven)))
    }
    return (table, 127 / Float(middle - 1))
  }
}
