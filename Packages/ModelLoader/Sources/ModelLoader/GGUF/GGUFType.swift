import Tensors

/// The element type of a tensor in a GGUF file.
enum GGUFType: Sendable, Hashable {
  /// Elements by themselves.
  case plain(DType)
  /// Blocks of codes with their scales.
  case blocks(BlockType)

  /// The types whose elements stand by themselves, by id.
  private static let plainTypes: [UInt32: DType] = [
    0: .f32, 1: .f16, 24: .i8, 25: .i16, 26: .i32, 27: .i64, 28: .f64, 30: .bf16,
  ]

  /// Types that are known by name alone; those from 133 on are ik_llama.cpp's own.
  private static let unreadNames: [UInt32: String] = [
    4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS",
    19: "IQ1_S", 21: "IQ3_S", 22: "IQ2_S", 29: "IQ1_M", 31: "Q4_0_4_4", 32: "Q4_0_4_8",
    33: "Q4_0_8_8", 34: "TQ1_0", 35: "TQ2_0", 36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8",
    38: "IQ4_NL_8_8", 40: "NVFP4", 41: "Q1_0", 133: "Q6_0", 137: "IQ2_K", 138: "IQ3_K",
    139: "IQ4_K", 140: "IQ5_K", 141: "IQ6_K", 144: "IQ4_KS", 152: "IQ5_KS", 153: "IQ2_KT",
    154: "IQ3_KT", 155: "IQ4_KT", 353: "MXFP4_R8",
  ]

  /// The type with this id, of a tensor.
  ///
  /// - Throws: `.unsupported` naming the type and those that can be read.
  init(id: UInt32, tensor: String, file: String) throws(CheckpointError) {
    if let dtype = Self.plainTypes[id] {
      self = .plain(dtype)
    } else if let blocks = BlockType(id: id) {
      self = .blocks(blocks)
    } else {
      let name = Self.unreadNames[id].map { "GGUF type \($0)" } ?? "GGUF type number \(id)"
      throw .unsupported(
        file: file,
        feature: "\(name) of tensor \(tensor) (read are F32, F16, BF16, "
          + BlockType.all.map(\.name).joined(separator: ", ") + ")")
    }
  }

  var name: String {
    switch self {
    case .plain(let dtype): dtype.rawValue
    case .blocks(let blocks): blocks.name
    }
  }

  /// Elements of a block.
  var elements: Int {
    switch self {
    case .plain: 1
    case .blocks(let blocks): blocks.elements
    }
  }

  /// Bytes of a tensor whose rows are whole blocks; nil when they overflow.
  func byteCount(shape: [Int]) -> Int? {
    switch self {
    case .plain(let dtype): dtype.byteCount(shape: shape)
    case .blocks(let blocks):
      DType.u8.byteCount(
        shape: shape.dropLast() + [(shape.last ?? 0) / blocks.elements, blocks.bytes])
    }
  }
}
