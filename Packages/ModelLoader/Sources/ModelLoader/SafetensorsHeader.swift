import Tensors

/// One tensor of a checkpoint: what it is and where its bytes stand.
public struct TensorInfo: Sendable, Hashable {
  /// Name, as in `model.layers.0.self_attn.q_proj.weight`.
  public internal(set) var name: String
  /// Element type.
  public internal(set) var dtype: DType
  /// Dimensions, outermost first; empty for a scalar.
  public internal(set) var shape: [Int]
  /// File name of the shard, relative to the folder of the checkpoint.
  public let shard: String
  /// The bytes, counted from the start of the (uncompressed) file.
  public let range: Range<Int>
  /// How the rows are put in order when they are read; nil when they are stored in order.
  var rowOrder: RowOrder?
  /// The same of the columns.
  var columnOrder: ColumnOrder?
  /// What is done to each number when it is read; nil where they are stored as they are.
  var values: StoredValues?
  /// Rows that stand in `range`, where `rowOrder` takes some of them.
  var storedRows: Int?
  /// The quantized layer that the values are made of when they are read; its codes stand in `range`.
  var quantizedLayer: String?
}

extension TensorInfo {
  /// Bytes of one row (first dimension).
  var rowBytes: Int {
    quantizedLayer == nil
      ? range.count / max(storedRows ?? shape.first ?? 1, 1)
      : shape.dropFirst().reduce(1, *) * dtype.bits / 8
  }

  /// Bytes of the tensor.
  public var byteCount: Int { isWhole ? range.count : rowBytes * (shape.first ?? 1) }

  /// Bytes that are held at most while it is read: its own, and the codes that it is made of.
  public var readingBytes: Int { byteCount + (quantizedLayer == nil ? 0 : range.count) }

  /// Whether the file holds as many bytes as the tensor has.
  private var isWhole: Bool { storedRows == nil && quantizedLayer == nil }

  /// Whether the bytes of the file are those of the tensor.
  var isAsStored: Bool { isWhole && rowOrder == nil && columnOrder == nil && values == nil }
}

/// The header of a safetensors file, checked against the size of the file before any data is used.
///
/// Layout: u64 N little-endian, N bytes of JSON, the tensors' bytes without holes. Source:
/// safetensors README and `safetensors/src/tensor.rs` (limits and checks); duplicate names are
/// refused as the README asks.
struct SafetensorsHeader {
  /// The longest header the format allows, in bytes.
  static let sizeLimit = 100_000_000
  /// Bytes before the JSON text.
  static let prefixSize = 8

  /// The tensors in the order of their bytes.
  let tensors: [TensorInfo]

  /// Reads and checks the header of `source`, known in the checkpoint as `shard`.
  ///
  /// - Throws: `.truncated`, `.malformed`, `.json` or `.tensor` naming the tensor or the gap.
  init(of source: some ByteSource, shard: String) throws(CheckpointError) {
    let file = source.file
    guard source.count >= Self.prefixSize else {
      throw .truncated(file: file, expected: Self.prefixSize, found: source.count)
    }
    let prefix = try source.bytes(0..<Self.prefixSize, of: "header length")
    let length = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= Self.sizeLimit else {
      throw .malformed(
        file: file, reason: "header of \(length) bytes; at most \(Self.sizeLimit) are allowed")
    }
    let start = Self.prefixSize + Int(length)
    guard source.count >= start else {
      throw .truncated(file: file, expected: start, found: source.count)
    }
    let text = try source.bytes(Self.prefixSize..<start, of: "header")
    guard text.first == UInt8(ascii: "{") else {
      throw .malformed(file: file, reason: "the header does not begin with '{'")
    }
    var found: [TensorInfo] = []
    try CheckpointReader.read(text, file: file) { (reader) throws(CheckpointError) in
      try reader.readObject("header") { (reader, bytes) throws(CheckpointError) in
        let name = String(decoding: bytes, as: UTF8.self)
        if name == "__metadata__" {
          try Self.skipMetadata(&reader, file: file)
        } else {
          var entry = TensorEntry(file: file, name: name)
          found.append(try entry.read(&reader, dataStart: start, shard: shard))
        }
      }
    }
    tensors = found.sorted {
      ($0.range.lowerBound, $0.range.upperBound, $0.name)
        < ($1.range.lowerBound, $1.range.upperBound, $1.name)
    }
    try Self.checkLayout(tensors, dataStart: start, file: file, size: source.count)
  }

