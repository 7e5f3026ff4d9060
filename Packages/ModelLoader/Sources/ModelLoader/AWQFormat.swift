import JSON
import Tensors

/// The files of AWQ tools (`version` gemm): 4 bits, packed along the outputs.
///
/// | tensor | type | shape | content |
/// |---|---|---|---|
/// | `qweight` | I32 | [in, out / 8] | unsigned codes; 4-bit field i of a word is output 8 w + order[i] |
/// | `qzeros` | I32 | [groups, out / 8] | zero points likewise |
/// | `scales` | F16 or BF16 | [groups, out] | |
///
/// Source: casper-hansen/AutoAWQ, `awq/modules/linear/gemm.py` and `awq/utils/packing_utils.py`.
struct AWQFormat: LinearFormat {
  let summary: QuantizationSummary
  let marker = "qweight"

  /// The outputs of a word's fields, from the lowest bits up.
  private static let order = [0, 2, 4, 6, 1, 3, 5, 7]

  /// Reads `quantization_config`.
  ///
  /// - Throws: `.unsupported` for other widths or versions, `.value`.
  init(_ description: JSONObject) throws(CheckpointError) {
    let version = (try description.stringIfPresent("version") ?? "gemm").lowercased()
    guard version == "gemm" else {
      throw .unsupported(file: description.file, feature: "AWQ version \(version) (gemm is read)")
    }
    let bits = try description.integer(
      description.has("bits") ? "bits" : "w_bit", in: 1...8)
    guard bits == 4 else {
      throw .unsupported(file: description.file, feature: "AWQ with \(bits) bits (4 are read)")
    }
    let size = try description.groupSize(
      description.has("group_size") ? "group_size" : "q_group_size")
    summary = QuantizationSummary(method: .awq, schemes: [.init(bits: 4, groupSize: size)])
  }

  func shape(of prefix: String, in checkpoint: Checkpoint) throws(CheckpointError) -> [Int] {
    let words = try checkpoint.info(of: prefix + ".qweight").shape
    guard words.count == 2, !words.contains(0), words[1] <= Int(Int32.max) else {
      throw checkpoint.wrong(prefix + ".qweight", "shape \(words); a matrix is expected")
    }
    return [words[1] * 8, words[0]]
  }

  func matrix(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> QuantizedMatrix {
    let grid = try grid(of: prefix, in: checkpoint)
    let (rows, columns) = (grid.outFeatures, grid.inFeatures)
    var codes = [UInt8](repeating: 0, count: rows * columns)
    let words = try checkpoint.part(prefix + ".qweight", .i32, rank: 2)
    try codes.withUnsafeMutableBufferPointer { (target) throws(CheckpointError) in
      let shared = SharedTarget(UnsafeMutableRawBufferPointer(target))
      try forEachBlock(of: words, workers: checkpoint.workers) {
        shared.part($0.lowerBound * columns..<$0.upperBound * columns)
          .copyMemory(from: UnsafeRawBufferPointer($1))
      }
    }
    return try QuantizedMatrix(layer: prefix, grid: grid, codes: codes)
  }

  func weights(
    named prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> any LinearWeights {
    let packer = try checkpoint.packer(
      of: prefix, grid(of: prefix, in: checkpoint), scales: prefix + ".scales")
    let words = try checkpoint.part(prefix + ".qweight", .i32, rank: 2)
    try forEachBlock(of: words, workers: checkpoint.workers) { packer.put($0, codes: $1) }
    return packer.weights
  }

  /// What the codes of a layer stand for, with everything but the codes read.
  private func grid(
    of prefix: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> CodeGrid {
    let shape = try shape(of: prefix, in: checkpoint)
    let groups = summary.schemes[0].groups(inputs: shape[1])
    let zeroName = prefix + ".qzeros"
    try checkpoint.require(zeroName, shape: [groups, shape[0] / 8])
    var zeros = [Float](repeating: 8, count: groups * shape[0])
    try checkpoint.part(zeroName, .i32, rank: 2).bytes.withBytes { bytes in
      for (index, word) in bytes.bindMemory(to: UInt32.self).enumerated() {
        for (field, output) in Self.order.enumerated() {
          zeros[index * 8 + output] = Float(word >> (4 * UInt32(field)) & 15)
        }
      }
    }
    let scales = try checkpoint.finiteFloats(prefix + ".scales", shape: [groups, shape[0]])
    return try CodeGrid(
      layer: prefix, scheme: summary.schemes[0], outFeatures: shape[0], inFeatures: shape[1],
      scales: transposed(scales, rows: groups, columns: shape[0]),
      zeros: zeros.allSatisfy { $0 == 8 }
        ? nil : transposed(zeros, rows: groups, columns: shape[0]),
      groupIndex: nil)
  }

  /// Words of one input that are looked at together: a cache line, 128 outputs.
  private static let wordsAtOnce = 16

  /// Unpacks the rows of some outputs at a time from words `[in, out / 8]` and hands out which they
  /// are and their codes, `[rows, in]`, on several threads.
  private func forEachBlock(
    of tensor: Tensor, workers: Int,
    _ body: @Sendable (Range<Int>, UnsafeBufferPointer<UInt8>) -> Void
  ) throws(CheckpointError) {
    let (columns, width) = (tensor.shape[0], tensor.shape[1])
    let units = (width + Self.wordsAtOnce - 1) / Self.wordsAtOnce
    try forEachInParallel(units, workers: workers) { (unit) throws(CheckpointError) in
      let first = unit * Self.wordsAtOnce
      let count = min(Self.wordsAtOnce, width - first)
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count * 8 * columns) { codes in
        tensor.bytes.withBytes { bytes in
          let words = bytes.bindMemory(to: UInt32.self)
          for input in 0..<columns {
            for place in 0..<count {
              let word = words[input * width + first + place]
              for (field, output) in Self.order.enumerated() {
                codes[(place * 8 + output) * columns + input] =
                  UInt8(truncatingIfNeeded: word &>> (4 * UInt32(field))) & 15
              }
            }
          }
        }
        body(first * 8..<(first + count) * 8, UnsafeBufferPointer(codes))
      }
    }
  }
}
