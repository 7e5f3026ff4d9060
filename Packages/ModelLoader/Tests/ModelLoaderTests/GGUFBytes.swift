/// Writes the bytes of GGUF files for tests, right or wrong.
struct GGUFBytes {
  var magic = Array("GGUF".utf8)
  var version: UInt32 = 3
  var tensorCount: UInt64?
  var keyCount: UInt64?
  var keys: [[UInt8]] = []
  var tensors: [[UInt8]] = []
  var data: [UInt8] = []
  var alignment = 32

  static func number<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  static func string(_ text: String) -> [UInt8] { number(UInt64(text.utf8.count)) + text.utf8 }

  mutating func add(_ key: String, type: UInt32, _ value: [UInt8]) {
    keys.append(Self.string(key) + Self.number(type) + value)
  }

  mutating func add(_ key: String, _ value: String) { add(key, type: 8, Self.string(value)) }
  mutating func add(_ key: String, _ value: Int) { add(key, type: 4, Self.number(UInt32(value))) }
  mutating func add(_ key: String, _ value: Float) {
    add(key, type: 6, Self.number(value.bitPattern))
  }
  mutating func add(_ key: String, _ values: [String]) {
    add(
      key, type: 9,
      Self.number(UInt32(8)) + Self.number(UInt64(values.count)) + values.flatMap(Self.string))
  }

  /// An entry of any contents.
  static func entry(
    _ name: String, _ dims: [UInt64], type: UInt32, offset: UInt64, rank: UInt32? = nil
  ) -> [UInt8] {
    string(name) + number(rank ?? UInt32(dims.count)) + dims.flatMap(number) + number(type)
      + number(offset)
  }

  /// A tensor behind those before it; `shape` outermost first.
  mutating func add(_ name: String, _ shape: [Int], type: UInt32, _ bytes: [UInt8]) {
    tensors.append(
      Self.entry(name, shape.reversed().map(UInt64.init), type: type, offset: UInt64(data.count)))
    data += bytes
    data += [UInt8](repeating: 0, count: (alignment - data.count % alignment) % alignment)
  }

  mutating func add(_ name: String, _ shape: [Int], floats: [Float]) {
    add(name, shape, type: 0, floats.flatMap { Self.number($0.bitPattern) })
  }

  var bytes: [UInt8] {
    var bytes = magic + Self.number(version) + Self.number(tensorCount ?? UInt64(tensors.count))
    bytes += Self.number(keyCount ?? UInt64(keys.count)) + keys.joined() + tensors.joined()
    bytes += [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
    return bytes + data
  }

  /// The smallest model of an architecture: one block, 4 heads of 4, two of keys; its matrices are
  /// `fill`.
  static func model(
    architecture: String = "llama", width: Int = 16, fill: (String, [Int]) -> [Float]
  ) -> GGUFBytes {
    var file = GGUFBytes()
    file.add("general.architecture", architecture)
    for (name, value) in [
      ("block_count", 1), ("context_length", 64), ("embedding_length", width),
      ("feed_forward_length", width), ("attention.head_count", 4), ("attention.head_count_kv", 2),
    ] { file.add("\(architecture).\(name)", value) }
    file.add("\(architecture).attention.layer_norm_rms_epsilon", Float(1e-5))
    let sizes = [
      ("token_embd", [8, width]), ("output_norm", [width]), ("blk.0.attn_norm", [width]),
      ("blk.0.ffn_norm", [width]), ("blk.0.attn_q", [width, width]),
      ("blk.0.attn_k", [width / 2, width]), ("blk.0.attn_v", [width / 2, width]),
      ("blk.0.attn_output", [width, width]), ("blk.0.ffn_gate", [width, width]),
      ("blk.0.ffn_up", [width, width]), ("blk.0.ffn_down", [width, width]),
    ]
    for (name, shape) in sizes { file.add(name + ".weight", shape, floats: fill(name, shape)) }
    return file
  }
}
