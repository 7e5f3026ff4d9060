import Tensors

extension Tensor {
  /// `values` rounded to F32, F16 or BF16, ties to even.
  ///
  /// - Throws: `.unsupported` for other types, `.tensors` naming the first finite value that the
  ///   type cannot hold.
  public init(
    rounding values: [Float], to dtype: DType, shape: [Int], name: String
  ) throws(CheckpointError) {
    switch dtype {
    case .f32: try self.init(elements: values, .f32, shape: shape, name: name)
    case .f16:
      try self.init(elements: values.map { Float16($0) }, .f16, shape: shape, name: name)
    case .bf16:
      try self.init(elements: values.map(Self.bf16), .bf16, shape: shape, name: name)
    default:
      throw .unsupported(file: name, feature: "rounding to \(dtype.rawValue)")
    }
    let rounded: [Float]
    do { rounded = try floats() } catch { throw .tensors("\(name): \(error)") }
    if let position = rounded.indices.first(where: { !rounded[$0].isFinite }) {
      throw .tensors("\(name): \(values[position]) cannot be stored as \(dtype.rawValue)")
    }
  }

  /// The bits of the nearest BF16.
  private static func bf16(_ value: Float) -> UInt16 {
    guard !value.isNaN else { return 0x7FC0 }
    let bits = value.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
  }

  /// A tensor of elements that are laid out in memory as in the file.
  init<Element: BitwiseCopyable>(
    elements: [Element], _ dtype: DType, shape: [Int], name: String
  ) throws(CheckpointError) {
    do {
      let bytes = try AlignedBytes(count: elements.count * MemoryLayout<Element>.stride)
      bytes.withMutableBytes { target in elements.withUnsafeBytes { target.copyMemory(from: $0) } }
      try self.init(dtype: dtype, shape: shape, bytes: bytes)
    } catch {
      throw .tensors("\(name): \(error)")
    }
  }
}
