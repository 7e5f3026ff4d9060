import Tensors

/// A quantized matrix as blocks of GGUF: 8 bits become Q8_0, 4 bits Q4_0. Both are `d * (code -
/// middle)` with one `d` of F16 for 32 inputs, which is what the quantizers make in symmetric
/// groups of 32, so that nothing is rounded again.
///
/// Source: ggml-org/ggml, src/ggml-common.h (`block_q8_0`, `block_q4_0`).
enum GGUFBlocks {
  /// Inputs of a block.
  static let elements = 32

  /// The type of a matrix with codes of these bits.
  ///
  /// - Throws: `.unsupported` naming the layer.
  static func type(bits: Int, layer: String) throws(CheckpointError) -> BlockType {
    let id: UInt32? = [8: 8, 4: 2][bits]
    guard let type = id.flatMap(BlockType.init(id:)) else {
      throw .unsupported(
        file: layer,
        feature: "\(bits) bits in GGUF files (written are Q8_0 and Q4_0, of 8 and 4 bits)")
    }
    return type
  }

  /// The blocks of `matrix`, row after row.
  ///
  /// - Throws: `.unsupported` naming the layer for other groups than 32 and for zero points;
  ///   `.tensors` for a scale that F16 does not hold.
  static func bytes(
    of matrix: QuantizedMatrix, layer: String, workers: Int
  ) throws(CheckpointError) -> [UInt8] {
    let type = try type(bits: matrix.bits, layer: layer)
    guard matrix.groupSize == elements, matrix.zeros == nil, matrix.groupIndex == nil,
      matrix.inFeatures % elements == 0
    else {
      throw .unsupported(
        file: layer,
        feature:
          "a matrix of groups of \(matrix.groupSize)\(matrix.zeros == nil ? "" : " with zero points")"
          + "\(matrix.groupIndex == nil ? "" : " in another order") in GGUF files")
    }
    let scales = matrix.scales.map { Float16($0) }
    if let position = scales.firstIndex(where: { !$0.isFinite }) {
      throw .tensors("\(layer): scale \(matrix.scales[position]) cannot be stored as F16")
    }
    let (columns, blocksOfRow) = (matrix.inFeatures, matrix.inFeatures / elements)
    var bytes = [UInt8](repeating: 0, count: matrix.outFeatures * blocksOfRow * type.bytes)
    try bytes.withUnsafeMutableBufferPointer { (target) throws(CheckpointError) in
      let shared = SharedTarget(UnsafeMutableRawBufferPointer(target))
      try forEachInParallel(matrix.outFeatures, workers: workers) { (row) throws(CheckpointError) in
        for block in 0..<blocksOfRow {
          let index = row * blocksOfRow + block
          let place = shared.part(index * type.bytes..<(index + 1) * type.bytes)
          place.storeBytes(of: scales[index].bitPattern.littleEndian, as: UInt16.self)
          let codes = matrix.codes[
            row * columns + block * elements..<row * columns + (block + 1) * elements]
          put(codes, bits: matrix.bits, into: place)
        }
      }
    }
    return bytes
  }

  /// Writes the codes of a block behind its scale.
  private static func put(
    _ codes: ArraySlice<UInt8>, bits: Int, into block: UnsafeMutableRawBufferPointer
  ) {
    let first = codes.startIndex
    if bits == 8 {
      for index in 0..<elements { block[2 + index] = codes[first + index] ^ 128 }
    } else {
      let half = elements / 2
      for index in 0..<half {
        block[2 + index] = codes[first + index] | codes[first + half + index] << 4
      }
    }
  }
}
