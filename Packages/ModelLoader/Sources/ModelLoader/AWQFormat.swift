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
    let size = try description.integer(
      description.has("group_size") ? "group_size" : "q_group_size", in: -1...Int(Int32.max))
    guard size != 0 else { throw description.wrong("group_size", expected: "-1 or more than 0") }
    summary = QuantizationSummary(
      method: .awq, schemes: [.init(bits: 4, groupSize: size > 0 ? size : nil)])
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
    let shape = try shape(of: prefix, in: checkpoint)
    let groups = summary.schemes[0].groups(inputs: shape[1])
    let zeroName = prefix + ".qzeros"
    try checkpoint.require(zeroName, shape: [groups, shape[0] / 8])
    let codes = try fields(prefix + ".qweight", in: checkpoint)
    let zeros = try fields(zeroName, in: checkpoint)
    let scales = try checkpoint.finiteFloats(prefix + ".scales", shape: [groups, shape[0]])
    return try QuantizedMatrix(
      layer: prefix, scheme: summary.schemes[0], outFeatures: shape[0], inFeatures: shape[1],
      codes: transposed(codes, rows: shape[1], columns: shape[0]),
      scales: transposed(scales, rows: groups, columns: shape[0]),
      zeros: zeros.allSatisfy { $0 == 8 }
        ? nil : transposed(zeros.map(Float.init), rows: groups, columns: shape[0]),
      groupIndex: nil)
  }

  /// The fields of a tensor of words, `[rows, 8 columns]`.
  private func fields(
    _ name: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> [UInt8] {
    try checkpoint.part(name, .i32, rank: 2).bytes.withBytes { bytes in
      let words = bytes.bindMemory(to: UInt32.self)
      return [UInt8](unsafeUninitializedCapacity: words.count * 8) { target, filled in
        for (index, word) in words.enumerated() {
          for (field, output) in Self.order.enumerated() {
            target.initializeElement(
              at: index * 8 + output,
              to: UInt8(truncatingIfNeeded: word >> (4 * UInt32(field))) & 15)
          }
        }
        filled = words.count * 8
      }
    }
  }
}
