import Foundation
import Testing

/// Models in forms that are read and not written here.
extension ModelCopy {
  /// The matrices of the blocks as FP8 with a scale for each square of 64 inputs and outputs, as the
  /// FP8 checkpoints of Qwen3 have 128.
  func storeInFloat8Blocks() throws {
    let side = 64
    try replaceMatrices { tensor in
      let (rows, columns) = (tensor.shape[0], tensor.shape[1])
      let values = tensor.bfloat16s
      let tiles = [(rows + side - 1) / side, (columns + side - 1) / side]
      var scales = [Float](repeating: 0, count: tiles[0] * tiles[1])
      for (place, value) in values.enumerated() {
        let tile = place / columns / side * tiles[1] + place % columns / side
        scales[tile] = max(scales[tile], abs(value) / 448)
      }
      let codes = values.enumerated().map { place, value in
        Self.float8(value / scales[place / columns / side * tiles[1] + place % columns / side])
      }
      return [
        StoredTensor(name: tensor.name, dtype: "F8_E4M3", shape: tensor.shape, data: Data(codes)),
        StoredTensor(
          name: tensor.name + "_scale_inv", dtype: "F32", shape: tiles,
          data: Data(scales.flatMap(\.littleEndianBytes))),
      ]
    }
    try configure([
      "quantization_config": [
        "quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic",
        "weight_block_size": [side, side],
      ]
    ])
  }

  /// The matrices of the blocks in 4 bits, groups of 32, as AutoAWQ packs them.
  func storeAsAWQ() throws {
    let group = 32
    try replaceMatrices { tensor in
      let (rows, columns) = (tensor.shape[0], tensor.shape[1])
      let (groups, values) = (columns / group, tensor.bfloat16s)
      var scales = [Float16](repeating: 0, count: groups * rows)
      var words = [UInt32](repeating: 0, count: columns * rows / 8)
      for row in 0..<rows {
        for part in 0..<groups {
          let inputs = part * group..<(part + 1) * group
          let largest = inputs.map { abs(values[row * columns + $0]) }.max() ?? 0
          let scale = Float16(largest / 7)
          scales[part * rows + row] = scale
          for input in inputs {
            let code = (values[row * columns + input] / Float(scale)).rounded() + 8
            let field = [0, 4, 1, 5, 2, 6, 3, 7][row % 8]
            words[(input * rows + row) / 8] |= UInt32(min(max(code, 0), 15)) << (4 * field)
          }
        }
      }
      let prefix = tensor.name.dropLast("weight".count)
      let zeros = [UInt8](repeating: 0x88, count: groups * rows / 2)
      return [
        StoredTensor(
          name: prefix + "qweight", dtype: "I32", shape: [columns, rows / 8],
          data: Data(words.flatMap { word in (0..<4).map { UInt8(word >> (8 * $0) & 255) } })),
        StoredTensor(
          name: prefix + "qzeros", dtype: "I32", shape: [groups, rows / 8], data: Data(zeros)),
        StoredTensor(
          name: prefix + "scales", dtype: "F16", shape: [groups, rows],
          data: Data(
            scales.flatMap { [UInt8($0.bitPattern & 255), UInt8($0.bitPattern >> 8)] })),
      ]
    }
    try configure([
      "quantization_config": [
        "quant_method": "awq", "bits": 4, "group_size": group, "version": "gemm",
        "zero_point": true,
      ]
    ])
  }

  private func replaceMatrices(_ change: (StoredTensor) -> [StoredTensor]) throws {
    try editTensors { tensors in
      tensors = tensors.flatMap { $0.name.hasSuffix("_proj.weight") ? change($0) : [$0] }
    }
  }

  /// The code of the E4M3 number nearest to a value.
  private static func float8(_ value: Float) -> UInt8 {
    let sign: UInt8 = value < 0 ? 0x80 : 0
    let exponent = max(value.isZero ? -6 : Int(abs(value).exponent), -6)
    let step = Float(sign: .plus, exponent: exponent - 3, significand: 1)
    // Below the smallest normal number codes count steps; above, the exponent is in front.
    let steps = Int((abs(value) / step).rounded(.toNearestOrEven))
    return sign | UInt8(min(exponent == -6 ? steps : (exponent + 6) * 8 + steps, 0x7E))
  }
}

extension StoredTensor {
  /// The elements of a BF16 tensor.
  fileprivate var bfloat16s: [Float] {
    let bytes = [UInt8](data)
    return stride(from: 0, to: bytes.count, by: 2).map {
      Float(bitPattern: UInt32(bytes[$0]) << 16 | UInt32(bytes[$0 + 1]) << 24)
    }
  }
}

extension Float {
  /// The bytes of a tensor that holds this number.
  var littleEndianBytes: [UInt8] { (0..<4).map { UInt8(bitPattern >> (8 * $0) & 255) } }
}
