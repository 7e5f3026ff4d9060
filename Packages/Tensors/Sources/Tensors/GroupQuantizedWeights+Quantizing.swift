import Kernels

extension GroupQuantizedWeights {
  /// Rounds a matrix to codes of 8 bits, to nearest, around zero: scale = highest magnitude / 127 for each group of a row, NaN
  /// where a value is NaN or infinite. Works through 16 rows at a time.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  public init(quantizing weights: any LinearWeights, groupSize: Int = 128) throws(TensorError) {
    let (rows, inputs) = (weights.outFeatures, weights.inFeatures)
    let group = min(groupSize, inputs)
    let groups = (inputs + group - 1) / group
    let blocks = (rows + 15) / 16
    let lineBytes = bb_block_bytes(BB_ROWS_INT8, inputs)
    let lines = try AlignedBytes(count: blocks * lineBytes)
    let scales = try AlignedBytes(count: blocks * groups * 16 * MemoryLayout<Float>.size)
    let quantize = bb_kernels().pointee.quantize
    var row = [Float](repeating: 0, count: inputs)
    var signed = [Int8](repeating: 0, count: inputs + 8)
    var found = [Float](repeating: 0, count: groups)
    var sums = [Int32](repeating: 0, count: groups)
    var codes = [UInt8](repeating: 128, count: 16 * inputs)
    lines.withMutableBytes { lines in
      scales.withMutableBytes { scales in
        let scales = scales.bindMemory(to: Float.self)
        guard let target = lines.bindMemory(to: UInt8.self).baseAddress else { return }
        for block in 0..<blocks {
          let count = min(16, rows - block * 16)
          for index in 0..<count {
            row.withUnsafeMutableBufferPointer { row in
              if let base = row.baseAddress { weights.copyRow(block * 16 + index, into: base) }
            }
            quantize(row, inputs, group, &signed, &found, &sums)
            for (part, scale) in found.enumerated() {
              scales[(block * groups + part) * 16 + index] = scale
            }
            for column in 0..<inputs {
              codes[index * inputs + column] = UInt8(bitPattern: signed[column]) ^ 128
            }
          }
          bb_pack_bytes(codes, count, inputs, target + block * lineBytes)
        }
      }
    }
    self.init(
      rows: rows, inputs: inputs, groupSize: group, lines: lines, scales: scales,
      scaleFormat: BB_F32)
  }
}
