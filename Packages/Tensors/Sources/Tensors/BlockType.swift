import Kernels

/// A type of quantized blocks as GGUF files hold them: a row is a sequence of blocks, each with its
/// own scales.
///
/// Sendable by rule: it points at a constant table.
public struct BlockType: @unchecked Sendable, Hashable {
  let type: UnsafePointer<bb_ggml_type>

  /// The types that can be read, by their ids in files.
  public static let all = (UInt32(0)..<64).compactMap(BlockType.init(id:))

  /// The type with this id in GGUF files; nil where it is no quantized type or not known.
  public init?(id: UInt32) {
    guard let type = bb_ggml_type_of(id) else { return nil }
    self.type = type
  }

  /// The id in GGUF files.
  public var id: UInt32 { type.pointee.id }
  /// The name, such as "Q4_K".
  public var name: String { String(cString: type.pointee.name) }
  /// Weights of a block.
  public var elements: Int { Int(type.pointee.elements) }
  /// Bytes of a block.
  public var bytes: Int { Int(type.pointee.bytes) }

  /// Bits of a code.
  public var codeBits: Int { Int(type.pointee.bits) }
  /// Weights that share a scale.
  public var groupSize: Int { Int(type.pointee.group) }

  /// What the kernels know of the type.
  var table: bb_ggml_type { type.pointee }
  /// Whether groups have a lowest value of their own.
  var hasLows: Bool { table.has_lows != 0 }
  /// What codes are counted from when they lie in bytes: those of a table from 128.
  var zero: Float { table.values == nil ? Float(table.zero) : 128 }

  /// The weights of consecutive blocks, in F32 as the reference rounds them.
  ///
  /// - Parameters:
  ///   - blocks: whole blocks.
  ///   - target: room for as many weights.
  public func decode(_ blocks: UnsafeRawBufferPointer, into target: UnsafeMutablePointer<Float>) {
    guard let start = blocks.bindMemory(to: UInt8.self).baseAddress else { return }
    bb_ggml_decode(type, start, blocks.count / bytes * elements, target)
  }
}
