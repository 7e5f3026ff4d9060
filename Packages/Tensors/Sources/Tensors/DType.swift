/// The element type of a stored tensor, named as in the safetensors format.
///
/// Source: safetensors README and `safetensors/src/tensor.rs` (dtype names and widths).
public enum DType: String, Sendable, Hashable, Codable, CaseIterable {
  case bool = "BOOL"
  case f4 = "F4"
  case f6e2m3 = "F6_E2M3"
  case f6e3m2 = "F6_E3M2"
  case u8 = "U8"
  case i8 = "I8"
  case f8e5m2 = "F8_E5M2"
  case f8e4m3 = "F8_E4M3"
  case f8e8m0 = "F8_E8M0"
  case f8e4m3fnuz = "F8_E4M3FNUZ"
  case f8e5m2fnuz = "F8_E5M2FNUZ"
  case i16 = "I16"
  case u16 = "U16"
  case f16 = "F16"
  case bf16 = "BF16"
  case i32 = "I32"
  case u32 = "U32"
  case f32 = "F32"
  case c64 = "C64"
  case f64 = "F64"
  case i64 = "I64"
  case u64 = "U64"

  /// Bits one element takes.
  public var bits: Int {
    switch self {
    case .f4: 4
    case .f6e2m3, .f6e3m2: 6
    case .bool, .u8, .i8, .f8e5m2, .f8e4m3, .f8e8m0, .f8e4m3fnuz, .f8e5m2fnuz: 8
    case .i16, .u16, .f16, .bf16: 16
    case .i32, .u32, .f32: 32
    case .c64, .f64, .i64, .u64: 64
    }
  }

  /// Whether values of this type can be read as weights without a scale: F32, F16 or BF16.
  public var isPlainFloat: Bool { self == .f32 || self == .f16 || self == .bf16 }

  /// Bytes that `shape` takes in this type, or nil when a dimension is negative, the product
  /// overflows, or the bits do not end on a byte.
  public func byteCount(shape: [Int]) -> Int? {
    var elements = 1
    for dimension in shape {
      let (product, overflow) = elements.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !overflow else { return nil }
      elements = product
    }
    let (total, overflow) = elements.multipliedReportingOverflow(by: bits)
    guard !overflow, total % 8 == 0 else { return nil }
    return total / 8
  }
}