  private static func skipMetadata(
    _ reader: inout CheckpointReader, file: String
  ) throws(CheckpointError) {
    guard try reader.peekKind() == .object else {
      throw .malformed(file: file, reason: "__metadata__ is not an object")
    }
    try reader.readObject("__metadata__") { (reader, name) throws(CheckpointError) in
      guard try reader.peekKind() == .string else {
        let key = String(decoding: name, as: UTF8.self)
        throw .malformed(file: file, reason: "__metadata__.\(key) is not a string")
      }
      _ = try reader.readString("__metadata__")
    }
  }

  /// The tensors, in order, have to fill the file from the header to its end exactly.
  private static func checkLayout(
    _ tensors: [TensorInfo], dataStart: Int, file: String, size: Int
  ) throws(CheckpointError) {
    var end = dataStart
    var previous: String?
    for tensor in tensors {
      let begin = tensor.range.lowerBound
      if begin < end {
        throw .tensor(
          file: file, tensor: tensor.name,
          reason:
            "begins at byte \(begin), inside \(previous ?? "the header"), which ends at \(end)")
      }
      if begin > end {
        throw .tensor(
          file: file, tensor: tensor.name,
          reason: "\(begin - end) bytes between \(previous ?? "the header") and this tensor "
            + "belong to nothing (bytes \(end)..<\(begin))")
      }
      end = tensor.range.upperBound
      previous = tensor.name
    }
    if size < end { throw .truncated(file: file, expected: end, found: size) }
    if size > end {
      throw .malformed(file: file, reason: "\(size - end) bytes after the last tensor")
    }
  }
}

/// Reads one `"name": {"dtype", "shape", "data_offsets"}` of the header.
private struct TensorEntry {
  /// No tensor has more dimensions than this.
  static let rankLimit = 32

  let file: String
  let name: String
  var dtype: DType?
  var shape: [Int]?
  var offsets: [Int]?

  init(file: String, name: String) {
    self.file = file
    self.name = name
  }

  mutating func read(
    _ reader: inout CheckpointReader, dataStart: Int, shard: String
  ) throws(CheckpointError) -> TensorInfo {
    guard try reader.peekKind() == .object else { throw wrong("the entry is not an object") }
    try reader.readObject(name) { (reader, bytes) throws(CheckpointError) in
      switch String(decoding: bytes, as: UTF8.self) {
      case "dtype": dtype = try readType(&reader)
      case "shape": shape = try readIntegers(&reader, "shape", limit: Self.rankLimit)
      case "data_offsets": offsets = try readIntegers(&reader, "data_offsets", limit: 2)
      default: try reader.skipValue()
      }
    }
    guard let dtype else { throw wrong("dtype is missing") }
    guard let shape else { throw wrong("shape is missing") }
    guard let offsets else { throw wrong("data_offsets are missing") }
    guard offsets.count == 2 else { throw wrong("data_offsets \(offsets); two are expected") }
    guard offsets[0] <= offsets[1] else { throw wrong("data_offsets \(offsets) run backwards") }
    guard let size = dtype.byteCount(shape: shape) else {
      throw wrong(
        "shape \(shape) of \(dtype.rawValue) is no whole number of bytes that fits 64 bits")
    }
    guard offsets[1] - offsets[0] == size else {
      throw wrong(
        "shape \(shape) of \(dtype.rawValue) takes \(size) bytes, "
          + "data_offsets \(offsets) hold \(offsets[1] - offsets[0])")
    }
    let (end, overflow) = dataStart.addingReportingOverflow(offsets[1])
    guard !overflow else { throw wrong("data_offsets \(offsets) past any file") }
    return TensorInfo(
      name: name, dtype: dtype, shape: shape, shard: shard, range: dataStart + offsets[0]..<end)
  }

  private func readType(_ reader: inout CheckpointReader) throws(CheckpointError) -> DType {
    guard try reader.peekKind() == .string else { throw wrong("dtype is not a string") }
    let text = try reader.readText("dtype")
    guard let dtype = DType(rawValue: text) else { throw wrong("unknown dtype \"\(text)\"") }
    return dtype
  }

  private func readIntegers(
    _ reader: inout CheckpointReader, _ key: String, limit: Int
  ) throws(CheckpointError) -> [Int] {
    guard try reader.peekKind() == .array else { throw wrong("\(key) is not an array") }
    var values: [Int] = []
    try reader.readArray(key) { (reader, _) throws(CheckpointError) in
      guard try reader.peekKind() == .number else {
        throw wrong("\(key) holds something that is not a number")
      }
      guard values.count < limit else { throw wrong("\(key) of more than \(limit) numbers") }
      guard case .integer(let value) = try reader.readNumber(), value >= 0 else {
        throw wrong("\(key) holds a number that is negative, too large or not whole")
      }
      values.append(value)
    }
    return values
  }

  private func wrong(_ reason: String) -> CheckpointError {
    .tensor(file: file, tensor: name, reason: reason)
  }
}
